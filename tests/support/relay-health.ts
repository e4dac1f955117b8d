import type { HealthFacts, RelayHealth } from "../../lib/relay/health-shape.ts";
import { judge } from "../../lib/relay/judge.ts";

export const HEALTH_NOW_MS = Date.parse("2026-11-22T06:00:00Z");
export const secondsAgo = (seconds: number, nowMs = HEALTH_NOW_MS): string =>
  new Date(nowMs - seconds * 1000).toISOString();

type Sink = RelayHealth["sinks"][number];
export const healthySink = (over: Partial<Sink> = {}): Sink => ({
  name: "cloud",
  cursor: 120_450,
  lag_records: 0,
  lag_seconds: 0,
  breaker: "closed",
  messages: 812,
  lost: 0,
  taken_at: secondsAgo(4),
  ...over,
});

/** A relay that is well, but for what a test says. */
export function relayHealth(over: Partial<HealthFacts> = {}, nowMs = HEALTH_NOW_MS): RelayHealth {
  const facts: HealthFacts = {
    home_id: "home",
    relay_id: "0a1b2c3d-0000-4000-8000-000000000001",
    at: new Date(nowMs).toISOString(),
    started_at: secondsAgo(300_000, nowMs),
    connected: true,
    since: secondsAgo(90_000, nowMs),
    ha_version: "2026.11.0",
    ha_state: "RUNNING",
    spool: { bytes: 400_000, records: 0, oldest_seconds: 0, max_bytes: 1_073_741_824, disk_free_bytes: 21_474_836_480 },
    memory: { records: 0, bytes: 0 },
    sinks: [healthySink({ taken_at: secondsAgo(4, nowMs) })],
    gaps: { count: 0, recovered: 0 },
    last_sequence: 120_450,
    admitted: 118_021,
    filtered: 4_022,
    repeated: 12,
    rejected: 0,
    stripped: 310,
    redacted: 2,
    excluded_attributes: 0,
    losses: 0,
    rate: 3.217,
    rate_now: 4.4,
    process: { rss_bytes: 71_303_168, loop_lag_ms: 12 },
    clock_offsets_ms: { aws: 120 },
    ...over,
  };
  return { ...judge(facts, nowMs), ...facts };
}
