import { describe, expect, it } from "vitest";
import type { HealthFacts } from "../../lib/relay/health-shape.ts";
import { healthySink, relayHealth, secondsAgo } from "../support/relay-health.ts";

const GIB = 1_073_741_824;
const spool = (over: Partial<HealthFacts["spool"]>): Pick<HealthFacts, "spool"> => ({
  spool: { bytes: 0, records: 0, oldest_seconds: 0, max_bytes: GIB, ...over },
});
const away = (seconds: number): Partial<HealthFacts> => ({
  connected: false,
  since: secondsAgo(seconds),
  last_error: "connect ECONNREFUSED 127.0.0.1:8123",
});

describe("a relay's health is judged", () => {
  it("ok when everything is as it should be", () => {
    expect(relayHealth()).toMatchObject({ status: "ok", reasons: [] });
  });

  it.each([
    ["Home Assistant away for a restart", away(30), "degraded", "home_assistant_away"],
    ["Home Assistant away for long", away(120), "down", "home_assistant_away"],
    ["a refused token, at once", { ...away(1), refused: true }, "down", "home_assistant_refuses"],
    ["Home Assistant that starts", { ha_state: "STARTING" }, "degraded", "home_assistant_starting"],
    ["a spool that cannot be written", spool({ last_error: "ENOSPC" }), "down", "spool_failed"],
    ["a spool that fills", spool({ bytes: GIB * 0.8 }), "degraded", "spool_filling"],
    ["a disk that is nearly full", spool({ disk_free_bytes: 100_000_000 }), "degraded", "disk_low"],
    ["an open breaker", { sinks: [healthySink({ breaker: "open", lag_records: 1 })] }, "degraded", "sink_behind"],
    [
      "a sink that takes nothing for minutes",
      { sinks: [healthySink({ lag_records: 5, lag_seconds: 300, last_error: "500" })] },
      "degraded",
      "sink_behind",
    ],
    ["events lost an hour ago", { losses: 3, lost_at: secondsAgo(3_600) }, "degraded", "events_lost"],
    ["a clock that is off", { clock_offsets_ms: { aws: -90_000 } }, "degraded", "clock_off"],
  ] as const satisfies readonly (readonly [string, Partial<HealthFacts>, string, string])[])(
    "%s",
    (_what, over, status, code) => {
      const health = relayHealth(over);
      expect([health.status, health.reasons.map((reason) => reason.code)]).toEqual([status, [code]]);
      for (const { text, advice } of health.reasons) {
        expect(text).toMatch(/^["A-Z0-9].*[.!?]$/);
        expect(advice).toMatch(/^[A-Z].*[.!?]$/);
      }
    },
  );

  it.each([
    ["a sink that collects for its flush", { sinks: [healthySink({ lag_records: 900, lag_seconds: 899 })] }],
    [
      "an error whose message was taken since",
      { sinks: [healthySink({ last_error: "500", lag_seconds: 10, lag_records: 3 })] },
    ],
    ["losses of an earlier life", { losses: 90 }],
    ["a loss of two days ago", { losses: 90, lost_at: secondsAgo(172_800) }],
    ["a spool without a known bound", { spool: { bytes: GIB * 100, records: 0, oldest_seconds: 0 } }],
  ] as const satisfies readonly (readonly [string, Partial<HealthFacts>])[])(
    "%s is nothing to call for",
    (_what, over) => {
      expect(relayHealth(over).status).toBe("ok");
    },
  );

  it("says the worst first, and everything", () => {
    const health = relayHealth({
      ...away(600),
      sinks: [healthySink({ breaker: "open" })],
      ...spool({ last_error: "EIO" }),
    });
    expect(health.status).toBe("down");
    expect(health.reasons.map(({ severity }) => severity)).toEqual(["down", "down", "degraded"]);
  });
});
