/** A Home Assistant automation as JSON, in the plural keys of 2024.10 and later: `alias`, `description`, `mode`, `triggers`, `conditions`, `actions`. */
export interface Automation {
  readonly alias: string;
  readonly description: string;
  readonly mode: "single" | "restart" | "queued" | "parallel";
  readonly triggers: readonly Readonly<Record<string, unknown>>[];
  readonly conditions: readonly Readonly<Record<string, unknown>>[];
  readonly actions: readonly Readonly<Record<string, unknown>>[];
}

export const SUGGESTION_STATUSES = ["new", "accepted", "dismissed", "snoozed"] as const;
export type SuggestionStatus = (typeof SUGGESTION_STATUSES)[number];

/**
 * What came of an accepted one, as seen in the house.
 * - `waiting`: the relay has not written it yet (or it is not allowed to: then a person copies the YAML).
 * - `written`: the automation is there. `kept`: still there and on after 14 days. `overridden`: people undo what it does.
 * - `turned-off`, `removed`: somebody turned it off or deleted it. `refused`: Home Assistant did not take it, and why.
 */
export type AcceptOutcome = "waiting" | "written" | "kept" | "overridden" | "turned-off" | "removed" | "refused";

export interface Suggestion {
  readonly homeId: string;
  /** Of a-z, 0-9 and `-`; the same for the same pattern or feature. */
  readonly id: string;
  readonly source: "pattern" | "feature";
  /** From 1; absent: not among the home's best at the moment (then it is kept for its history only). */
  readonly rank?: number;
  /** Its rank when a person settled it, until the next night: who takes that back finds it where it was. */
  readonly rankBefore?: number;
  /** 0 to 1: what it saves times how sure it is; patterns and features on one scale. */
  readonly score: number;
  readonly title: string;
  readonly description: string;
  /** One line: hits of opportunities, spread, since when. */
  readonly evidence: string;
  /** Absent: nothing that Home Assistant could do by itself (an unused feature that a person sets). */
  readonly automation?: Automation;
  readonly status: SuggestionStatus;
  /** Local date of the night that first made it; ISO 8601 time. */
  readonly createdAt: string;
  readonly updatedAt: string;
  /** ISO 8601; until then it is not told again. */
  readonly snoozedUntil?: string;
  readonly patternId?: string;
  readonly deviceId?: string;
  /** Of a feature: its name in the device's capabilities. */
  readonly feature?: string;
  readonly outcome?: AcceptOutcome;
  /** Of `refused`: why, and what is missing. */
  readonly outcomeDetail?: string;
  /** The id under which the automation was written. */
  readonly automationId?: string;
  /** What a language model made of the template's words, and of which; absent: the template's own. */
  readonly wording?: Wording;
  /** What became of it, oldest first, at most 50. `by`: `night`, `api`, `cli`, `mqtt`. */
  readonly history: readonly { readonly at: string; readonly what: string; readonly by: string }[];
}

/** Words for people: never ids, numbers or automations. */
export interface Words {
  readonly title: string;
  readonly description: string;
}

export interface Wording extends Words {
  /** SHA-256 of the template's words, so that the same words are not asked for twice. */
  readonly of: string;
}

/** Whoever can say the same in better words. */
export interface Writer {
  /** undefined: it gave nothing that can be read. @throws fate-`retry` and `service_refused` errors; nobody waits for it longer than ten seconds */
  rephrase(words: Words & { readonly evidence: string }): Promise<Words | undefined>;
}

/** All suggestions of a home, dismissed ones included: one row, changed by compare-and-set. Every method: @throws fate-`retry` service errors, safe to repeat. */
export interface SuggestionStore {
  /** Ranked ones first, by rank; then the others, newest first. */
  list(homeId: string): Promise<readonly Suggestion[]>;
  get(homeId: string, id: string): Promise<Suggestion | undefined>;
  /**
   * Reads all, and replaces them by what `work` makes of them; `work` is called again when somebody wrote in between, and has no other effect.
   * @throws HearthlineError `conflict` when others were always first
   */
  change(homeId: string, work: (there: readonly Suggestion[]) => readonly Suggestion[]): Promise<readonly Suggestion[]>;
}

const UNRANKED = Number.MAX_SAFE_INTEGER;
/** Ranked ones first, by rank; then the others, the newest first. */
export const inListOrder = (all: readonly Suggestion[]): readonly Suggestion[] =>
  all.toSorted(
    (a, b) =>
      (a.rank ?? UNRANKED) - (b.rank ?? UNRANKED) ||
      (a.updatedAt === b.updatedAt ? (a.id < b.id ? -1 : 1) : a.updatedAt < b.updatedAt ? 1 : -1),
  );
