import type { Clock } from "../base/clock.ts";
import type { DeviceIndex, Entity, Seen } from "../devices/ports.ts";
import type { EventStore } from "../store/ports.ts";
import { type Acts, actsOf, isOverridden, WATCHED_DAYS } from "./overridden.ts";
import type { AcceptOutcome, Suggestion, SuggestionStore } from "./ports.ts";
import { withOutcome } from "./settle.ts";

export interface WatchOptions {
  readonly suggestions: Pick<SuggestionStore, "list" | "change">;
  readonly index: Pick<DeviceIndex, "list" | "seen" | "revisions">;
  readonly events: Pick<EventStore, "range">;
  readonly clock: Pick<Clock, "nowMs">;
  /** Asks the house once more for one that still waits: what it was asked may have expired. */
  readonly again?: (suggestion: Suggestion) => Promise<void>;
}

/** After so many days on, an automation has been kept. */
const KEPT_DAYS = 14;
const DAY_MS = 86_400_000;
const WATCHED: ReadonlySet<AcceptOutcome | undefined> = new Set(["written", "kept", "overridden", "turned-off"]);

/** Looks how the accepted automations of a home fare in it, and notes what is new. Gives how many are there, and how many were found otherwise than before. */
export const createWatch =
  (options: WatchOptions) =>
  async (homeId: string): Promise<Readonly<Record<string, number>>> => {
    const { suggestions, again } = options;
    const accepted = (await suggestions.list(homeId)).filter(({ status }) => status === "accepted");
    for (const one of accepted) if (one.outcome === "waiting" && one.automation) await again?.(one);
    const watched = accepted.filter(({ outcome }) => WATCHED.has(outcome));
    if (watched.length === 0) return { watched: 0, outcomes_changed: 0 };
    const found = await outcomesOf(homeId, watched, options);
    let changed = 0;
    const at = new Date(options.clock.nowMs()).toISOString();
    await suggestions.change(homeId, (there) => {
      changed = 0;
      return there.map((one) => {
        const outcome = WATCHED.has(one.outcome) ? found.get(one.id) : undefined;
        if (outcome === undefined || outcome === one.outcome) return one;
        changed += 1;
        return withOutcome(one, outcome, { at, by: "night" });
      });
    });
    return { watched: watched.length, outcomes_changed: changed };
  };

async function outcomesOf(
  homeId: string,
  watched: readonly Suggestion[],
  { index, events, clock }: WatchOptions,
): Promise<ReadonlyMap<string, AcceptOutcome>> {
  const nowMs = clock.nowMs();
  const [entities, seen, { entities: revision = 0 }] = await Promise.all([
    index.list(homeId, "entities"),
    index.seen(homeId),
    index.revisions(homeId),
  ]);
  const acts = await actsOf(homeId, watched, { events, fromUs: (nowMs - WATCHED_DAYS * DAY_MS) * 1000 });
  const found = new Map<string, AcceptOutcome>();
  for (const one of watched) {
    const outcome = outcomeOf(one, { entities, seen, revisionMs: revision, acts, nowMs });
    if (outcome) found.set(one.id, outcome);
  }
  return found;
}

interface House {
  readonly entities: readonly Entity[];
  readonly seen: ReadonlyMap<string, Seen>;
  /** When the registry was read. */
  readonly revisionMs: number;
  readonly acts: Acts;
  readonly nowMs: number;
}

/** undefined: nothing can be said tonight. */
function outcomeOf(suggestion: Suggestion, { entities, seen, revisionMs, acts, nowMs }: House) {
  const writtenMs = Date.parse(suggestion.history.findLast(({ by }) => by === "relay")?.at ?? suggestion.updatedAt);
  // What the home said before it was written cannot tell that it is gone.
  if (revisionMs <= writtenMs) return undefined;
  const entity = entities.find(
    ({ platform, uniqueId }) => platform === "automation" && uniqueId === suggestion.automationId,
  );
  if (!entity) return "removed";
  const state = seen.get(entity.entityId)?.state;
  if (state === "off") return "turned-off";
  if (state !== "on") return undefined;
  if (isOverridden(suggestion, entity.entityId, acts)) return "overridden";
  return nowMs - writtenMs >= KEPT_DAYS * DAY_MS ? "kept" : "written";
}
