import { seededRandom } from "../../../lib/base/random.ts";
import { between, mix, mixText } from "../generate/chance.ts";
import type { HomeChange } from "../generate/day-writer.ts";
import { restOf } from "../generate/rest.ts";
import { buildHouse, type House } from "../house/house.ts";
import { createZone } from "../people/zone.ts";
import { TIME_ZONE } from "../protocol/config.ts";
import { type Handover, type ScenarioDay, scenarioDay } from "./day.ts";
import { EXTRA_DEVICES } from "./extra-devices.ts";
import type { Scenario } from "./types.ts";

/** `restore`: told anew by a Home Assistant that has just started. */
export interface ScenarioChange extends HomeChange {
  readonly isRestore?: true;
}

export interface StreamedDay extends Omit<ScenarioDay, "changes" | "handover"> {
  readonly changes: readonly ScenarioChange[];
}

export const houseOf = (scenario: Scenario): House => buildHouse(scenario.seed, EXTRA_DEVICES);

/** The days of a scenario, one after the other. A pure function of the scenario. */
export function* streamScenario(scenario: Scenario): Generator<StreamedDay> {
  const house = houseOf(scenario);
  const zone = createZone(TIME_ZONE);
  const has = (what: Scenario["disturbances"][number]) => scenario.disturbances.includes(what);
  let before: Handover = { standing: new Map(), late: [] };
  for (let day = scenario.firstDay; day < scenario.firstDay + scenario.days; day++) {
    const made = scenarioDay(house, zone, { scenario, day, before });
    const standing = before.standing;
    before = made.handover;
    const restarted = has("restarts") ? withRestart(made, { house, scenario, standing }) : made.changes;
    yield { ...made, changes: has("silence") ? withSilence(restarted, scenario, made) : restarted };
  }
}

const RESTART_EVERY_DAYS = 3;
const DOWN_SECONDS = 110;

/** At 04:40, every other time at any time of the day. */
function withRestart(
  plan: ScenarioDay,
  { house, scenario, standing }: { house: House; scenario: Scenario; standing: Handover["standing"] },
): readonly ScenarioChange[] {
  const since = plan.day - scenario.firstDay;
  if (since % RESTART_EVERY_DAYS !== 1) return plan.changes;
  const random = seededRandom(mix(mixText(scenario.seed, "restart"), plan.day));
  const isAtNight = since % (2 * RESTART_EVERY_DAYS) === 1;
  const downAt = plan.startsAt + (isAtNight ? 2400 : between(random, 7200, 64_000));
  const upAt = downAt + DOWN_SECONDS;
  const now = new Map<string, { state: string; attributes: HomeChange["attributes"] }>();
  for (const change of plan.changes) if (change.at < upAt) now.set(change.entityId, change);
  const stateOf = (id: string, rest: string) => now.get(id)?.state ?? standing.get(id)?.state ?? rest;
  const storm = house.live.flatMap((entity, index): ScenarioChange[] => {
    const rest = restOf(entity, plan.calendar).state;
    const state = stateOf(entity.id, rest);
    const at = upAt + 0.003 * index;
    const whole = { entityId: entity.id, attributes: now.get(entity.id)?.attributes ?? {}, isStateChange: true };
    const context = (moment: number) => ({
      id: `RESTART${Math.floor(moment * 1e4)}`,
      parent_id: null,
      user_id: null,
    });
    const told: ScenarioChange = { ...whole, at, state, context: context(at), isRestore: true };
    // Some integrations come late: lost, back, and now and then on for a moment, all of it as changes.
    if (entity.domain !== "light" && entity.domain !== "switch") return [told];
    const later = at + between(random, 4, 40);
    const change = (moment: number, name: string) => ({ ...whole, at: moment, state: name, context: context(moment) });
    const lost = [change(later, "unavailable"), change(later + 2, state)];
    const flicker = state === "off" ? [change(later + 3, "on"), change(later + 4.5, "off")] : [];
    return [told, ...(random() < 0.5 ? lost : []), ...(random() < 0.3 ? flicker : [])];
  });
  const heard = plan.changes.filter(({ at }) => at < downAt || at >= upAt);
  return [...heard, ...storm].sort((a, b) => a.at - b.at);
}

const SILENT_DAYS = [9, 10];
const SILENT_EVERY_DAYS = 4;
const SILENT_SECONDS = 10_800;

function withSilence(
  changes: readonly ScenarioChange[],
  scenario: Scenario,
  { day, startsAt }: ScenarioDay,
): readonly ScenarioChange[] {
  const since = day - scenario.firstDay;
  if (SILENT_DAYS.includes(since)) return [];
  if (since % SILENT_EVERY_DAYS !== 2) return changes;
  const from = startsAt + between(seededRandom(mix(mixText(scenario.seed, "silence"), day)), 3600, 70_000);
  return changes.filter(({ at }) => at < from || at >= from + SILENT_SECONDS);
}
