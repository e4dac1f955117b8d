import { createAwsClient } from "../adapters/aws/client.ts";
import { sharedCredentials } from "../adapters/aws/credentials.ts";
import { createHttpSink } from "../adapters/legacy/http-sink.ts";
import { createInfluxSink } from "../adapters/legacy/influx-sink.ts";
import { createSqsSink } from "../adapters/sqs/sink.ts";
import type { Clock } from "../base/clock.ts";
import { HearthlineError, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { CLOUD_SINK, type HomeKey, type OutboxSink } from "../event/index.ts";
import { PRECISION_US } from "../migration/precision.ts";
import { createEnvelopePacker, flushPolicy } from "../relay/index.ts";
import type { RelaySink, SinkTunings } from "../relay/ports.ts";
import { credentialsFor } from "./aws.ts";
import type { Config } from "./config.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** The spool's cursor carries it, so it must never change. */
const OLD_SINK = "old";

/** The old pipeline wants events as they come, as Home Assistant's own exporters send them; nobody bills its messages. */
const OLD_FLUSH_MS = 1_000;

/** Which sinks a configuration has: the spool keeps a cursor for each. */
export const sinkNames = (config: Config): readonly string[] =>
  config.HEARTHLINE_OLD_SINK === "none" ? [CLOUD_SINK] : [CLOUD_SINK, OLD_SINK];

export interface SinkParts {
  readonly env: Env;
  readonly relayId: string;
  readonly key: HomeKey;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The sinks of a configuration; nothing is connected before the first message. */
export function createSinks(config: Config, parts: SinkParts): readonly RelaySink[] {
  const old = oldSink(config, parts.clock);
  return [cloudSink(config, parts), ...(old ? [old] : [])];
}

function cloudSink(config: Config, { env, relayId, key, clock, random, log }: SinkParts): RelaySink {
  const endpoint = endpointOf(config);
  const client = createAwsClient({
    service: "sqs",
    region: config.AWS_REGION,
    endpoint,
    credentials: credentialsFor(endpoint, env, sharedCredentials({ env, clock })),
    clock,
    random,
  });
  const { HEARTHLINE_FLUSH_SECONDS: flushSeconds, HEARTHLINE_MONTHLY_DOLLARS_MAX: dollarsMax } = config;
  const policy = flushPolicy({ flushSeconds, dollarsMax });
  const figures = {
    seconds: policy.intervalMs / 1000,
    dollars_a_month: Math.round(policy.dollarsAMonth * 1000) / 1000,
  };
  if (policy.isOverBudget) log.warn("Even the longest flush interval costs more than the budget.", figures);
  else if (policy.isByBudget) log.info("The budget makes the flush interval longer than the setting.", figures);
  return createSqsSink({
    name: CLOUD_SINK,
    client,
    queue: `${config.HEARTHLINE_QUEUE_PREFIX}-events`,
    packer: createEnvelopePacker({ homeId: config.HEARTHLINE_HOME_ID, relayId, key, clock }),
    flushMs: policy.intervalMs,
  });
}

/** What the control plane asks for never costs more than the owner has allowed. */
export function withinBudget(asked: OutboxSink, config: Config): OutboxSink {
  const { flush_seconds: flushSeconds } = asked;
  if (flushSeconds === undefined) return asked;
  const { intervalMs } = flushPolicy({ flushSeconds, dollarsMax: config.HEARTHLINE_MONTHLY_DOLLARS_MAX });
  return { ...asked, flush_seconds: intervalMs / 1000 };
}

/** Nor does what was kept of it when the budget has become smaller since. */
export const tuningsWithinBudget = (tunings: SinkTunings, config: Config): SinkTunings => ({
  save: (kept) => tunings.save(kept),
  async load() {
    const { flush, ...rest } = await tunings.load();
    if (!flush) return rest;
    const asked = { sink: CLOUD_SINK, state: "on" as const, flush_seconds: flush.ms / 1000 };
    const { flush_seconds: seconds = asked.flush_seconds } = withinBudget(asked, config);
    return { ...rest, flush: { ...flush, ms: seconds * 1000 } };
  },
});

function oldSink(config: Config, clock: Clock): RelaySink | undefined {
  const { HEARTHLINE_OLD_SINK: kind, HEARTHLINE_OLD_URL: url, HEARTHLINE_OLD_TOKEN: token } = config;
  if (kind === "none") return undefined;
  if (url === undefined) {
    throw new HearthlineError(
      "setting_invalid",
      `The settings cannot be used. HEARTHLINE_OLD_URL is not set; HEARTHLINE_OLD_SINK is "${kind}" and wants the address of the old pipeline.`,
    );
  }
  const precisionUs = PRECISION_US[config.HEARTHLINE_OLD_PRECISION];
  const shared = { name: OLD_SINK, url, clock, precisionUs, flushMs: OLD_FLUSH_MS, ...(token && { token }) };
  if (kind === "http") return createHttpSink(shared);
  const { HEARTHLINE_OLD_USER: user, HEARTHLINE_OLD_PASSWORD: password } = config;
  return createInfluxSink({
    ...shared,
    database: config.HEARTHLINE_OLD_DATABASE,
    ...(config.HEARTHLINE_OLD_MEASUREMENT && { defaultMeasurement: config.HEARTHLINE_OLD_MEASUREMENT }),
    ...(user && { user, password: password ?? "" }),
  });
}

const endpointOf = (config: Config): string | undefined => config.AWS_ENDPOINT_URL_SQS ?? config.AWS_ENDPOINT_URL;

/** Where the cloud's sink sends to: its clock is compared with ours. */
export const sqsAddress = (config: Config): string =>
  endpointOf(config) ?? `https://sqs.${config.AWS_REGION}.amazonaws.com`;

/**
 * Said at the start, before events pile up that nobody may send. An address of its own may want none.
 * @throws HearthlineError `setting_invalid`
 */
export function requireCredentials(config: Config, env: Env, clock: Clock): void {
  if (endpointOf(config) !== undefined) return;
  try {
    sharedCredentials({ env, clock })();
  } catch (thrown) {
    throw new HearthlineError(
      "setting_invalid",
      `The settings cannot be used. ${messageOf(thrown)} Wanted are credentials that may send to "${config.HEARTHLINE_QUEUE_PREFIX}-events".`,
      { cause: thrown },
    );
  }
}
