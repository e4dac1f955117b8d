export type * from "./ports/home-assistant.ts";
export type * from "./ports/last-known.ts";
export type * from "./ports/sink.ts";
export type * from "./ports/spool.ts";

/** Another party's clock, as its `Date` header tells it. */
export interface ReferenceClock {
  readonly name: string;
  /** Its time in ms since 1970 (whole seconds); undefined when it does not answer. Never rejects. */
  nowMs(): Promise<number | undefined>;
}
