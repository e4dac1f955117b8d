import type { Draft } from "./draft.ts";
import type { Suggestion } from "./ports.ts";
import { isSettled } from "./rank.ts";

/** A home keeps so many, the settled ones first: what was dismissed must stay so. */
export const SUGGESTIONS_KEPT = 500;
const HISTORY_KEPT = 50;
/** So many are kept with all their words and history. */
const KEPT_WHOLE = 100;
const HISTORY_OF_ACCEPTED = 20;
const HISTORY_OF_OTHERS = 5;

export interface TonightOptions {
  readonly homeId: string;
  /** ISO 8601 */
  readonly now: string;
}

/** Adds a line to a suggestion's history. */
export const noted = (suggestion: Suggestion, at: string, what: string, by: string): Suggestion => ({
  ...suggestion,
  updatedAt: at,
  history: [...suggestion.history, { at, what, by }].slice(-HISTORY_KEPT),
});

/** What is kept after a night: `told` with their ranks, and all others without one. Pure; the same night twice leaves the same. */
export function suggestionsOfTonight(
  there: readonly Suggestion[],
  told: readonly Draft[],
  { homeId, now }: TonightOptions,
): readonly Suggestion[] {
  const known = new Map(there.map((suggestion) => [suggestion.id, suggestion]));
  const ranked = told.map((draft, index) => {
    const old = known.get(draft.id);
    known.delete(draft.id);
    return made(draft, index + 1, old, { homeId, now });
  });
  const others = [...known.values()].map((suggestion) => unranked(suggestion, now));
  return bounded([...ranked, ...others], now);
}

function made(draft: Draft, rank: number, old: Suggestion | undefined, { homeId, now }: TonightOptions): Suggestion {
  const { id, source, title, description, evidence, automation, score, patternId, deviceId, feature, wording } = draft;
  const facts = {
    ...{ homeId, id, source, rank, title, description, evidence, status: "new" as const },
    score: Math.round(score * 1e4) / 1e4,
    ...(automation && { automation }),
    ...(patternId !== undefined && { patternId }),
    ...(deviceId !== undefined && { deviceId }),
    ...(feature !== undefined && { feature }),
    ...(wording && { wording }),
  };
  if (!old) return { ...facts, createdAt: now, updatedAt: now, history: [{ at: now, what: "suggested", by: "night" }] };
  const again: Suggestion = { ...facts, createdAt: old.createdAt, updatedAt: old.updatedAt, history: old.history };
  if (old.status === "snoozed") return noted(again, now, "suggested again", "night");
  if (old.rank === undefined) return noted(again, now, "among the best again", "night");
  return again;
}

function unranked(suggestion: Suggestion, now: string): Suggestion {
  const { rank, rankBefore: _, ...rest } = suggestion;
  if (rank === undefined) return rest;
  return isSettled(suggestion, now) ? rest : noted(rest, now, "no longer among the best", "night");
}

/** Ranked, then accepted (their automations are in the house, and watched), then what else is settled, then the newest; equal ones by id. */
function bounded(all: readonly Suggestion[], now: string): readonly Suggestion[] {
  if (all.length <= KEPT_WHOLE) return all;
  const worth = (one: Suggestion) =>
    one.rank !== undefined ? 3 : one.status === "accepted" ? 2 : isSettled(one, now) ? 1 : 0;
  const newest = (a: Suggestion, b: Suggestion) =>
    a.updatedAt === b.updatedAt ? (a.id < b.id ? -1 : 1) : a.updatedAt < b.updatedAt ? 1 : -1;
  return all
    .toSorted((a, b) => worth(b) - worth(a) || newest(a, b))
    .slice(0, SUGGESTIONS_KEPT)
    .map(slim);
}

/** All of a home are one row of 400 KB at most: of many, those that nobody looks at any more keep the end of their history, and no second words. */
function slim(one: Suggestion): Suggestion {
  if (one.rank !== undefined) return one;
  if (one.status === "accepted") return { ...one, history: one.history.slice(-HISTORY_OF_ACCEPTED) };
  const { wording: _, ...rest } = one;
  return { ...rest, history: rest.history.slice(-HISTORY_OF_OTHERS) };
}
