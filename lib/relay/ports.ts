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

/** What of the cloud's sink was tuned and kept, instead of what its settings say. */
export interface KeptTuning {
  /** How long it collects, and the setting that it stands in for: the owner's next word on that ends it. */
  readonly flush?: { readonly ms: number; readonly insteadOfMs: number };
  /** No message takes more records. */
  readonly batch?: { readonly records: number };
}

/** What was tuned, over restarts of the relay. */
export interface SinkTunings {
  /** Nothing before the first `save`. @throws `spool_failed` */
  load(): Promise<KeptTuning>;
  /** Durable when it resolves, or as it was. @throws `spool_failed` */
  save(kept: KeptTuning): Promise<void>;
}

/** Another party's clock, as its `Date` header tells it. */
export interface ReferenceClock {
  readonly name: string;
  /** Its time in ms since 1970 (whole seconds); undefined when it does not answer. Never rejects. */
  nowMs(): Promise<number | undefined>;
}
