import type { HomeEvent, Weather } from "../../event/index.ts";
import { LocalTimes } from "../../series/columns/local-time.ts";

/**
 * The field `more`: what of an event nobody filters or sums, as one JSON list; absent is null. A new member goes to the end.
 * Local time is the moment and an offset in minutes, or, where that does not give the text, the text.
 */
type More = readonly [
  unchangedUs: number,
  local: number | string,
  contextId: string,
  parentId: string | null,
  userId: string | null,
  deviceClass: string | null,
  unit: string | null,
  origin: string,
  oldState: string | null,
  secondsInOldState: number | null,
  attributes: Readonly<Record<string, unknown>>,
  weather: Weather | null,
];

export function moreOf(event: HomeEvent, localTimes: LocalTimes): string {
  const { context } = event;
  const offset = localTimes.offsetOf(event.atUs, event.localTime);
  const more: More = [
    event.atUs - event.lastChangedUs,
    Number.isNaN(offset) ? event.localTime : offset,
    context.id,
    context.parentId ?? null,
    context.userId ?? null,
    event.deviceClass ?? null,
    event.unit ?? null,
    event.origin,
    event.oldState ?? null,
    event.secondsInOldState ?? null,
    event.attributes,
    event.weather ?? null,
  ];
  return JSON.stringify(more);
}

const localTimes = new LocalTimes();

/** @throws SyntaxError when the text is not what `moreOf` wrote */
export function membersIn(text: string, atUs: number) {
  const [unchangedUs, local, id, parentId, userId, deviceClass, unit, origin, oldState, seconds, attributes, weather] =
    JSON.parse(text) as More;
  return {
    lastChangedUs: atUs - unchangedUs,
    localTime: typeof local === "string" ? local : localTimes.text(atUs, local),
    context: { id, ...(parentId !== null && { parentId }), ...(userId !== null && { userId }) },
    ...(deviceClass !== null && { deviceClass }),
    ...(unit !== null && { unit }),
    origin,
    ...(oldState !== null && { oldState }),
    ...(seconds !== null && { secondsInOldState: seconds }),
    attributes,
    ...(weather !== null && { weather }),
  };
}
