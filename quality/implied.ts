import type { Finding } from "../lib/analysis/detectors/types.ts";
import { minutesOf } from "../local/home/generate/occurrence.ts";
import type { PlantedRoutine } from "../local/home/planted/routine.ts";
import { AUTOMATED_ENTITIES } from "../local/home/scenario/recipes.ts";
import { apartMinutes, TIME_TOLERANCE_MINUTES } from "./match.ts";

/** What the day of a finding was like; of anomalies. */
export interface DayTruth {
  readonly day: number;
  /** Guests, an outing, a holiday, a vacation: people's own doings are out of the ordinary then. */
  readonly isUnusual: boolean;
  /** Routines that could have happened on that day and did not. */
  readonly missed: ReadonlySet<string>;
}

/** Moved by the simulated family: they have their weekdays, their hours, their ways through the house. */
const PEOPLE =
  /^(person|device_tracker|zone)\.|^binary_sensor\.(\w+_motion|front_door|back_door|cellar_door|pantry_door)$/;
export const isOfPeople = (entityId: string): boolean =>
  PEOPLE.test(entityId) && entityId !== "binary_sensor.street_motion";

const entitiesOf = ({ target, trigger, steps = [] }: PlantedRoutine): string[] =>
  [...(trigger ? [trigger] : []), ...steps, target].map(({ entity_id }) => entity_id);

const inOrder = (plant: PlantedRoutine, before: string, after: string): boolean => {
  const ids = (plant.steps ?? []).map(({ entity_id }) => entity_id);
  return ids.indexOf(before) >= 0 && ids.indexOf(before) <= ids.lastIndexOf(after);
};

/** One entity after another, whatever their states: it was planted so, or follows from it. */
function isImpliedPair(before: string, after: string, plants: readonly PlantedRoutine[]): boolean {
  return plants.some((plant) => {
    if (plant.kind === "sequence") return inOrder(plant, before, after);
    // The room's own sensor sees who comes in.
    const isEntering = before === `binary_sensor.${plant.area_id}_motion`;
    if (plant.kind === "room")
      return (isEntering || entitiesOf(plant).includes(before)) && entitiesOf(plant).includes(after);
    if (plant.kind === "duration") return before === after && before === plant.target.entity_id;
    if (plant.kind !== "co-occurrence" || after !== plant.target.entity_id) return false;
    const cause = plant.trigger?.entity_id;
    // What triggers the trigger does so for its target, too.
    return (
      before === cause ||
      plants.some((other) => other.target.entity_id === cause && other.trigger?.entity_id === before)
    );
  });
}

/** Machines run for as long as they run. */
const MACHINES: ReadonlySet<string> = new Set(["siren.hall_clock", "switch.compressor", "binary_sensor.hourly_poll"]);

const isItsTime = (at: string | undefined, plant: PlantedRoutine): boolean =>
  at !== undefined &&
  plant.at !== undefined &&
  apartMinutes(minutesOf(at), minutesOf(plant.at)) <= TIME_TOLERANCE_MINUTES;

/** A time of day that follows from one that was planted: the same device's way back, the steps and targets of what has a time itself. */
function isImpliedTime({ target, at }: Finding, plants: readonly PlantedRoutine[]): boolean {
  if (isOfPeople(target.entityId)) return true;
  return plants.some((plant) => {
    if (!entitiesOf(plant).includes(target.entityId)) return false;
    if (plant.kind === "sequence") return plant.at !== undefined;
    if (plant.kind === "room" || plant.kind === "co-occurrence") return true;
    const isWayBack = plant.target.state !== target.state;
    if (plant.kind === "anomaly" || plant.kind === "seasonal") return isWayBack || isItsTime(at, plant);
    return plant.kind === "time-of-day" && isWayBack;
  });
}

function isImpliedAnomaly({ target }: Finding, plants: readonly PlantedRoutine[], truth: DayTruth): boolean {
  if (truth.isUnusual && isOfPeople(target.entityId)) return true;
  return plants.some(
    (plant) =>
      entitiesOf(plant).includes(target.entityId) &&
      (truth.missed.has(plant.id) ||
        (truth.isUnusual && (plant.kind === "co-occurrence" || plant.kind === "room")) ||
        (plant.kind === "frequency" && truth.day >= (plant.changes_on ?? truth.day + 1)) ||
        plant.odd_days?.some(({ day }) => day === truth.day)),
  );
}

/**
 * What is true in a planted home although nobody planted it as such, and so no false finding:
 * - a pair inside a planted chain (in its order) or scene (in any), from the scene's own motion sensor to its members; other states of a planted pair (motion off, light off); what triggers a planted trigger; on and off of what has a planted length
 * - a chain or a scene all of whose pairs are such
 * - a time of day of a device whose planted time is that of its other state, of the steps of a chain that goes by the clock, of what follows people, of people themselves
 * - the time of a routine that is planted as seasonal, or for its anomalies
 * - a length of what is on as long as somebody is there; of people; of machines that run by themselves
 * - a weekday of people, of what follows people, of what is planted on some days only
 * - an anomaly on a day on which a routine really did not happen, or people's day was unusual (guests, outing, holiday), or of what has changed its frequency
 * - a change of frequency of what began or ended; a season of what follows the sun or people
 * Nothing else: least of all a wrong time, a wrong direction, a common cause.
 */
export function isImplied(finding: Finding, plants: readonly PlantedRoutine[], truth: DayTruth): boolean {
  const id = finding.target.entityId;
  const follows = (kinds: readonly string[]) =>
    plants.some((plant) => kinds.includes(plant.kind) && entitiesOf(plant).includes(id));
  switch (finding.kind) {
    case "time-of-day":
      return isImpliedTime(finding, plants);
    case "co-occurrence":
      return finding.trigger !== undefined && isImpliedPair(finding.trigger.entityId, id, plants);
    case "sequence":
    case "room": {
      const ids = (finding.steps ?? []).map(({ entityId }) => entityId);
      const isPair = (before: string, after: string) =>
        isImpliedPair(before, after, plants) || (finding.kind === "room" && isImpliedPair(after, before, plants));
      return ids.length > 1 && ids.slice(1).every((after, at) => isPair(ids[at] ?? "", after));
    }
    case "duration":
      return isOfPeople(id) || MACHINES.has(id) || follows(["co-occurrence", "room"]);
    case "day-type":
      return (
        isOfPeople(id) ||
        follows(["co-occurrence", "room"]) ||
        plants.some(({ days, target }) => days && target.entity_id === id)
      );
    case "anomaly":
      return isImpliedAnomaly(finding, plants, truth);
    case "frequency":
      return plants.some(
        (plant) => (plant.first_day !== undefined || plant.last_day !== undefined) && plant.target.entity_id === id,
      );
    case "seasonal":
      return (
        isOfPeople(id) ||
        follows(["co-occurrence", "room"]) ||
        plants.some(({ anchor, target }) => anchor && target.entity_id === id)
      );
  }
}

/** The home's own automations: to be found as such, or not at all. */
export const isRightlyAutomated = ({ automated, target }: Finding, hasAutomations: boolean): boolean =>
  automated && hasAutomations && AUTOMATED_ENTITIES.has(target.entityId);
