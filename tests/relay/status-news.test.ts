import { describe, expect, it } from "vitest";
import { isStatusNews, type NewStatus } from "../../lib/relay/status-news.ts";

const at = (minute: number): string => new Date(Date.UTC(2026, 10, 22, 6, minute)).toISOString();
const said: NewStatus = {
  ...{ t: "relay", at: at(0), connected: true, since: at(0), ha_state: "RUNNING", ha_version: "2026.11.0" },
  ...{ spool_bytes: 100, spool_records: 7, oldest_seconds: 31, rejected: 0, clock_offset_ms: 12, flush_seconds: 60 },
};

describe("a relay's status", () => {
  it("is said the first time, every five minutes, and when the clock was set back", () => {
    expect(isStatusNews(said, undefined)).toBe(true);
    expect([1, 2, 3, 4, 5, 6].map((minute) => isStatusNews({ ...said, at: at(minute) }, said))).toEqual([
      ...[false, false, false, false],
      ...[true, true],
    ]);
    expect(isStatusNews({ ...said, at: at(-1) }, said)).toBe(true);
  });

  it.each<[string, Partial<NewStatus>]>([
    ["the connection", { connected: false }],
    ["since when", { since: at(1) }],
    ["Home Assistant's state", { ha_state: "STOPPING" }],
    ["its version", { ha_version: "2026.11.1" }],
    ["rejected events", { rejected: 1 }],
    ["the flush interval", { flush_seconds: 300 }],
    ["an error", { last_error: "refused" }],
    ["a clock that is a second further off", { clock_offset_ms: 1_012 }],
    ["a record that waits for long", { oldest_seconds: 241 }],
  ])("is said when it has news of %s", (_what, news) => {
    expect(isStatusNews({ ...said, at: at(1), ...news }, said)).toBe(true);
  });

  it("is said each minute while there are two sinks, and when one of them was stopped", () => {
    const sink = (name: string, state: "on" | "off") =>
      ({ name, acknowledged: 7, lag_records: 0, lag_seconds: 0, lost: 0, breaker: "closed", state }) as const;
    const [both, one] = [
      [sink("cloud", "on"), sink("old", "on")],
      [sink("cloud", "on"), sink("old", "off")],
    ];
    expect(isStatusNews({ ...said, at: at(1), sinks: both }, { ...said, sinks: both })).toBe(true);
    expect(isStatusNews({ ...said, at: at(1), sinks: one }, { ...said, sinks: both })).toBe(true);
    expect(isStatusNews({ ...said, at: at(1), sinks: one }, { ...said, sinks: one })).toBe(false);
    expect(isStatusNews({ ...said, at: at(1), sinks: both.slice(0, 1) }, { ...said, sinks: both.slice(0, 1) })).toBe(
      false,
    );
  });

  it("is not said because of what always moves a little", () => {
    const moving = { spool_bytes: 9_000, spool_records: 90, oldest_seconds: 240, clock_offset_ms: -900 };
    expect(isStatusNews({ ...said, at: at(1), ...moving }, said)).toBe(false);
    const { last_error: _none, ...plain } = said;
    expect(isStatusNews({ ...plain, at: at(1) }, { ...said, last_error: "was away" })).toBe(true);
  });
});
