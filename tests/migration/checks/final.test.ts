import { describe, expect, it } from "vitest";
import { createFinal, type FinalDeps } from "../../../lib/migration/checks/final.ts";
import { NOBODY_TOLD } from "../../../lib/migration/checks/final-monitoring.ts";
import type { CheckContext, CheckResult, Verdict } from "../../../lib/migration/ports.ts";
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
const METRICS = [
  "# TYPE hearthline_migration_state stateset",
  'hearthline_migration_state{migration="m1",hearthline_migration_state="final_validation"} 1',
  'hearthline_migration_state{migration="m1",hearthline_migration_state="ramp"} 0',
  "# EOF",
].join("\n");
const SECOND = 1_000_000;
const FIGURES = [{ name: "relay:r", atMs: START_US / 1000, maxSeconds: 7_200 }];
const WATCHED: FinalDeps["monitoring"] = {
  health: async () => ({ status: "ok", parts: 4, figures: FIGURES }),
  metrics: async () => METRICS,
  tryAlert: async () => ({ status: "delivered" }),
};

const deps = (more: Partial<FinalDeps> = {}): FinalDeps => ({
  old: { describe: async () => ({ product: "Old", schema: "1" }) },
  events: { check: async () => {} },
  monitoring: WATCHED,
  ...more,
});

const context = (
  checks: readonly CheckResult[],
  { secondsAfter = 60, memory = undefined as unknown } = {},
): CheckContext => ({
  migration: migrationOf({ state: "final_validation", checks, lastStepUs: START_US, sinceUs: START_US }),
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
  GOOD.filter((name) => !except.includes(name)).map((name) =>
    resultOf(name, "pass", name === "consistency" ? { coldSinceUs: START_US } : {}),
  );

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
    const monitoring = (status: string, metrics: string, figures: typeof FIGURES = FIGURES) => ({
      monitoring: {
        ...WATCHED,
        health: async () => ({ status, parts: 4, figures }),
        metrics: async () => metrics,
      },
    });
    const wrong: [Partial<FinalDeps>, Verdict][] = [
      [monitoring("down", METRICS), "fail"],
      [monitoring("ok", "<html>"), "fail"],
      [monitoring("ok", METRICS.replace("# EOF", "")), "fail"],
      // Figures of yesterday, of another migration, or of where it was.
      [
        monitoring(
          "ok",
          METRICS,
          FIGURES.map((one) => ({ ...one, maxSeconds: 59 })),
        ),
        "inconclusive",
      ],
      [monitoring("ok", METRICS, []), "fail"],
      [monitoring("ok", METRICS.replaceAll("m1", "m2")), "fail"],
      [monitoring("ok", METRICS.replace("} 1", "} 0")), "fail"],
      [{ monitoring: { ...WATCHED, health: fails } }, "inconclusive"],
    ];
    for (const [more, verdict] of wrong) expect(await verdictsOf(more)).toEqual({ ...ALL_PASS, monitoring: verdict });
  });

  it("wants a comparison from nothing, begun in this validation", async () => {
    const looking = (coldSinceUs: number | undefined) => [
      ...good(["consistency"]),
      resultOf("consistency", "pass", coldSinceUs === undefined ? {} : { coldSinceUs }),
    ];
    for (const since of [undefined, START_US - 1]) {
      const { results } = await createFinal(deps()).run(context(looking(since)));
      expect(verdicts(results)).toEqual({ ...ALL_PASS, integrity: "inconclusive" });
    }
    // What an incremental look says afterwards is no cold one either.
    const check = createFinal(deps());
    const { memory } = await check.run(context(looking(START_US)));
    const after = await check.run(context(looking(undefined), { memory }));
    expect(verdicts(after.results)).toEqual({ ...ALL_PASS, integrity: "inconclusive" });
    const kept = await check.run(context([], { memory }));
    expect(verdicts(kept.results)).toEqual(ALL_PASS);
  });
});

describe("The alert that is tried", () => {
  function house(fates: readonly { readonly status: string; readonly error?: string }[]) {
    const attempts: number[] = [];
    const check = createFinal(
      deps({
        monitoring: {
          ...WATCHED,
          tryAlert: async (_, attemptUs) => {
            if (attempts.at(-1) !== attemptUs) attempts.push(attemptUs);
            return fates[attempts.length - 1] ?? { status: "pending" };
          },
        },
      }),
    );
    let memory: unknown;
    return {
      attempts,
      async look(secondsAfter: number) {
        const outcome = await check.run(context(good(), { secondsAfter, memory }));
        memory = outcome.memory;
        return outcome.results.find(({ name }) => name === "final.monitoring");
      },
    };
  }

  it("is one until it has arrived, and holds until then", async () => {
    const fates = [{ status: "pending" }];
    const { look, attempts } = house(fates);
    expect((await look(0))?.verdict).toBe("inconclusive");
    expect((await look(300))?.verdict).toBe("inconclusive");
    fates[0] = { status: "delivered" };
    expect((await look(600))?.verdict).toBe("pass");
    expect((await look(900))?.verdict).toBe("pass");
    expect(attempts).toHaveLength(1);
  });

  it("is made again when nobody took it", async () => {
    const { look, attempts } = house([{ status: "expired" }, { status: "delivered" }]);
    expect(await look(0)).toMatchObject({ verdict: "fail", explanation: expect.stringContaining("HEARTHLINE_URL") });
    expect((await look(601))?.verdict).toBe("pass");
    expect(attempts).toHaveLength(2);
  });

  it("needs no broker where the house has none, but nothing else may fail", async () => {
    expect(await house([{ status: "failed", error: "mqtt_not_set: no broker" }]).look(0)).toMatchObject({
      verdict: "pass",
      explanation: expect.stringContaining("HEARTHLINE_MQTT_URL"),
    });
    expect(await house([{ status: NOBODY_TOLD }]).look(0)).toMatchObject({
      verdict: "pass",
      explanation: expect.stringContaining("HEARTHLINE_TOKEN"),
    });
    expect((await house([{ status: "failed", error: "mqtt_publish_refused: no" }]).look(0))?.verdict).toBe("fail");
  });
});
