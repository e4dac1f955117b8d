import type { HomeEvent, Weather } from "../event/index.ts";

/**
 * The one text of an event: JSON, its members in a fixed order, absent ones left out, attributes with sorted names. Equal texts mean equal rows,
 * whatever store, queue or program they came through. Stored tiles hang on it: a new member of `HomeEvent` goes to the end of the list.
 * `attributes`: `canonicalJson` of the event's attributes, for callers that keep it.
 */
export function canonicalText(event: HomeEvent, attributes = canonicalJson(event.attributes)): string {
  const { context, weather } = event;
  // The types see to it that no member is forgotten. JSON leaves out those that are undefined.
  const members: Record<Exclude<keyof HomeEvent, "attributes">, unknown> = {
    homeId: event.homeId,
    entityId: event.entityId,
    atUs: event.atUs,
    lastChangedUs: event.lastChangedUs,
    kind: event.kind,
    source: event.source,
    state: event.state,
    value: event.value,
    unit: event.unit,
    quality: event.quality,
    oldState: event.oldState,
    secondsInOldState: event.secondsInOldState,
    areaId: event.areaId,
    deviceId: event.deviceId,
    domain: event.domain,
    deviceClass: event.deviceClass,
    localTime: event.localTime,
    dayPart: event.dayPart,
    origin: event.origin,
    context: { id: context.id, parentId: context.parentId, userId: context.userId } satisfies Whole<
      HomeEvent["context"]
    >,
    weather: weather && weatherOf(weather),
  };
  return `${JSON.stringify(members).slice(0, -1)},"attributes":${attributes}}`;
}

/** Every member, also those that may be absent. */
type Whole<T> = { readonly [Name in keyof Required<T>]: T[Name] | undefined };

const weatherOf = ({ condition, temperature, humidity, windSpeed, pressure }: Weather): Whole<Weather> => ({
  condition,
  temperature,
  humidity,
  windSpeed,
  pressure,
});

/** JSON with the names of every object sorted by code units. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}
