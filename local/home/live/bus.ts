import type { Context } from "../generate/day-writer.ts";
import type { Flavour } from "../protocol/flavours.ts";
import { contextJson } from "./states.ts";

export interface Fired {
  readonly type: string;
  /** The JSON of `data`; asked for only when somebody listens. */
  readonly data: () => string;
  readonly at: number;
  readonly context: Context;
}

/** Takes the JSON of an event as it stands in a frame's `event` member. */
export type BusListener = (eventJson: string) => void;

export interface Bus {
  fire(event: Fired): void;
  /** Gives text that is no proper event to the listeners of a type, for tests of readers. */
  fireRaw(type: string, eventJson: string): void;
  /** `type` undefined: every event. The answer ends it. */
  listen(type: string | undefined, listener: BusListener): () => void;
  lastJson(): string | undefined;
}

export function createBus(flavour: Flavour): Bus {
  const listeners = new Map<string | undefined, Set<BusListener>>();
  let last: string | undefined;
  const tell = (type: string, json: string) => {
    for (const listener of listeners.get(type) ?? []) listener(json);
    for (const listener of listeners.get(undefined) ?? []) listener(json);
  };
  return {
    fire({ type, data, at, context }) {
      if (!listeners.get(type)?.size && !listeners.get(undefined)?.size) return;
      const json = `{"event_type":"${type}","data":${data()},"origin":"LOCAL","time_fired":"${flavour.isoOf(at)}","context":${contextJson(context)}}`;
      if (type === "state_changed") last = json;
      tell(type, json);
    },
    fireRaw: tell,
    listen(type, listener) {
      const set = listeners.get(type) ?? new Set();
      listeners.set(type, set.add(listener));
      return () => void set.delete(listener);
    },
    lastJson: () => last,
  };
}
