import { MIGRATION_STATES } from "../api/ports.ts";
import type { Microseconds } from "../base/time.ts";
import type { Plan, Trigger } from "./plan.ts";

/** As they stand on the wire; in this order but for the last three. */
export const STATES = MIGRATION_STATES;
export type State = (typeof STATES)[number];

/** Nothing happens any more. */
export const ENDED: ReadonlySet<State> = new Set(["complete", "rolled_back"]);

/** Too little data is `inconclusive`: neither a pass nor a fail; it holds. */
export type Verdict = "pass" | "fail" | "inconclusive";

/** What one check found. Names of members as the report has them. */
export interface CheckResult {
  /** Stable: `performance.range`, `consistency`, `canary`, `health.old`. */
  readonly name: string;
  readonly verdict: Verdict;
  /** The figure that was judged, with its bounds where it has any; in the unit that `explanation` names. */
  readonly observed?: number;
  readonly low?: number;
  readonly high?: number;
  readonly limit?: number;
  readonly sampleSize: number;
  /** Of an inconclusive one: about how many more samples settle it. */
  readonly samplesWanted?: number;
  /** One sentence for people, with its figures. */
  readonly explanation: string;
  /** Of a failed one: what it sets off when the plan's switch is on. Absent: it holds, and takes nothing back. */
  readonly trigger?: Trigger;
  /** Somebody should be told, though it is no failure (yet). */
  readonly isAlert?: boolean;
  /** Of `consistency`: everything was read anew for it, in the final validation that began then. Absent: it goes on from earlier looks. */
  readonly coldSinceUs?: Microseconds;
}

/** Who did it: the scheduled step, or a person by the name of his token. */
export type Actor = string;
export const STEP: Actor = "validate-migration";

/** One change of a migration, for ever. */
export interface AuditEntry {
  /** The epoch that this change made: 1, 2, 3... without a hole. */
  readonly epoch: number;
  readonly atUs: Microseconds;
  readonly actor: Actor;
  readonly from: State;
  readonly to: State;
  readonly percentFrom: number;
  readonly percentTo: number;
  /** A sentence. */
  readonly reason: string;
  readonly trigger?: Trigger;
  /** The checks on which it rests. */
  readonly evidence: readonly CheckResult[];
  /** By hand over a verdict that said no. */
  readonly isForced?: boolean;
}

/** One row a migration. */
export interface Migration {
  readonly version: 1;
  readonly id: string;
  readonly homeId: string;
  readonly plan: Plan;
  readonly state: State;
  /** Of a paused one: where it goes on. */
  readonly pausedFrom?: State;
  /** Index into `plan.stages` while the state is `ramp`; the percent that NEW answers for is `stagePercent`. */
  readonly stage: number;
  readonly stagePercent: number;
  /** Counts changes of state, stage or plan: the fence. An operator's change names the one he saw. */
  readonly epoch: number;
  /** Counts every write of the row: the compare-and-set. */
  readonly revision: number;
  readonly createdUs: Microseconds;
  /** When the state (and stage) began. */
  readonly sinceUs: Microseconds;
  /** Since when all checks of this stage have passed without interruption; absent: they do not. */
  readonly goodSinceUs?: Microseconds;
  readonly lastStepUs?: Microseconds;
  /** Of the last step. */
  readonly verdict: Verdict;
  readonly checks: readonly CheckResult[];
  /** Gates that a person has opened. */
  readonly opened: readonly string[];
  /** Why it was paused or is going back. */
  readonly reason?: string;
  readonly trigger?: Trigger;
  /** Readers that a person has moved, by the name of their token. */
  readonly readers: Readonly<Record<string, "old" | "new">>;
  /** Decides which entities are NEW's at which percentage; made once. */
  readonly salt: string;
  /** The change that made this epoch: written to the audit before the next one is made, so that none is missing after a crash. */
  readonly lastChange?: AuditEntry;
}

/**
 * Who answers reads: one small record, derived from the row by `pointerOf`, cached by readers for seconds. Of basis points (0 to 10,000).
 */
export interface Pointer {
  readonly migrationId: string;
  readonly epoch: number;
  /** `old`: OLD is the authority for everything not below `basisPoints`. `new`: NEW answers all. */
  readonly authority: "old" | "split" | "new";
  readonly basisPoints: number;
  readonly salt: string;
  /** Of reads that are asked of the other side too. */
  readonly shadowBasisPoints: number;
  /** Readers that were moved by hand, by the name of their token (row B6). */
  readonly readers: Readonly<Record<string, "old" | "new">>;
  /** NEW has the whole past: where OLD does not answer, NEW may. */
  readonly isNewComplete: boolean;
  /** OLD still gets everything: where NEW does not answer, OLD may. */
  readonly isOldComplete: boolean;
  /** Where OLD is, so that whoever reads by this record needs no other. */
  readonly old: Plan["old"];
}

/** One read asked of both sides. Milliseconds; an error instead of a time where it failed. */
export interface ReadPair {
  readonly atUs: Microseconds;
  /** `probe`: the control plane's own; `shadow`: a user's. */
  readonly by: "probe" | "shadow";
  /** What was asked: `range`, `aggregate`, `latest`. Only like is compared with like. */
  readonly query: string;
  readonly oldMs?: number;
  readonly newMs?: number;
  readonly oldError?: string;
  readonly newError?: string;
  readonly rows: number;
  /** Of a user's: how long before it the oldest lay that he was given, seconds. */
  readonly backSeconds?: number;
  /** Absent: one of the two gave no answer. */
  readonly isEqual?: boolean;
}

/** - `late`: it came after its tile was closed. `known-limit`: OLD cannot hold it; listed by kind, never counted. */
export const DIFFERENCE_CLASSES = ["missing-in-new", "missing-in-old", "different", "late", "known-limit"] as const;
export type DifferenceClass = (typeof DIFFERENCE_CLASSES)[number];

/** One row in which OLD and NEW differ, after its recheck. */
export interface Difference {
  readonly class: DifferenceClass;
  readonly entityId: string;
  readonly atUs: Microseconds;
  /** Of `different`: which. */
  readonly field?: string;
  readonly old?: string;
  readonly new?: string;
  /** Of `missing-in-*`, by the ledger and the loss records: who lost it, or that nobody is known to. */
  readonly lostBy?: "old" | "new" | "relay" | "unknown";
  readonly foundUs: Microseconds;
  readonly explanation: string;
  /** Sent again since, and there. */
  readonly isRepaired?: boolean;
}
