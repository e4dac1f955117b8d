import type { Clock } from "../../base/clock.ts";
import type { Conflict, ConflictRules, ConflictStore } from "../../devices/index.ts";
import type { OldDevices } from "../ports.ts";
import type { NewListPorts } from "./lists.ts";
import type { DeviceMatch } from "./match.ts";
import type { DeviceMemory } from "./memory.ts";
import type { CapabilityParity } from "./parity.ts";

export interface SyncPorts extends NewListPorts {
  readonly old: OldDevices;
  readonly conflicts: Pick<ConflictStore, "note" | "list">;
  readonly clock: Pick<Clock, "nowMs" | "monotonicMs">;
}

export interface SyncOptions {
  readonly rules: ConflictRules;
  readonly memory: DeviceMemory;
  /** Everything again, also what was refused and what did not change. */
  readonly isComplete: boolean;
  readonly signal: AbortSignal;
}

/** What a run came to. */
export interface SyncRun {
  /** Nothing had changed on either side since the last run: nothing was compared. */
  readonly isUnchanged: boolean;
  readonly match: DeviceMatch;
  readonly changed: { readonly inOld: number; readonly inNew: number };
  readonly conflicts: { readonly found: readonly Conflict[]; readonly added: number; readonly dropped: number };
  readonly created: number;
  readonly updated: number;
  /** Rows that wait for the next run. */
  readonly left: number;
  /** Refused by OLD, or taken and read back otherwise; `isKept` false: the latter. */
  readonly refused: readonly { readonly id: string; readonly reason: string; readonly isKept: boolean }[];
  readonly keptInOld: number;
  readonly parity: CapabilityParity;
  readonly durationMs: number;
}
