import { newMigration, planSchema, REQUIRED, start } from "../../lib/migration/index.ts";
import type { PlanInput } from "../../lib/migration/plan.ts";
import type { CheckResult, Migration, State, Verdict } from "../../lib/migration/types.ts";

/** A Sunday in November. */
export const START_US = Date.UTC(2026, 10, 22, 6) * 1000;
export const SECOND_US = 1_000_000;

export const planOf = (more: Partial<PlanInput> = {}) =>
  planSchema.parse({ old: { kind: "influxdb", url: "http://old.test:8086" }, soakSeconds: 60, ...more });

export function migrationOf(more: Partial<Migration> = {}, plan: Partial<PlanInput> = {}): Migration {
  const made = newMigration(planOf(plan), {
    ...{ homeId: "home", id: "m1", salt: "salt", nowUs: START_US, actor: "owner" },
  });
  return { ...made, ...more };
}

export const startedOf = (more: Partial<Migration> = {}, plan: Partial<PlanInput> = {}): Migration => ({
  ...start(migrationOf({}, plan), { actor: "owner", nowUs: START_US }),
  ...more,
});

export const resultOf = (name: string, verdict: Verdict, more: Partial<CheckResult> = {}): CheckResult => ({
  ...{ name, verdict, sampleSize: 10, explanation: `${name} said ${verdict}.` },
  ...more,
});

/** One passing result for everything that a state requires; those that are named otherwise. */
export const resultsFor = (
  state: State,
  others: Readonly<Record<string, Verdict | Partial<CheckResult>>> = {},
): CheckResult[] => {
  const names = new Set([...REQUIRED[state], ...Object.keys(others)]);
  return [...names].map((name) => {
    const other = others[name];
    return typeof other === "string" ? resultOf(name, other) : resultOf(name, "pass", other);
  });
};
