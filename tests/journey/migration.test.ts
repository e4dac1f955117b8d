import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatIsoUs } from "../../lib/base/time.ts";
import { hearthline, keptEvents, sentEvents, sentUntil, subscribedSince } from "../support/embedded.ts";
import { isOfHome, legacyOf, pastRows, startReader } from "../support/migration-way.ts";
import { newDataFolder, type RunningStack, removeData, startStack, until } from "../support/stack.ts";

/**
 * Once a second a step, and stages of a second: what takes a week takes half a minute. Limits are what held on two cores with twenty processes waiting; a process that has just begun
 * grows by hundreds of percent an hour, so that of memory says little here: what it means is proved by the statistics' own tests.
 */
const HURRIED = {
  stages: [25, 100],
  ...{ soak_seconds: 1, stabilise_seconds: 1, quiet_seconds: 1, settle_seconds: 3, recheck_seconds: 1 },
  ...{ probes_per_step: 100, shadow_percent: 20, gates: ["cleanup"] },
  thresholds: {
    alert_percent: 25,
    rollback_percent: 50,
    floor_ms: 50,
    error_percent: 1,
    leak_percent_per_hour: 10_000,
  },
};
/** Later than anything here. */
const FAR = "2100-01-01T00:00:00+00:00";
const PAST_ROWS = 300;
/** What a read may be behind what has happened: a relay's flush, two queues, the change of authority; on a machine that has much to do. */
const LAG_MS = 15_000;

interface Migration {
  readonly state: string;
  readonly stage_percent: number;
  readonly situation: string;
}

describe("a home moves from its old pipeline while both run", { timeout: 360_000 }, () => {
  const dataFolder = newDataFolder();
  let stack: RunningStack;
  let old: ReturnType<typeof legacyOf>;
  let since = "";
  const command = async (...args: string[]) => {
    const { code, out, json } = await hearthline(dataFolder, "migrate", ...args);
    expect([code, out]).toEqual([0, expect.any(String)]);
    return json;
  };
  const begun = Date.now() * 1000;
  const past = pastRows(PAST_ROWS, begun - 3_600_000_000);

  beforeAll(async () => {
    stack = await startStack({
      dataFolder,
      args: ["--old", "legacy", "--rate", "10"],
      env: { HEARTHLINE_MIGRATION_SECONDS: "1", HEARTHLINE_OUTBOX_SECONDS: "1", HEARTHLINE_RELAY_STATUS_SECONDS: "1" },
    });
    old = legacyOf(stack);
    since = await subscribedSince(stack);
    // Who reads is told something from the first on.
    await until(
      async () => [await keptEvents(stack, since, FAR), await old.events(since, FAR)],
      (sides) => sides.every((events) => events.length > 0),
    );
    await old.post("/api/v1/events", past);
    await old.put("/api/devices", [{ id: "boiler", name: "Boiler", manufacturer: "Acme", model: "B1" }]);
  }, 90_000);
  afterAll(async () => {
    await stack.stop();
    removeData(dataFolder);
  });

  it("goes the whole way to complete: nothing is lost on either side, and every read is answered", async () => {
    const plan = {
      old: { kind: "http", url: old.url, fed_by: "relay", devices: `${old.url}/api/devices` },
      ...HURRIED,
    };
    const file = join(dataFolder, "plan.json");
    writeFileSync(file, JSON.stringify(plan));
    const made = await command("plan", "--plan", file);
    expect(made.explanation.join(" ")).toContain("hearthline migrate advance");
    expect((await hearthline(dataFolder, "migrate", "start")).code).toBe(0);

    const reader = startReader(stack, { lagMs: LAG_MS });
    const seen: string[] = [];
    const migration = async () => {
      const now = await stack.get<Migration>(`/api/v1/migrations/${made.id}`);
      const place = `${now.state} ${now.stage_percent}`;
      if (seen.at(-1) !== place) seen.push(place);
      return now;
    };
    const waits = ({ situation }: Migration) => situation.includes("opened by hand (advance)");
    const stopped = ({ state }: Migration) => ["complete", "rolled_back"].includes(state);
    // Half a minute on a machine of its own; with as much beside it as this one may have, several.
    const gate = await until(migration, (now) => waits(now) || stopped(now), { deadlineMs: 240_000, everyMs: 100 });
    expect(gate).toMatchObject({ state: "rampdown" });
    await command("advance");
    const end = await until(migration, stopped, { deadlineMs: 90_000, everyMs: 100 });
    expect(end).toMatchObject({ state: "complete" });
    const readings = await reader.end();

    expect(seen).toEqual([
      ...["prepared 0", "dual_write 0", "backfill 0", "shadow 0", "ramp 25", "ramp 100"],
      ...["stabilise 100", "final_validation 100", "rampdown 100", "cleanup 100", "complete 100"],
    ]);
    expect(readings).toMatchObject({ failures: [], vanished: [] });
    expect(readings.stalestMs).toBeLessThan(LAG_MS);
    expect(Object.keys(readings.by)).toEqual(expect.arrayContaining(["old", "new"]));
  });

  it("has every event of the home on both sides, event for event, until dual write was stopped, and OLD's whole past in NEW", async () => {
    const { history } = await command("report");
    const cleanup = history.find(({ to }: { to: string }) => to === "cleanup").at as string;
    const last = sentUntil(dataFolder);
    const look = async (to: string) => ({
      kept: (await keptEvents(stack, since, to)).filter(isOfHome),
      sent: sentEvents(dataFolder, since, to),
    });
    await until(
      () => look(last),
      ({ kept, sent }) => kept.join("\n") === sent.join("\n"),
      { deadlineMs: 120_000, everyMs: 300 },
    ).catch(() => {});
    const { kept, sent } = await look(last);
    expect(kept).toEqual(sent);
    expect(sent.length).toBeGreaterThan(100);
    expect(await old.events(since, cleanup)).toEqual(sentEvents(dataFolder, since, cleanup));
    const [first, end] = [past[0]?.last_updated ?? "", formatIsoUs(begun)];
    const brought = await keptEvents(stack, first, end);
    expect(brought).toEqual(await old.events(first, end));
    expect(brought).toHaveLength(PAST_ROWS);
  });

  it("has a report that says so, and is as it was made", async () => {
    const report = await command("report");
    expect(report).toMatchObject({
      state: "complete",
      figures: { downtime_seconds: 0, lost_events: 0, read_errors: 0, error_percent: 0, consistent_percent: 100 },
      differences: { missing_in_new: 0, missing_in_old: 0, different: 0 },
    });
    expect(report.figures.rows_compared).toBeGreaterThan(PAST_ROWS);
    expect(report.figures.reads).toBeGreaterThan(100);
    const file = join(dataFolder, "report.json");
    writeFileSync(file, JSON.stringify(report));
    expect((await hearthline(dataFolder, "migrate", "report", "--check", file)).code).toBe(0);
    writeFileSync(file, JSON.stringify({ ...report, verdict: "fail" }));
    expect((await hearthline(dataFolder, "migrate", "report", "--check", file)).code).toBe(1);
  });
});
