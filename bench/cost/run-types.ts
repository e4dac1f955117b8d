import type { StoreName } from "./setting.ts";
import type { Usage } from "./usage.ts";

export interface RunOptions {
  /** What `writeEvents` has written. */
  readonly path: string;
  readonly eventsPerDay: number;
  readonly flushSeconds: number;
  /** Homes that are really run. */
  readonly homes: number;
  /** Homes of which these are a part: how many come together in a batch follows from it. */
  readonly fleet: number;
  /** Messages of all homes together at most: a run of fewer stands for the rest of its day. */
  readonly messagesMax: number;
  /** Ends with the night's job, of one home; then it is a whole day. */
  readonly isWithNight: boolean;
}

export interface Night {
  /** Messages of the closed day, which are its segments. */
  readonly segments: number;
  /** Of the call that makes the night's job, beyond one that makes nothing. */
  readonly dispatch: Usage;
  readonly analyze: Readonly<Record<StoreName, Usage>>;
  /** Bytes of a closed day at rest. */
  readonly dayBytes: number;
  readonly queries: number;
}

export interface Run {
  readonly options: RunOptions;
  /** A home and day, by who used it: `relay`, `enrich`, `index-devices`, and `store NAME` for each store. */
  readonly parts: ReadonlyMap<string, Usage>;
  readonly messagesADay: number;
  readonly batches: Readonly<Record<string, number>>;
  /** Mean of a call, by function: what it computed here, and what it waited for. */
  readonly calls: ReadonlyMap<string, { readonly cpuMs: number; readonly waitedMs: number; readonly count: number }>;
  readonly hotBytesADay: number;
  readonly timestreamBytesADay: number;
  /** One look of `dispatch` at nothing that is due, by home. */
  readonly idleDispatch: Usage;
  readonly metrics: number;
  readonly night?: Night;
}
