import type { Microseconds } from "../base/time.ts";
import { localTimeOf } from "../base/zone.ts";
import { type DayPart, domainOf, type EventRecord, type HomeEvent, type Weather } from "../event/index.ts";
import type { EventMoment } from "../ingest/index.ts";
import { qualityOf, textAttribute, typedValue } from "./value.ts";

/** What enrichment has to know of an event's home. */
export interface HomeFacts {
  readonly homeId: string;
  readonly timeZone: string;
  entity(entityId: string): EntityFacts | undefined;
  weatherAt(atUs: Microseconds): Weather | undefined;
}

/** Of one entity, from the registries: `areaId` is its own, else its device's, else that of the device's parent. */
export interface EntityFacts {
  readonly deviceId?: string;
  readonly areaId?: string;
  readonly deviceClass?: string;
}

const DEVICE_CLASS_MAX_CHARACTERS = 64;
/** What Home Assistant writes for events of its own. */
const LOCAL_ORIGIN = "LOCAL";

/** Night until 06:00, morning until 12:00, afternoon until 18:00, evening until midnight, by the home's clock. */
export const dayPartOf = (hour: number): DayPart =>
  hour < 6 ? "night" : hour < 12 ? "morning" : hour < 18 ? "afternoon" : "evening";

type Draft = { -readonly [K in keyof HomeEvent]: HomeEvent[K] };

/** One checked record to the event that stores keep. The same record and facts always give the same event. */
export function enrichEvent(record: EventRecord, moment: EventMoment, home: HomeFacts): HomeEvent {
  const local = localTimeOf(moment.atUs, home.timeZone);
  const facts = home.entity(record.entity_id);
  const event: Draft = {
    homeId: home.homeId,
    entityId: record.entity_id,
    atUs: moment.atUs,
    lastChangedUs: moment.lastChangedUs,
    kind: record.t === "state" ? record.kind : "removed",
    source: record.source,
    state: "",
    quality: "unavailable",
    domain: domainOf(record.entity_id),
    localTime: local.text,
    dayPart: dayPartOf(local.hour),
    origin: record.origin ?? LOCAL_ORIGIN,
    context: contextOf(record),
    attributes: {},
  };
  if (record.t === "state") addState(event, record.state, record.attributes, facts);
  else if (facts?.deviceClass !== undefined) event.deviceClass = facts.deviceClass;
  if (record.old) event.oldState = record.old.state;
  const seconds = secondsInOldState(event, moment);
  if (seconds !== undefined) event.secondsInOldState = seconds;
  if (facts?.areaId !== undefined) event.areaId = facts.areaId;
  if (facts?.deviceId !== undefined) event.deviceId = facts.deviceId;
  const weather = home.weatherAt(moment.atUs);
  if (weather) event.weather = weather;
  return event;
}

function addState(
  event: Draft,
  state: string,
  attributes: Readonly<Record<string, unknown>>,
  facts: EntityFacts | undefined,
): void {
  event.state = state;
  event.attributes = attributes;
  event.quality = qualityOf(state);
  const deviceClass = textAttribute(attributes.device_class, DEVICE_CLASS_MAX_CHARACTERS) ?? facts?.deviceClass;
  if (deviceClass !== undefined) event.deviceClass = deviceClass;
  const typed = typedValue({ state, domain: event.domain, deviceClass, attributes });
  if (typed.unit !== undefined) event.unit = typed.unit;
  if (typed.value !== undefined && event.quality === "ok") event.value = typed.value;
}

/**
 * Only a change ends a state: a restart, a snapshot or a removal says nothing about how long the old one lasted.
 * A clock that was set in between (the new time before the old one, or an old time that cannot be) makes no duration.
 */
function secondsInOldState(event: Draft, { lastChangedUs, oldLastChangedUs }: EventMoment): number | undefined {
  if (event.kind !== "change" || oldLastChangedUs === undefined) return undefined;
  const us = lastChangedUs - oldLastChangedUs;
  return us < 0 ? undefined : us / 1e6;
}

function contextOf({ context }: EventRecord): HomeEvent["context"] {
  const { id, parent_id: parentId, user_id: userId } = context;
  if (parentId == null && userId == null) return { id };
  return { id, ...(parentId != null && { parentId }), ...(userId != null && { userId }) };
}
