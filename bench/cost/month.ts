import { idlePolls, MONTH_SECONDS } from "./lambda.ts";
import { dollarsAboveFree, dollarsOf } from "./prices.ts";
import type { Night, Run } from "./run-types.ts";
import type { StoreName } from "./setting.ts";
import { onTheLine, scaled, sumOf, type Usage } from "./usage.ts";

const DAYS = 30;
/** `dispatch` is called so often (serverless.yml). */
const TICK_SECONDS = 900;
const TICKS = MONTH_SECONDS / TICK_SECONDS;
const GIB = 2 ** 30;
/** Raw events are kept so long, and the day that is not closed yet (lib/wiring/config.ts). */
const RAW_DAYS = 7.5;
/** Segments lie from their writing until the night after their day. */
const HOT_DAYS = 0.6;
const LOG_MONTHS = 1;
/** lib/adapters/timestream/event-store.ts: DEFAULT_MEMORY_HOURS. */
const MEMORY_HOURS = 6;
/** Daily aggregates are kept so long; what a night writes is about what it keeps. */
const DAILY_DAYS = 90;
const KIB_A_GIB = 2 ** 20;

/** What there is once for all homes of a deployment, whatever comes: a month. */
export interface Deployment {
  readonly metrics: number;
  readonly alarms: number;
}

/** A month of one home in one store, by who uses it; `fixed` is its share of what there is once. */
export type Month = ReadonlyMap<string, Usage>;

export interface MonthOptions {
  readonly run: Run;
  /** Nights of the same home at two flush times: what they read and remove grows with the segments of a day, on a straight line. */
  readonly nights: readonly [Night, Night];
  readonly deployment: Deployment;
}

export function monthOf(store: StoreName, { run, nights, deployment }: MonthOptions): Month {
  const { parts, options, messagesADay } = run;
  const [one, other] = nights;
  const atNight = (of: (night: Night) => Usage): Usage =>
    onTheLine(messagesADay, [one.segments, of(one)], [other.segments, of(other)]);
  const daily = new Map<string, Usage>();
  for (const [part, used] of parts) {
    if (!part.startsWith("store ")) daily.set(part, used);
    else if (part === `store ${store}`) daily.set("store", used);
  }
  daily.set(
    "analyze",
    atNight(({ analyze }) => analyze[store]),
  );
  const month = new Map([...daily].map(([part, used]) => [part, withLogs(scaled(used, DAYS))]));
  const ticks = options.fleet > 1 ? ofTheHome(run.idleDispatch) : run.idleDispatch;
  month.set("dispatch", sumOf([scaled(ticks, TICKS), scaled(ofTheHome(one.dispatch), DAYS)]));
  month.set("at rest", atRest(store, run, one));
  month.set("fixed", scaled(fixedOf(run, deployment), 1 / options.fleet));
  return month;
}

/** Logs are kept for 30 days (serverless.yml). */
const withLogs = (used: Usage): Usage => ({ ...used, log_gb_months: (used.log_gb ?? 0) * LOG_MONTHS });

/** What a call costs whatever the number of homes is shared by all of them, and next to nothing. */
const ofTheHome = ({ dynamodb_read_units = 0, dynamodb_write_units = 0, sqs_requests = 0 }: Usage): Usage => ({
  dynamodb_read_units,
  dynamodb_write_units,
  sqs_requests,
});

function atRest(store: StoreName, run: Run, night: Night): Usage {
  // Of this store the night's job only reads, so what it writes are aggregates.
  const layers = ((night.analyze.timestream.dynamodb_write_units ?? 0) / KIB_A_GIB) * DAILY_DAYS;
  const day = run.timestreamBytesADay / GIB;
  if (store === "timestream")
    return {
      dynamodb_gb_months: layers,
      timestream_memory_gb_hours: ((day * MEMORY_HOURS) / 24) * (MONTH_SECONDS / 3600),
      timestream_magnetic_gb_months: day * RAW_DAYS,
    };
  const [closed, hot] = [(night.dayBytes * RAW_DAYS) / GIB, (run.hotBytesADay * HOT_DAYS) / GIB];
  return store === "parquet-table"
    ? { s3_gb_months: closed, dynamodb_gb_months: layers + hot }
    : { s3_gb_months: closed + hot, dynamodb_gb_months: layers };
}

/** Readers that find nothing, the schedule, metrics and alarms: of one deployment. */
function fixedOf({ options }: Run, { metrics, alarms }: Deployment): Usage {
  const aSecond = options.fleet / options.flushSeconds;
  // The analysis queue is idle nearly always.
  const polls = 3 * idlePolls(aSecond) + idlePolls(0);
  return {
    sqs_requests: polls,
    scheduler_invocations: TICKS,
    custom_metric_months: metrics,
    alarm_months: alarms,
  };
}

/** A month in a store that is a server with a price of its own: everything but what Timestream asks, whose requests are as many. */
export const beforeServer = (month: Month): Month =>
  new Map(
    [...month].map(([part, used]) => [
      part,
      Object.fromEntries(Object.entries(used).filter(([item]) => !item.startsWith("timestream_"))),
    ]),
  );

const SHARED = "fixed";

export interface Dollars {
  /** Without what there is once a deployment. */
  readonly own: number;
  readonly fixed: number;
  /** What the bill says where this is all that the account has. */
  readonly aboveFree: number;
}

export function dollarsOfMonth(month: Month): Dollars {
  const fixed = dollarsOf(month.get(SHARED) ?? {});
  const all = sumOf(month.values());
  return { own: dollarsOf(all) - fixed, fixed, aboveFree: dollarsAboveFree(all) };
}
