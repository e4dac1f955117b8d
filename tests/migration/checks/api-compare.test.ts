import { describe, expect, it } from "vitest";
import type { HomeEvent } from "../../../lib/event/index.ts";
import { type ApiCompareDeps, createApiCompare } from "../../../lib/migration/checks/api-compare.ts";
import { compareAnswers } from "../../../lib/migration/compare-apis/answers.ts";
import type { CheckResult, OldLimits, Plan } from "../../../lib/migration/ports.ts";
import { buildEvent, manyEvents, SOME_TIME_US } from "../../support/events.ts";
import { migrationOf } from "../../support/migrations.ts";
import { bothSides, WHOLE } from "./both-sides.ts";

const INFLUX: OldLimits = {
  ...WHOLE,
  statesLeftOut: ["unknown", "unavailable", ""],
  isNumberTextLost: true,
  isFiniteOnly: true,
  hasRemovals: false,
  attributes: "none",
  hasLastChanged: false,
  words: { "number-text": "12.50 is 12.5." },
};
const EVENTS = manyEvents(3_000, { entities: 12, stepUs: 20_000_000 });

type Sides = Awaited<ReturnType<typeof bothSides>>;

async function steps(
  sides: Sides,
  count: number,
  {
    seconds = 60,
    between = async (_step: number) => {},
    plan = {},
    deps = {},
  }: {
    seconds?: number;
    between?: (step: number) => Promise<void>;
    plan?: Partial<Plan>;
    deps?: Partial<ApiCompareDeps>;
  } = {},
): Promise<CheckResult[]> {
  const check = createApiCompare({ old: sides.old, events: sides.fresh, index: sides.index, ...deps });
  const { plan: usual } = migrationOf();
  const found: CheckResult[] = [];
  let memory: unknown;
  for (let step = 0; step < count; step++) {
    await between(step);
    const outcome = await check.run(
      sides.context(migrationOf({ state: "shadow", plan: { ...usual, ...plan } }), memory),
    );
    memory = outcome.memory ?? memory;
    found.push(...outcome.results);
    await sides.clock.advance(seconds * 1_000);
  }
  return found;
}

describe("The same requests to both sides", () => {
  it("pass when both say the same, with what was compared", async () => {
    const [result] = await steps(await bothSides(EVENTS), 1);
    expect(result).toMatchObject({ name: "api-compare", verdict: "pass", observed: 0, sampleSize: 25 });
    expect(result?.explanation).toMatch(/25 requests .* none differs/);
  });

  it("list what OLD cannot hold by its name, with how often and a sentence, and pass", async () => {
    const events = EVENTS.map((event, i) => ({ ...event, ...(i % 5 === 0 && { state: "unavailable" }), areaId: "a" }));
    const asOld = ({ areaId: _, ...event }: HomeEvent) =>
      event.state === "unavailable"
        ? undefined
        : {
            ...event,
            attributes: {},
            context: { id: "other" },
            state: /^\d/.test(event.state) ? `${event.state}0`.replace(/\.(\d)0$/, ".$10") : event.state,
          };
    const [result] = await steps(await bothSides(events, { asOld, limits: INFLUX }), 1);
    expect(result?.verdict).toBe("pass");
    for (const name of ["attributes", "contexts", "enrichment", "states-left-out", "number-text"])
      expect(result?.explanation).toMatch(new RegExp(`${name} [1-9]\\d* \\(`));
    expect(result?.explanation).toContain("12.50 is 12.5.");
  });

  it("differ: asked again after the time to recheck, then it fails with an example; repaired, it passes again", async () => {
    const sides = await bothSides(EVENTS, {
      asOld: (event) => (event.state === "on" ? { ...event, state: "off" } : event),
    });
    const between = async (step: number) => {
      if (step === 3) await sides.there.write(EVENTS.map((event) => ({ ...event, source: "live" as const })));
    };
    const found = await steps(sides, 5, { between });
    expect(found[0]).toMatchObject({ verdict: "inconclusive" });
    expect(found[1]).toMatchObject({ verdict: "fail", trigger: "inconsistency" });
    expect(found[1]?.explanation).toMatch(/state of (light|binary_sensor)\.part_\d+ at 2026.* OLD "off.* NEW "on/);
    expect(found[4]).toMatchObject({ verdict: "pass" });
  });

  describe("leave out what need not be on both sides", () => {
    const middleUs = EVENTS[1_500]?.atUs ?? 0;
    const verdicts = async (options: Parameters<typeof steps>[2], sides: Sides) =>
      (await steps(sides, 3, options)).map(({ verdict }) => verdict);

    it.each<[string, Parameters<typeof steps>[2]]>([
      ["the plan's beginning", { plan: { fromUs: middleUs } }],
      ["what NEW keeps", { deps: { keptFromUs: () => middleUs } }],
    ])("by %s", async (_by, options) => {
      const sides = await bothSides(EVENTS.slice(1_500));
      await sides.there.write(EVENTS);
      sides.old.describe = async () => ({ product: "Old 1", schema: "1", oldestUs: EVENTS[0]?.atUs ?? 0 });
      expect(await verdicts({}, sides)).toContain("fail");
      expect(await verdicts(options, sides)).toEqual(["pass", "pass", "pass"]);
    });

    it("because NEW has more than OLD ever had", async () => {
      const sides = await bothSides(EVENTS, { asOld: (event) => (event.atUs < middleUs ? undefined : event) });
      sides.old.describe = async () => ({ product: "Old 1", schema: "1", oldestUs: middleUs });
      expect(await verdicts({}, sides)).toEqual(["pass", "pass", "pass"]);
    });

    it("of entities that NEW does not keep", async () => {
      const [first] = EVENTS;
      const isLeftOut = (entityId: string) => entityId === first?.entityId;
      const sides = await bothSides(EVENTS.filter(({ entityId }) => !isLeftOut(entityId)));
      await sides.there.write(EVENTS);
      expect(await verdicts({}, sides)).toContain("fail");
      expect(await verdicts({ deps: { isLeftOut } }, sides)).toEqual(["pass", "pass", "pass"]);
    });
  });

  it("do not fail over what was only late", async () => {
    const sides = await bothSides(EVENTS, {
      asOld: (event) => (event.entityId === "light.part_1" ? undefined : event),
    });
    const between = async (step: number) => {
      if (step === 1) await sides.there.write(EVENTS);
    };
    expect((await steps(sides, 3, { between })).map(({ verdict }) => verdict)).toEqual([
      "inconclusive",
      "pass",
      "pass",
    ]);
  });

  it("ask the same again when a step was killed, and are inconclusive where nothing is there to ask for", async () => {
    const asked: string[][] = [];
    for (const run of [0, 1]) {
      const sides = await bothSides(EVENTS);
      const { range } = sides.old;
      asked.push([]);
      sides.old.range = (query) => {
        asked[run]?.push(JSON.stringify(query));
        return range(query);
      };
      await steps(sides, 1);
    }
    expect(asked[0]?.length).toBeGreaterThan(20);
    expect(asked[0]).toEqual(asked[1]);
    expect((await steps(await bothSides([]), 1))[0]).toMatchObject({ verdict: "inconclusive" });
  });
});

