import type { Microseconds } from "../../base/time.ts";
import type { Migration } from "../ports.ts";

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
  /** How many records a message takes at most, as the relay reports it. */
  readonly batchRecords?: number;
  /** Of `delaySeconds`: from the queue on, by the canary. */
  readonly waySeconds?: number;
  /** The setting, and bytes of a day in the store. */
  readonly rawDays?: number;
  readonly bytesPerDay?: number;
  /** How far back people have read, by the reads that were asked of both sides: as many, the earlier half of them, and the later half, which was not known when the earlier one was. */
  readonly reads?: { readonly count: number; readonly earlierDays: number; readonly laterDays: number };
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
  readonly batchRecords?: number;
}

/** What is known of a home without counters; it changes slowly, and costs reading. */
export type Facts = Pick<Measured, "rawDays" | "bytesPerDay" | "reads">;

/** Reads counters. @throws fate-`retry` service errors */
export interface Meter {
  /** undefined: nobody counts. */
  read(homeId: string): Promise<Reading | undefined>;
  facts(migration: Pick<Migration, "homeId" | "id" | "createdUs">, nowUs: Microseconds): Promise<Facts>;
}

/** What happened between two readings; nothing when the second is not a later one of the same relay's run. */
export function between(before: Reading | undefined, now: Reading | undefined, wayMs: number | undefined): Measured {
  const settings = {
    ...(now?.flushSeconds !== undefined && { flushSeconds: now.flushSeconds }),
    ...(now?.batchRecords !== undefined && { batchRecords: now.batchRecords }),
  };
  const isOn = before && now && now.relayId === before.relayId && now.atMs > before.atMs;
  if (!isOn || now.messages < before.messages || now.acknowledged < before.acknowledged)
    return { ...settings, events: 0, messages: 0 };
  return {
    ...settings,
    events: now.acknowledged - before.acknowledged,
    messages: now.messages - before.messages,
    ...(wayMs !== undefined && { delaySeconds: now.lagSeconds + wayMs / 1000, waySeconds: wayMs / 1000 }),
  };
}
