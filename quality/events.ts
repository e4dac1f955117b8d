import { floatSecondsToUs, type Microseconds } from "../lib/base/time.ts";
import { zonedDayStartUs } from "../lib/base/zone.ts";
import { enrichEvent, type HomeFacts } from "../lib/enrich/index.ts";
import type { HomeEvent, StateRecord } from "../lib/event/index.ts";
import { restOf } from "../local/home/generate/rest.ts";
import { calendarOf } from "../local/home/people/calendar.ts";
import { dateOfDay } from "../local/home/people/zone.ts";
import { TIME_ZONE } from "../local/home/protocol/config.ts";
import { houseOf, type ScenarioChange, type StreamedDay, streamScenario } from "../local/home/scenario/stream.ts";
import type { Scenario } from "../local/home/scenario/types.ts";

/** A home's day from 03:00 to 03:00, as its store would give it, and what is known of it. */
export interface EventDay {
  readonly homeId: string;
  readonly date: string;
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
  readonly timeZone: string;
  readonly events: readonly HomeEvent[];
  /** What the simulator says of the day (04:00 to 04:00) of this date. */
  readonly truth: Pick<StreamedDay, "day" | "occurrences" | "opportunities" | "calendar">;
}

const DAY_BEGINS = "03:00";
const HOUR_US = 3_600e6;

interface Last {
  readonly state: string;
  readonly changedUs: Microseconds;
}

/** From the simulator's changes to enriched events: through the product's own enrichment. */
function createEnrichment(scenario: Scenario) {
  const house = houseOf(scenario);
  const homeId = `home-${scenario.name}-${scenario.seed}`;
  const home: HomeFacts = {
    homeId,
    timeZone: TIME_ZONE,
    weatherAt: () => undefined,
    entity(entityId) {
      const entity = house.byId.get(entityId);
      const areaId = entity && house.areaOf(entity);
      return entity && { ...(entity.device && { deviceId: entity.device.id }), ...(areaId != null && { areaId }) };
    },
  };
  const calendar = calendarOf(scenario.seed, scenario.firstDay);
  const startUs = scenario.firstDay * 24 * HOUR_US;
  const lasts = new Map<string, Last>();
  const lastOf = (entityId: string): Last => {
    const entity = house.byId.get(entityId);
    return lasts.get(entityId) ?? { state: entity ? restOf(entity, calendar).state : "unknown", changedUs: startUs };
  };
  return {
    homeId,
    eventOf(change: ScenarioChange): HomeEvent {
      const atUs = floatSecondsToUs(change.at);
      const old = lastOf(change.entityId);
      const isChange = change.isRestore || old.state !== change.state;
      if (isChange) lasts.set(change.entityId, { state: change.state, changedUs: atUs });
      const record: StateRecord = {
        n: 0,
        t: "state",
        kind: change.isRestore ? "restore" : isChange ? "change" : "attributes",
        source: "live",
        entity_id: change.entityId,
        state: change.state,
        attributes: change.attributes,
        last_changed: "",
        last_updated: "",
        context: change.context,
        ...(!change.isRestore && { old: { state: old.state, last_changed: "", last_updated: "" } }),
      };
      const lastChangedUs = isChange ? atUs : old.changedUs;
      return enrichEvent(record, { atUs, lastChangedUs, oldLastChangedUs: old.changedUs }, home);
    },
  };
}

/** The home's days in order. The first begins with the simulator's first day, at 04:00. */
export function* eventDays(scenario: Scenario): Generator<EventDay> {
  const { homeId, eventOf } = createEnrichment(scenario);
  let held: readonly HomeEvent[] = [];
  for (const plan of streamScenario(scenario)) {
    const date = dateOfDay(plan.day);
    const toUs = zonedDayStartUs(dateOfDay(plan.day + 1), DAY_BEGINS, TIME_ZONE);
    const made = plan.changes.map(eventOf);
    const end = made.findIndex(({ atUs }) => atUs >= toUs);
    const own = end < 0 ? made : made.slice(0, end);
    yield {
      homeId,
      date,
      fromUs: zonedDayStartUs(date, DAY_BEGINS, TIME_ZONE),
      toUs,
      timeZone: TIME_ZONE,
      events: [...held, ...own],
      truth: plan,
    };
    held = end < 0 ? [] : made.slice(end);
  }
}
