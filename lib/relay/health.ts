import type { HealthFacts, RelayHealth } from "./health-shape.ts";
import type { Intake } from "./intake.ts";
import { judge } from "./judge.ts";
import { type Monitor, secondsSince } from "./monitor.ts";
import type { OutboxState } from "./outbox/runner.ts";
import type { Spool } from "./ports.ts";
import type { SinkState } from "./ship.ts";

/** What the process and its disk say of themselves. */
export interface Machine {
  /** Resident memory. */
  rssBytes(): number;
  /** The longest time that the event loop was held up, over the last minute or so. */
  loopLagMs(): number;
  /** What is free where the spool lies; undefined: not known. */
  diskFreeBytes(): number | undefined;
}

export interface HealthParts {
  readonly homeId: string;
  readonly nowMs: number;
  readonly monitor: Monitor;
  readonly spool: Spool;
  readonly intake: Intake;
  readonly sinks: readonly SinkState[];
  readonly machine?: Machine;
  /** The spool's bound, as it was set. */
  readonly spoolMaxBytes?: number;
  readonly outbox?: OutboxState;
}

const isoOf = (ms: number): string => new Date(ms).toISOString();
/** Long enough that a busy home's figure does not flicker. */
const RATE_NOW_SECONDS = 5;

/** Everything as it is now, judged. */
export function healthOf(parts: HealthParts): RelayHealth {
  const facts = factsOf(parts);
  return { ...judge(facts, parts.nowMs), ...facts };
}

function factsOf({
  homeId,
  nowMs,
  monitor,
  spool,
  intake,
  sinks,
  machine,
  spoolMaxBytes,
  outbox,
}: HealthParts): HealthFacts {
  const { connected, sinceMs, haVersion, haState, lastError, isRefused } = monitor.connection;
  const state = spool.state();
  const memory = intake.state();
  const diskFreeBytes = machine?.diskFreeBytes();
  monitor.noteLosses(state.losses);
  return {
    home_id: homeId,
    relay_id: state.relayId,
    at: isoOf(nowMs),
    started_at: isoOf(monitor.startedAtMs),
    connected,
    since: isoOf(sinceMs),
    ...(haVersion && { ha_version: haVersion }),
    ...(haState && { ha_state: haState }),
    ...(lastError && { last_error: lastError }),
    ...(isRefused && { refused: true as const }),
    spool: {
      bytes: state.bytes,
      records: state.records,
      oldest_seconds: secondsSince(state.oldestAtMs, nowMs),
      ...(spoolMaxBytes !== undefined && { max_bytes: spoolMaxBytes }),
      ...(diskFreeBytes !== undefined && { disk_free_bytes: diskFreeBytes }),
      ...(memory.lastError && { last_error: memory.lastError }),
    },
    memory: { records: memory.records, bytes: memory.bytes },
    sinks: sinks.map((sink) => sinkOf(sink, nowMs)),
    gaps: monitor.gaps,
    last_sequence: state.lastSequence,
    admitted: monitor.admitted,
    filtered: monitor.filtered,
    repeated: monitor.repeated,
    rejected: monitor.rejected,
    ...monitor.secrets,
    excluded_attributes: monitor.attributes.excluded,
    losses: state.losses,
    ...(monitor.lostAtMs !== undefined && { lost_at: isoOf(monitor.lostAtMs) }),
    rate: monitor.ratePerSecond(),
    rate_now: monitor.ratePerSecond(RATE_NOW_SECONDS),
    ...(machine && { process: { rss_bytes: machine.rssBytes(), loop_lag_ms: machine.loopLagMs() } }),
    ...(outbox && { outbox }),
    clock_offsets_ms: monitor.offsets,
  };
}

function sinkOf(
  {
    name,
    cursor,
    lagRecords,
    breaker,
    messages,
    lost,
    lastError,
    failingSinceMs,
    oldestAtMs,
    takenAtMs,
    isOff,
  }: SinkState,
  nowMs: number,
): RelayHealth["sinks"][number] {
  return {
    name,
    cursor,
    lag_records: lagRecords,
    lag_seconds: lagRecords === 0 ? 0 : secondsSince(oldestAtMs, nowMs),
    breaker,
    messages,
    lost,
    ...(takenAtMs !== undefined && { taken_at: isoOf(takenAtMs) }),
    ...(lastError && { last_error: lastError }),
    ...(failingSinceMs !== undefined && { failing_since: isoOf(failingSinceMs) }),
    ...(isOff && { off: true as const }),
  };
}
