import { createDynamodbHomeDirectory } from "../adapters/dynamodb/homes.ts";
import { createDynamodbJobStore } from "../adapters/dynamodb/jobs.ts";
import { tableOfHomes } from "../adapters/dynamodb/table-of-homes.ts";
import { type DispatchOutcome, dispatch, JOB_KINDS } from "../analysis/index.ts";
import { createLogger } from "../base/log.ts";
import { createCloud, type FunctionOptions } from "./aws.ts";
import { readConfig } from "./config.ts";

/**
 * The dispatch function, called by the schedule every 15 minutes; joined once per process. What it throws is counted by the platform,
 * which calls it again; so does the next tick.
 */
export function createDispatch(
  env: Readonly<Record<string, string | undefined>> = process.env,
  options: FunctionOptions = {},
): () => Promise<DispatchOutcome> {
  let work: (() => Promise<DispatchOutcome>) | undefined;
  return async () => {
    work ??= joined(env, options);
    return work();
  };
}

function joined(
  env: Readonly<Record<string, string | undefined>>,
  options: FunctionOptions,
): () => Promise<DispatchOutcome> {
  const config = readConfig(env);
  const cloud = createCloud(config, { env, ...options });
  const log = options.log ?? createLogger({ level: config.HEARTHLINE_LOG_LEVEL, fields: { function: "dispatch" } });
  const dispatchOptions = {
    homes: createDynamodbHomeDirectory(cloud.table),
    jobs: createDynamodbJobStore(tableOfHomes(cloud.table)),
    queue: cloud.queue("analysis"),
    clock: cloud.clock,
    log,
    analysisTime: config.HEARTHLINE_ANALYSIS_TIME,
    kinds: JOB_KINDS,
  };
  return async () => {
    const startedMs = cloud.clock.monotonicMs();
    const outcome = await dispatch(dispatchOptions);
    log.info("jobs dispatched", { ...outcome, durationMs: Math.round(cloud.clock.monotonicMs() - startedMs) });
    return outcome;
  };
}
