import { readFileSync } from "node:fs";
import type { HomeSize } from "./homes.ts";
import type { DayInfo } from "./learn.ts";

/** What the steps of one home share. */
export interface Setting {
  readonly size: HomeSize;
  readonly days: number;
  /** So many of the last days have their raw events. */
  readonly full: number;
  /** Raw events, in SQLite. */
  readonly storePath: string;
  /** Aggregates as lines. */
  readonly keptPath: string;
  readonly infoPath: string;
  readonly emulators: { readonly queues?: string; readonly tables?: string };
  readonly table: string;
}

/** What `prepare` leaves for the others. */
export interface Info {
  /** Of all days, ascending. */
  readonly days: readonly DayInfo[];
  /** Entities that were heard, with their device and room. */
  readonly entities: readonly (readonly [entityId: string, deviceId: string | undefined, areaId: string | undefined])[];
}

export const readInfo = ({ infoPath }: Setting): Info => JSON.parse(readFileSync(infoPath, "utf8")) as Info;
