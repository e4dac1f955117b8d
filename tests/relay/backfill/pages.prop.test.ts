import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchesOf, historyPages, type Wanted } from "../../../lib/relay/backfill/pages.ts";
import type { HistoryQuery, HistoryRow } from "../../../lib/relay/ports.ts";

const HOUR_US = 3_600_000_000;
const row = (atUs: number): HistoryRow => ({ state: "1", attributes: {}, lastChangedUs: atUs, lastUpdatedUs: atUs });

/** A recorder that answers as the port says, and remembers how much it was asked for. */
function recorder(rows: ReadonlyMap<string, readonly number[]>) {
  const answers: number[] = [];
  const ask = async ({ entityIds, fromUs, toUs }: HistoryQuery) => {
    const found = entityIds.map(
      (id) => [id, (rows.get(id) ?? []).filter((at) => at >= fromUs && at < toUs).map(row)] as const,
    );
    answers.push(found.reduce((sum, [, of]) => sum + of.length, 0));
    return new Map(found.filter(([, of]) => of.length > 0));
  };
  return { ask, answers };
}

async function all(ask: ReturnType<typeof recorder>["ask"], wanted: readonly Wanted[]): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  for (const batch of batchesOf(wanted))
    for await (const page of historyPages(ask, batch))
      for (const [id, rows] of page)
        found.set(id, [...(found.get(id) ?? []), ...rows.map(({ lastUpdatedUs }) => lastUpdatedUs)]);
  return found;
}

describe("pages of history", () => {
  it("hold of each entity every row of its own window, once, ascending", async () => {
    const moment = fc.integer({ min: 0, max: 400 * HOUR_US });
    const entities = fc.array(
      fc.record({ from: moment, length: moment, rows: fc.uniqueArray(moment, { maxLength: 30 }) }),
      { maxLength: 120 },
    );
    await fc.assert(
      fc.asyncProperty(entities, async (made) => {
        const wanted = made.map(({ from, length }, at) => ({
          entityId: `s.${at}`,
          fromUs: from,
          untilUs: from + length,
        }));
        const rows = new Map(made.map((one, at) => [`s.${at}`, one.rows.toSorted((a, b) => a - b)]));
        const found = await all(recorder(rows).ask, wanted);
        for (const { entityId, fromUs, untilUs } of wanted) {
          const expected = (rows.get(entityId) ?? []).filter((at) => at >= fromUs && at < untilUs);
          expect(found.get(entityId) ?? []).toEqual(expected);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("ask for less where much happened, so that answers stay small, and for more where little did", async () => {
    const busy = Array.from({ length: 200_000 }, (_, at) => 10 * HOUR_US + at * 100_000);
    const { ask, answers } = recorder(new Map([["s.busy", busy]]));
    const found = await all(ask, [{ entityId: "s.busy", fromUs: 0, untilUs: 2_000 * HOUR_US }]);
    expect(found.get("s.busy")).toHaveLength(200_000);
    expect(Math.max(...answers.slice(3))).toBeLessThan(40_000);
    expect(answers.length).toBeLessThan(120);
  });
});
