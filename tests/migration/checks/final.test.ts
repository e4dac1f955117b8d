import { describe, expect, it } from "vitest";
import { createFinal, type FinalDeps } from "../../../lib/migration/checks/final.ts";
import type { CheckContext, CheckResult } from "../../../lib/migration/ports.ts";
import { migrationOf, resultOf, START_US } from "../../support/migrations.ts";

const GOOD = [
  "performance.range",
  "errors",
  "consistency",
  "loss",
  "api-compare",
  "health.old",
  "health.new",
  "canary",
  "dual-write",
  "devices",
];
const METRICS = "# TYPE hearthline_up gauge\nhearthline_up 1\n# EOF\n";
const SECOND = 1_000_000;

const deps = (more: Partial<FinalDeps> = {}): FinalDeps => ({
  old: { describe: async () => ({ product: "Old", schema: "1" }) },
  events: { check: async () => {} },
  monitoring: { health: async () => ({ status: "ok", parts: 4 }), metrics: async () => METRICS },
  ...more,
});

const context = (
  checks: readonly CheckResult[],
  { secondsAfter = 60, memory = undefined as unknown } = {},
): CheckContext => ({
  migration: migrationOf({ state: "final_validation", checks, lastStepUs: START_US }),
  nowUs: START_US + secondsAfter * SECOND,
  memory: memory === undefined ? undefined : JSON.parse(JSON.stringify(memory)),
  signal: new AbortController().signal,
});
const verdicts = (results: readonly CheckResult[]) =>
  Object.fromEntries(results.map(({ name, verdict }) => [name.replace("final.", ""), verdict]));
const ALL_PASS = {
  performance: "pass",
  integrity: "pass",
  health: "pass",
  "end-to-end": "pass",
  monitoring: "pass",
  devices: "pass",
};
const good = (except: readonly string[] = []) =>
  GOOD.filter((name) => !except.includes(name)).map((name) => resultOf(name, "pass"));

describe("The final validation", () => {
  it("passes when everything that it rests on has passed, and what it tries works", async () => {
    const { results } = await createFinal(deps()).run(context(good()));
    expect(verdicts(results)).toEqual(ALL_PASS);
  });

  it.each([
    ["performance.range", "performance"],
    ["errors", "performance"],
    ["consistency", "integrity"],
    ["api-compare", "integrity"],
    ["loss", "integrity"],
    ["health.old", "health"],
    ["canary", "end-to-end"],
    ["dual-write", "end-to-end"],
    ["devices", "devices"],
  ])("fails with %s in its part, and is inconclusive without it", async (name, part) => {
    const bad = [...good([name]), resultOf(name, "fail", { explanation: "why" })];
    const { results } = await createFinal(deps()).run(context(bad));
    expect(verdicts(results)).toEqual({ ...ALL_PASS, [part]: "fail" });
    expect(results.find((one) => one.name === `final.${part}`)?.explanation).toContain("why");
    const without = await createFinal(deps()).run(context(good([name])));
    expect(verdicts(without.results)).toEqual({ ...ALL_PASS, [part]: "inconclusive" });
  });

  it("remembers what was said in an earlier step, for an hour", async () => {
    const check = createFinal(deps());
    const { memory } = await check.run(context(good()));
    const some = { migration: { ...context([]).migration, lastStepUs: START_US + 1_800 * SECOND } };
    const within = await check.run({ ...context([], { secondsAfter: 3_600, memory }), ...some });
    expect(verdicts(within.results)).toEqual(ALL_PASS);
    const late = await check.run({ ...context([], { secondsAfter: 3_601, memory }), ...some });
    expect(verdicts(late.results)).toMatchObject({
      performance: "inconclusive",
      integrity: "inconclusive",
      monitoring: "pass",
    });
  });

  it("does not rest on what it said itself, nor on old results that the row still has", async () => {
    const { results } = await createFinal(deps()).run(context(good(), { secondsAfter: 4_000 }));
    expect(verdicts(results)).toMatchObject({ devices: "inconclusive", monitoring: "pass" });
  });

  it("sees that a side is down now, that health is down, and that nobody can watch", async () => {
    const fails = () => Promise.reject(new Error("refused"));
    const verdictsOf = async (more: Partial<FinalDeps>) =>
      verdicts((await createFinal(deps(more)).run(context(good()))).results);
    expect(await verdictsOf({ old: { describe: fails } })).toEqual({ ...ALL_PASS, health: "inconclusive" });
    expect(await verdictsOf({ events: { check: fails } })).toEqual({ ...ALL_PASS, health: "inconclusive" });
    const monitoring = (status: string, metrics: string) => ({
      monitoring: { health: async () => ({ status, parts: 4 }), metrics: async () => metrics },
    });
    expect(await verdictsOf(monitoring("down", METRICS))).toEqual({ ...ALL_PASS, monitoring: "fail" });
    expect(await verdictsOf(monitoring("ok", "<html>"))).toEqual({ ...ALL_PASS, monitoring: "fail" });
    expect(await verdictsOf(monitoring("ok", METRICS.replace("# EOF", "")))).toEqual({
      ...ALL_PASS,
      monitoring: "fail",
    });
    expect(await verdictsOf({ monitoring: { health: fails, metrics: fails } })).toEqual({
      ...ALL_PASS,
      monitoring: "inconclusive",
    });
  });
});
