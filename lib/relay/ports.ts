export type * from "./ports/home-assistant.ts";
export type * from "./ports/last-known.ts";
export type * from "./ports/sink.ts";
export type * from "./ports/spool.ts";

/** Which sinks were stopped, over restarts of the relay. */
export interface SinkSwitches {
  /** The names of those that are off; none before the first `save`. @throws `spool_failed` */
  load(): Promise<readonly string[]>;
  /** Durable when it resolves, or as it was. @throws `spool_failed` */
  save(off: readonly string[]): Promise<void>;
}

/** Another party's clock, as its `Date` header tells it. */
export interface ReferenceClock {
  readonly name: string;
  /** Its time in ms since 1970 (whole seconds); undefined when it does not answer. Never rejects. */
  nowMs(): Promise<number | undefined>;
}
