import { describe, expect, it } from "vitest";
import { eventOfRow } from "../../lib/adapters/legacy/old-row.ts";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import { parseIsoUs } from "../../lib/base/time.ts";
import type { EventRecord } from "../../lib/event/index.ts";
import type { PastRow } from "../../lib/history/index.ts";
import { placedPast } from "../../lib/migration/checks/placed-past.ts";
import { createRepair } from "../../lib/migration/consistency/repair.ts";
import type { PlanInput } from "../../lib/migration/plan.ts";
import type { Difference } from "../../lib/migration/ports.ts";
import { buildEvent } from "../support/events.ts";
import { KeepingSink, listSource, second } from "../support/imports.ts";
import { START_US } from "../support/migrations.ts";
import { backfillOf, stepOf } from "./backfill-support.ts";
import { fakeOld, NO_LIMITS } from "./consistency/support.ts";

const CUT: Partial<PlanInput> = {
  old: { kind: "influxdb", url: "http://old.test:8086", precision: "ms" },
  settleSeconds: 60,
};
const LIMITS = { ...NO_LIMITS, precisionUs: 1_000 };

const rows: PastRow[] = ["1", "2", "1", "3"].map((state, n) => ({
  ...{ entityId: "sensor.a", state, attributes: {} },
  atUs: second(n),
}));
const live = (n: number, state: string) =>
  buildEvent({ homeId: "home", entityId: "sensor.a", atUs: second(n) + 456, lastChangedUs: second(n) + 456, state });

describe("the back-fill from an OLD with cut time stamps", () => {
  it("waits until NEW has what its relay heard before, so that it is known for the same", async () => {
    const sink = new KeepingSink();
    let heardUs: number | undefined = START_US - 1;
    const check = backfillOf({ sink, source: () => listSource(rows), settledUs: async () => heardUs });
    const stepAt = (seconds: number) => stepOf(check, undefined, undefined, { plan: CUT, afterUs: seconds * 1e6 });
    const early = await stepAt(59);
    expect(early.result).toMatchObject({
      verdict: "inconclusive",
      explanation: expect.stringContaining("once NEW has"),
    });
    const behind = await stepAt(61);
    expect(behind.result?.explanation).toContain("its relay has sent what it heard up to");
    expect(sink.records).toEqual([]);
    heardUs = START_US;
    expect((await stepAt(61)).result).toMatchObject({ verdict: "pass", sampleSize: 4 });
    // Of microseconds nothing is waited for.
    heardUs = 0;
    const plain = backfillOf({ sink, source: () => listSource(rows), settledUs: async () => heardUs });
    expect((await stepOf(plain, undefined)).result).toMatchObject({ verdict: "pass" });
  });

  it("sends each row at the moment at which NEW has it, with the kind that it has in OLD's order", async () => {
    const store = createMemoryEventStore();
    await store.write([live(1, "2"), live(2, "1")]);
    const sink = new KeepingSink();
    const source = () => placedPast(listSource(rows), LIMITS, (span) => store.scan({ homeId: "home", ...span }));
    await stepOf(backfillOf({ sink, source }), undefined);
    const sent = sink.records.filter((record) => record.t === "state") as Extract<EventRecord, { t: "state" }>[];
    expect(sent.map(({ last_updated }) => parseIsoUs(last_updated) - START_OF_ROWS)).toEqual([
      0, 1_000_456, 2_000_456, 3_000_000,
    ]);
    // The third is a change, because the second lies between: it was not left out.
    expect(sent.slice(1).map(({ kind }) => kind)).toEqual(["change", "change", "change"]);
  });
});
const START_OF_ROWS = second(0);

describe("the repair from an OLD with cut time stamps", () => {
  it("gives NEW the row that it lacks beside the one that it has at that stamp", async () => {
    const events = createMemoryEventStore();
    const atUs = second(0);
    const there = eventOfRow({ entityId: "sensor.a", atUs, state: "1" }, "home");
    await events.write([there]);
    const limits = { ...LIMITS, keepsAllOfOneStamp: true };
    const old = {
      ...fakeOld([
        { entityId: "sensor.a", atUs, state: "1", attributes: {} },
        { entityId: "sensor.a", atUs, state: "2", attributes: {} },
      ]),
      limits,
    };
    const repair = createRepair({
      ...{ homeId: "home", old, events, limits, sources: [], eventOfRow },
      giveToNew: async (all) => void (await events.write([...all])),
    });
    const difference: Difference = {
      class: "missing-in-new",
      entityId: "sensor.a",
      atUs,
      old: "2",
      foundUs: 1,
      explanation: "",
    };
    const plan = await repair.plan([difference]);
    expect(plan.actions.map(({ event }) => [event.atUs, event.state])).toEqual([[atUs + 1, "2"]]);
    expect((await repair.apply(plan)).repaired).toHaveLength(1);
  });
});