describe("Two answers", () => {
  const query = { homeId: "home", order: "asc" as const, limit: 100 };
  const answers = (old: HomeEvent[], fresh: HomeEvent[], isWhole = true) => ({
    old: { events: old, isWhole },
    new: { events: fresh, isWhole: true },
  });
  const at = (seconds: number, given: Partial<HomeEvent> = {}) =>
    buildEvent({ atUs: SOME_TIME_US + seconds * 1e6, lastChangedUs: SOME_TIME_US, ...given });
  const fields = (old: HomeEvent[], fresh: HomeEvent[], limits = WHOLE) =>
    compareAnswers(query, answers(old, fresh), limits).different.map(({ field }) => field);

  it.each<[string, HomeEvent[], HomeEvent[], string[]]>([
    ["one that is missing in OLD", [at(1)], [at(1), at(2)], ["row"]],
    ["one that is missing in NEW", [at(1), at(2)], [at(2)], ["row"]],
    ["another state", [at(1, { state: "off" })], [at(1)], ["state"]],
    ["another last_changed", [at(1, { lastChangedUs: 5 })], [at(1)], ["last_changed"]],
    ["other attributes", [at(1, { attributes: { a: 1 } })], [at(1)], ["attributes"]],
    ["another moment, by one microsecond", [at(1)], [at(1.000001)], ["row", "row"]],
    ["another entity", [at(1, { entityId: "light.other" })], [at(1)], ["row", "row"]],
    ["an answer out of order", [at(2), at(1)], [at(1), at(2)], ["order"]],
    ["nothing", [at(1), at(2)], [at(1), at(2)], []],
  ])("find %s", (_, old, fresh, expected) => {
    expect(fields(old, fresh)).toEqual(expected);
  });

  it("are compared as far as the shorter one goes", () => {
    const { different } = compareAnswers(query, answers([at(1), at(2)], [at(1), at(2), at(3)], false), WHOLE);
    expect(different).toEqual([]);
  });

  it("show who takes a bound for included", () => {
    const bounded = { ...query, fromUs: at(1).atUs, toUs: at(2).atUs };
    const { different } = compareAnswers(bounded, answers([at(1), at(2)], [at(1)]), WHOLE);
    expect(different.map(({ field }) => field)).toEqual(["order"]);
  });

  it("of a side whose stamps are cut are compared tick by tick", () => {
    const limits = { ...WHOLE, precisionUs: 1_000_000, hasLastChanged: false, attributes: "none" as const };
    const cut = (event: HomeEvent) => ({ ...event, atUs: Math.floor(event.atUs / 1e6) * 1e6 });
    const [a, b] = [at(1), at(1.25, { state: "off" })];
    expect(fields([cut(b)], [a, b], limits)).toEqual([]);
    expect(fields([cut(at(1, { state: "dim" }))], [a], limits)).toEqual(["state"]);
    expect(fields([cut(b)], [a, b], { ...limits, keepsAllOfOneStamp: true })).toEqual(["row"]);
  });
});
