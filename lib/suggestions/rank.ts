import { isAlike, isLoop, isTimeOf, switchedBy } from "./alike.ts";
import type { Draft } from "./draft.ts";
import type { Suggestion } from "./ports.ts";

/** So many are told: a list that is longer is not read (F4 of the requirements asks for ten). */
export const SUGGESTIONS_TOLD = 10;
/** What stood in the list yesterday gets so much more: two that are nearly equal do not change places every night. */
const STAYS = 1.1;
/** One lamp does not fill the list. */
const TOLD_OF_ONE = 3;
const CAUSE_SHARE = 0.5;

export interface RankOptions {
  /** What the home has of earlier nights. */
  readonly there: readonly Suggestion[];
  /** ISO 8601 */
  readonly now: string;
  /** Entity ids and domains of which nothing is suggested. */
  readonly excluded: (entityId: string) => boolean;
}

/**
 * The best of tonight, best first: patterns and features on one scale, none that is excluded, dismissed, snoozed or accepted, nor anything that comes to the same as
 * one of these or as a better one, nor what would go round in a circle with one. Deterministic: equal scores go by id. Complexity: O(drafts * (told + settled)).
 */
export function rankDrafts(drafts: readonly Draft[], { there, now, excluded }: RankOptions): readonly Draft[] {
  const settled = there.filter((suggestion) => isSettled(suggestion, now));
  const settledIds = new Set(settled.map(({ id }) => id));
  const stood = new Set(there.filter(({ rank }) => rank !== undefined).map(({ id }) => id));
  const weight = ({ id, score }: Draft) => score * (stood.has(id) ? STAYS : 1);
  const wanted = drafts.filter(({ score, entityIds }) => score > 0 && !entityIds.some(excluded));
  const dismissed = new Set(there.filter(({ status }) => status === "dismissed").map(({ id }) => id));
  const causes = wanted.filter(({ id, explains }) => explains && !dismissed.has(id));
  const candidates = wanted
    .filter((draft) => !settledIds.has(draft.id) && !isExplained(draft, causes))
    .sort((a, b) => weight(b) - weight(a) || (a.id < b.id ? -1 : 1));
  const told: Draft[] = [];
  const known = settled.flatMap(({ automation }) => (automation ? [automation] : []));
  const loopable = settled.flatMap(({ status, automation }) =>
    status === "accepted" && automation ? [automation] : [],
  );
  const ofEntity = new Map<string, number>();
  for (const draft of candidates) {
    if (told.length >= SUGGESTIONS_TOLD) break;
    const { automation } = draft;
    if (automation) {
      if (known.some((other) => isAlike(automation, other))) continue;
      if (loopable.some((other) => isLoop(automation, other))) continue;
      const entityIds = [...switchedBy(automation)];
      if (entityIds.some((entityId) => (ofEntity.get(entityId) ?? 0) >= TOLD_OF_ONE)) continue;
      for (const entityId of entityIds) ofEntity.set(entityId, (ofEntity.get(entityId) ?? 0) + 1);
      known.push(automation);
      loopable.push(automation);
    }
    told.push(draft);
  }
  return told;
}

/** A time of day, or a length, of something that nearly always follows something else: what causes it says more, as long as it is not much weaker. */
const isExplained = ({ automation, score }: Draft, causes: readonly Draft[]): boolean =>
  automation !== undefined &&
  causes.some(
    (cause) => cause.automation && cause.score >= score * CAUSE_SHARE && isTimeOf(automation, cause.automation),
  );

/** Whether a person has said what is to become of it: dismissed and accepted for ever, snoozed for its time. */
export const isSettled = ({ status, snoozedUntil }: Suggestion, now: string): boolean =>
  status === "accepted" || status === "dismissed" || (status === "snoozed" && (snoozedUntil ?? "") > now);
