import { createLogger } from "../base/log.ts";
import type { Steps } from "../migration/index.ts";
import { createCloud, type FunctionOptions } from "./aws.ts";
import { readConfig } from "./config.ts";
import { createMigrationStepper } from "./migration.ts";

/** What the function says of one call; `busy`: the call before is still at work in this process. */
export type Validated = Steps | "busy";

/** Of the function's 270 seconds (serverless.yml): it is over before the next call, five minutes after it. */
const BUDGET_MS = 240_000;

/**
 * The validate-migration function, called by the schedule every 5 minutes, locally every HEARTHLINE_MIGRATION_SECONDS: one step of each migration under way; joined once per process. What it throws is
 * counted by the platform; the next call does what this one has not done.
 */
export function createValidateMigration(
  env: Readonly<Record<string, string | undefined>> = process.env,
  options: FunctionOptions = {},
): () => Promise<Validated> {
  let work: (() => Promise<Steps>) | undefined;
  let running: Promise<Steps> | undefined;
  return async () => {
    // Two at once do no harm, but the second would only work for nothing.
    if (running) return "busy";
    work ??= joined(env, options);
    running = work();
    try {
      return await running;
    } finally {
      running = undefined;
    }
  };
}

function joined(env: Readonly<Record<string, string | undefined>>, options: FunctionOptions): () => Promise<Steps> {
  const config = readConfig(env);
  const cloud = createCloud(config, { env, ...options });
  const log =
    options.log ?? createLogger({ level: config.HEARTHLINE_LOG_LEVEL, fields: { function: "validate-migration" } });
  const stepper = createMigrationStepper(cloud, log);
  return async () => {
    const startedMs = cloud.clock.monotonicMs();
    const steps = await stepper.stepAll(BUDGET_MS);
    // Most of the time there is none: nothing to say every few minutes.
    if (steps.homes > 0)
      log.info("migrations stepped", { ...steps, durationMs: Math.round(cloud.clock.monotonicMs() - startedMs) });
    return steps;
  };
}
