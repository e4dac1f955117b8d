import type { HomeEvent } from "../../event/index.ts";
import type { Step } from "./event-store-read.ts";

/** What a row takes beside its attributes, in the same measure as their characters. */
const ROW_WEIGHT = 60;

/**
 * What an event takes in the file: its segments' bytes are shared among their rows by what each row brings along. `begin` is to be told about each step before its
 * events are asked about.
 */
export function createBytesOf() {
  const lengths = new WeakMap<object, number>();
  let factor = 1;

  function lengthOf(attributes: object): number {
    let length = lengths.get(attributes);
    if (length === undefined) {
      length = JSON.stringify(attributes).length;
      lengths.set(attributes, length);
    }
    return length;
  }
  const weightOf = (event: HomeEvent, before: HomeEvent | undefined): number => {
    const isSame = before?.attributes === event.attributes;
    return ROW_WEIGHT + event.state.length + (isSame ? 0 : lengthOf(event.attributes));
  };
  return {
    begin: ({ events, bytesARow }: Step): void => {
      const last = new Map<string, HomeEvent>();
      let weight = 0;
      for (const event of events) {
        weight += weightOf(event, last.get(event.entityId));
        last.set(event.entityId, event);
      }
      factor = weight === 0 ? 1 : (bytesARow * events.length) / weight;
    },
    bytesOf: (event: HomeEvent, before: HomeEvent | undefined): number => weightOf(event, before) * factor,
  };
}
