import { HearthlineError } from "../base/errors.ts";
import type { AcceptOutcome, Suggestion } from "./ports.ts";
import { noted } from "./tonight.ts";

/** What a person decides. `days`: of snooze. */
export type Decision =
  | { readonly what: "accept" }
  | { readonly what: "dismiss" }
  | { readonly what: "restore" }
  | { readonly what: "snooze"; readonly days: number };

export interface DecisionBy {
  /** ISO 8601 */
  readonly at: string;
  /** `api`, `cli`, `mqtt`. */
  readonly by: string;
}

/** Days that a suggestion may be put off. */
export const SNOOZE_DAYS_MAX = 365;
const DAY_MS = 86_400_000;
/** Nothing of it is in the home: accepting means to try once more, and it may be dismissed or put off. */
const NOT_THERE: ReadonlySet<AcceptOutcome | undefined> = new Set(["refused", "removed"]);

/**
 * The suggestion after the decision; the same one when it was decided so already, so that a button pressed twice does nothing twice. A person may change his mind: dismissed ones may
 * be accepted, and dismissed or put off ones be new again: where the last night had them, or else where the next one ranks them. An accepted one whose automation is in the home, or on its way there, cannot be dismissed or restored here: it is removed there.
 * @throws HearthlineError `suggestion_accepted`
 */
export function settle(suggestion: Suggestion, decision: Decision, { at, by }: DecisionBy): Suggestion {
  const { rank, rankBefore = rank, snoozedUntil: _, outcome: __, outcomeDetail: ___, ...facts } = suggestion;
  const rest = { ...facts, ...(rankBefore !== undefined && { rankBefore }) };
  if (decision.what === "accept") {
    if (suggestion.status === "accepted" && !NOT_THERE.has(suggestion.outcome)) return suggestion;
    const accepted: Suggestion = {
      ...rest,
      status: "accepted",
      ...(suggestion.automation && { outcome: "waiting", automationId: automationIdOf(suggestion) }),
    };
    return noted(accepted, at, "accepted", by);
  }
  if (suggestion.status === "accepted" && suggestion.automation && !NOT_THERE.has(suggestion.outcome))
    throw new HearthlineError(
      "suggestion_accepted",
      `The suggestion "${suggestion.id}" was accepted, and its automation is "${suggestion.outcome ?? "none"}"; wanted is one that is not. Remove the automation in Home Assistant instead.`,
    );
  if (decision.what === "dismiss")
    return suggestion.status === "dismissed"
      ? suggestion
      : noted({ ...rest, status: "dismissed" }, at, "dismissed", by);
  if (decision.what === "restore")
    return suggestion.status === "new"
      ? suggestion
      : noted({ ...facts, status: "new", ...(rankBefore !== undefined && { rank: rankBefore }) }, at, "restored", by);
  const snoozedUntil = new Date(Date.parse(at) + decision.days * DAY_MS).toISOString();
  return noted({ ...rest, status: "snoozed", snoozedUntil }, at, `snoozed for ${decision.days} days`, by);
}

/** The id of its automation in Home Assistant: ours, and the same whenever it is written again. */
export const automationIdOf = ({ id }: Pick<Suggestion, "id">): string => `hearthline_${id.replaceAll("-", "_")}`;

const OUTCOME_WORDS: Readonly<Record<AcceptOutcome, string>> = {
  waiting: "waits for the relay",
  written: "written into Home Assistant",
  kept: "still there and on",
  overridden: "people undo what it does",
  "turned-off": "turned off in Home Assistant",
  removed: "removed from Home Assistant",
  refused: "not taken by Home Assistant",
};

/** What was seen of an accepted one in the house. Nothing is noted twice. */
export function withOutcome(
  suggestion: Suggestion,
  outcome: AcceptOutcome,
  { at, by, detail }: DecisionBy & { readonly detail?: string },
): Suggestion {
  if (suggestion.status !== "accepted") return suggestion;
  if (suggestion.outcome === outcome && suggestion.outcomeDetail === detail) return suggestion;
  const { outcomeDetail: _, ...rest } = suggestion;
  return noted(
    { ...rest, outcome, ...(detail !== undefined && { outcomeDetail: detail }) },
    at,
    OUTCOME_WORDS[outcome],
    by,
  );
}
