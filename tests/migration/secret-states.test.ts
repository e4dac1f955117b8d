import { describe, expect, it } from "vitest";
import { SECRET_STATE } from "../../lib/event/index.ts";
import { lackingIn } from "../../lib/migration/checks/lacking.ts";
import { compareAnswers } from "../../lib/migration/compare-apis/answers.ts";
import { classify } from "../../lib/migration/consistency/classify.ts";
import { compare } from "../../lib/migration/consistency/compare.ts";
import { TILE_US } from "../../lib/migration/consistency/kept-tiles.ts";
import { areEqual } from "../../lib/migration/reads/compare.ts";
import { buildEvent, SOME_TIME_US } from "../support/events.ts";
import { INFLUX_LIMITS, rowOf, sidesOf } from "./consistency/support.ts";

const PASSWORD = "Tr0ub4dor";
const entityId = "text.door_code";
const inNew = buildEvent({ entityId, state: SECRET_STATE, atUs: SOME_TIME_US });
const inOld = { ...inNew, state: PASSWORD };
const other = buildEvent({ entityId: "sensor.other", state: "1", atUs: SOME_TIME_US + 1 });
const span = { fromUs: SOME_TIME_US, toUs: SOME_TIME_US + 10 };

describe("A password that stayed in the home", () => {
  it("is a known limit when rows are compared, and nobody is shown it", async () => {
    const sides = sidesOf({ old: [inOld, other].map(rowOf), new: [inNew, other] }, INFLUX_LIMITS);
    const { counts, findings, limits } = await compare(sides, span, { tileUs: TILE_US, examplesMax: 10 });
    expect(findings).toEqual([]);
    expect(counts).toMatchObject({ secret: 1, different: 0, "missing-in-new": 0, "missing-in-old": 0 });
    const told = limits.map((one) => classify(one, { limits: INFLUX_LIMITS, account: { spans: [] }, foundUs: 1 }));
    expect(told).toMatchObject([{ class: "known-limit", entityId, new: SECRET_STATE }]);
    expect(JSON.stringify(told)).not.toContain(PASSWORD);
  });

  it("is still missed where the whole row is, on either side", async () => {
    for (const rows of [
      { old: [rowOf(inOld)], new: [], lacks: "missing-in-new" },
      { old: [], new: [inNew], lacks: "missing-in-old" },
    ]) {
      const { counts } = await compare(sidesOf(rows, INFLUX_LIMITS), span, { tileUs: TILE_US, examplesMax: 10 });
      expect(counts).toMatchObject({ secret: 0, [rows.lacks]: 1 });
    }
  });

  it("is a known difference of two answers, and the same answer to a reader", () => {
    const query = { homeId: inNew.homeId, order: "asc", limit: 10 } as const;
    const [old, fresh] = [
      [inOld, other],
      [inNew, other],
    ];
    const answers = { old: { events: old, isWhole: true }, new: { events: fresh, isWhole: true } };
    expect(compareAnswers(query, answers, INFLUX_LIMITS)).toMatchObject({ different: [], known: { secrets: 1 } });
    const options = { limits: INFLUX_LIMITS, settledUs: span.toUs };
    expect(areEqual(query, { old: { events: old }, new: { events: fresh } }, options)).toBe(true);
    const changed = [inNew, { ...other, state: "2" }];
    expect(areEqual(query, { old: { events: old }, new: { events: changed } }, options)).toBe(false);
  });

  it("is not written over in OLD after a rollback, by what stands in its place", async () => {
    const pieces = (rows: readonly object[]) =>
      async function* () {
        yield rows as never;
      };
    const sides = {
      store: { scan: pieces([inNew, other]) },
      old: { scan: pieces([rowOf(inOld)]), limits: INFLUX_LIMITS },
    };
    const { byOld, byNew } = await lackingIn({ homeId: inNew.homeId, ...span }, sides);
    expect(byOld).toEqual([other]);
    expect(byNew.count).toBe(0);
  });
});
