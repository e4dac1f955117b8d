import type { Microseconds } from "../../base/time.ts";

/** Settings for which figures say something. */
export const SETTINGS = ["flush-seconds", "batch-size", "raw-days"] as const;
export type SettingName = (typeof SETTINGS)[number];

/** A setting that can be changed while everything runs. */
export interface Tunable {
  readonly setting: SettingName;
  /** What is in force now, as who uses it says; undefined: nobody has said. @throws fate-`retry` service errors */
  read(homeId: string): Promise<number | undefined>;
  /**
   * Asks for another value. `untilUs`: whoever uses it goes back to his own setting then by himself, whatever happens to us. Idempotent: the same again is the same.
   * It is in force when `read` says so.
   * @throws fate-`retry` service errors
   */
  set(homeId: string, wanted: { readonly value: number; readonly untilUs?: Microseconds }): Promise<void>;
}

/** What a home's pipeline did in a span, as counted; absent: not known. */
export interface Measured {
  /** Of the relay, as it reports it. */
  readonly flushSeconds?: number;
  /** Records that the cloud has taken, nearly all of them events. */
  readonly events: number;
  /** Messages that the relay's cloud sink sent. */
  readonly messages: number;
  /** How late NEW is: how old the oldest record was that the cloud had not taken, and how long the canary took from there. */
  readonly delaySeconds?: number;
  /** Events of one call of the store's function, and how many it would take. */
  readonly batchEvents?: number;
  readonly batchMax?: number;
  /** The setting, how far back people have read lately, and bytes of a day. */
  readonly rawDays?: number;
  readonly readBackDays?: number;
  readonly bytesPerDay?: number;
}

/** Counters of one moment; two of them make a `Measured`. */
export interface Reading {
  /** Who counts; another one, or counters that fell, begin anew. */
  readonly relayId: string;
  /** When he said so, milliseconds since 1970. */
  readonly atMs: number;
  readonly acknowledged: number;
  readonly messages: number;
  readonly lagSeconds: number;
  readonly flushSeconds?: number;
}

/** Reads counters. @throws fate-`retry` service errors */
export interface Meter {
  /** undefined: nobody counts. */
  read(homeId: string): Promise<Reading | undefined>;
  /** What else is known of the home, without counters. */
  facts(
    homeId: string,
  ): Promise<Pick<Measured, "batchEvents" | "batchMax" | "rawDays" | "readBackDays" | "bytesPerDay">>;
}

/** What happened between two readings; nothing when the second is not a later one of the same relay's run. */
export function between(before: Reading | undefined, now: Reading | undefined, wayMs: number | undefined): Measured {
  const flush = now?.flushSeconds === undefined ? {} : { flushSeconds: now.flushSeconds };
  const isOn = before && now && now.relayId === before.relayId && now.atMs > before.atMs;
  if (!isOn || now.messages < before.messages || now.acknowledged < before.acknowledged)
    return { ...flush, events: 0, messages: 0 };
  return {
    ...flush,
    events: now.acknowledged - before.acknowledged,
    messages: now.messages - before.messages,
    ...(wayMs !== undefined && { delaySeconds: now.lagSeconds + wayMs / 1000 }),
  };
}
