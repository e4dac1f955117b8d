import { type ErrorCode, HearthlineError, isHearthlineError } from "../base/errors.ts";
import type { HomeEvent } from "./event.ts";

/** An event that a store can never take, and why. */
export interface RefusedEvent {
  /** The very object that was to be written. */
  readonly event: HomeEvent;
  /** Of fate `dead-letter`. */
  readonly code: ErrorCode;
  readonly reason: string;
}

/** A store kept all events of a write but these; writing them again does not help. */
export class EventsRefused extends HearthlineError {
  readonly refused: readonly RefusedEvent[];
  constructor(refused: readonly RefusedEvent[]) {
    const [first] = refused;
    const example = first && `: "${first.event.entityId}" at ${first.event.atUs} µs: ${first.reason}`;
    super("events_refused", `The store refused ${refused.length} events and kept the rest; the first${example ?? ""}`);
    this.refused = refused;
  }
}

/** True also across bundles and copies of this module. */
export const isEventsRefused = (thrown: unknown): thrown is EventsRefused =>
  isHearthlineError(thrown) && thrown.code === "events_refused" && "refused" in thrown;
