import type { Finding } from "../../lib/analysis/detectors/types.ts";
import type { PlantedRoutine, RoutineKind } from "../../local/home/planted/routine.ts";
import { type RecipeName, scenarioOf } from "../../local/home/scenario/recipes.ts";
import type { Scenario } from "../../local/home/scenario/types.ts";
import { type EventDay, eventDays } from "../../quality/events.ts";
import type { HomeRun, Night } from "../../quality/home-run.ts";

export const livedDays = (recipe: RecipeName, seed: number, days?: number): EventDay[] => [
  ...eventDays(scenarioOf(recipe, seed, days)),
];

/** A token of the finding's form: `light.a=on`. */
export const tok = (text: string) => {
  const [entityId = "", state = ""] = text.split("=");
  return { entityId, state };
};
const planted = (text: string) => ({ entity_id: tok(text).entityId, state: tok(text).state });

export const finding = (kind: Finding["kind"], target: string, more: Partial<Finding> = {}): Finding => ({
  kind,
  key: `${more.trigger?.entityId ?? ""} ${target} ${more.at ?? ""}`,
  target: tok(target),
  hits: 9,
  opportunities: 10,
  reliability: 0.7,
  significance: 0.001,
  automated: false,
  days90: [],
  ...more,
});

type PlantMore = Omit<Partial<PlantedRoutine>, "trigger" | "steps"> & {
  readonly trigger?: string;
  readonly steps?: readonly string[];
};

export const plantOf = (kind: RoutineKind, target: string, more: PlantMore = {}): PlantedRoutine => {
  const { trigger, steps, ...rest } = more;
  return {
    id: `${kind} ${target}`,
    kind,
    title: "",
    target: planted(target),
    probability: 0.9,
    automated: false,
    ...rest,
    ...(trigger !== undefined && { trigger: planted(trigger) }),
    ...(steps && { steps: steps.map(planted) }),
  };
};

const FIRST_DAY = 20_100;

/** A home that was lived through already: only what its nights have found matters. Night i is after `days[i]` days. */
export function runOf(
  plants: readonly PlantedRoutine[],
  nights: readonly (readonly [days: number, findings: readonly Finding[]])[],
  more: Partial<Scenario> & {
    readonly opportunities?: ReadonlyMap<string, number>;
    readonly occurred?: readonly string[];
  } = {},
): HomeRun {
  const { opportunities = new Map<string, number>(), occurred = [], ...scenario } = more;
  const days = Math.max(...nights.map(([count]) => count));
  const truth = (index: number): EventDay["truth"] => ({
    day: FIRST_DAY + index,
    opportunities,
    occurrences: occurred.map((routineId) => ({ routineId, day: FIRST_DAY + index, at: 0 })),
    calendar: {
      day: FIRST_DAY + index,
      weekday: 0,
      isHoliday: false,
      isWorkday: true,
      vacation: "home",
      hasGuests: false,
      isHeatingSeason: true,
      hasOuting: false,
    },
  });
  return {
    scenario: { name: "by-hand", seed: 1, firstDay: FIRST_DAY, days, plants, disturbances: [], ...scenario },
    nights: nights.map(
      ([count, findings]): Night => ({
        days: count,
        date: `night ${count}`,
        dayNumber: FIRST_DAY + count - 1,
        findings,
        isWhole: true,
      }),
    ),
    truths: Array.from({ length: days }, (_, index) => truth(index)),
    heldOut: [],
    spent: { facts: 0, aggregate: 0, find: 0, nights: 0 },
    rowBytes: 0,
    mergesAgree: {},
  };
}

export const LAST_DAY = (days: number): number => FIRST_DAY + days - 1;
