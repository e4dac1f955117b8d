import type { Phase } from "../analysis/index.ts";
import type { PatternStore, UtilisationStore } from "../analysis/ports.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { createRegistryView } from "../devices/index.ts";
import type { DeviceIndex } from "../devices/ports.ts";
import { draftOfFeature, draftOfPattern } from "./draft.ts";
import type { SuggestionStore, Writer } from "./ports.ts";
import { rankDrafts } from "./rank.ts";
import { rewordAll } from "./reword.ts";
import { suggestionsOfTonight } from "./tonight.ts";
import type { Names } from "./words.ts";

export interface SuggestionsPhaseOptions {
  readonly patterns: Pick<PatternStore, "list">;
  /** Absent: no features are suggested. */
  readonly utilisation?: Pick<UtilisationStore, "get">;
  readonly suggestions: SuggestionStore;
  readonly index: Pick<DeviceIndex, "list">;
  /** Entities of which nothing is suggested (HEARTHLINE_SUGGEST_EXCLUDE). */
  readonly excluded: (entityId: string) => boolean;
  readonly clock: Pick<Clock, "nowMs">;
  readonly budgetMs?: number;
  /** Says titles and descriptions better; absent: the templates' words stand. */
  readonly writer?: Writer;
  readonly log: Pick<Logger, "warn">;
  /** Looks how accepted ones fare in the house, and notes it. */
  readonly watch?: (homeId: string) => Promise<Readonly<Record<string, number>>>;
}

/** What is suggested to people: the best of patterns and unused features. A job of an older day than the newest changes nothing that the newest would not. */
export function suggestionsPhase(options: SuggestionsPhaseOptions): Phase {
  const { patterns, utilisation, suggestions, clock, budgetMs, excluded, writer, log, watch } = options;
  return {
    name: "suggestions",
    ...(budgetMs !== undefined && { budgetMs }),
    async run({ homeId }, _timeZone, { signal }) {
      const [learned, used, names, watched] = await Promise.all([
        patterns.list(homeId),
        utilisation?.get(homeId),
        namesOf(homeId, options.index),
        watch?.(homeId) ?? {},
      ]);
      const habits = learned.flatMap((pattern) => draftOfPattern(pattern, names) ?? []);
      const features = (used?.devices ?? []).flatMap(({ unused }) => unused.filter(isMore).map(draftOfFeature));
      const now = new Date(clock.nowMs()).toISOString();
      const drafts = [...habits, ...features];
      const before = await suggestions.list(homeId);
      const best = rankDrafts(drafts, { there: before, now, excluded });
      const worded = await rewordAll(best, { there: before, writer, log, signal });
      const kept = await suggestions.change(homeId, (there) => {
        // Its time is over: what it knows may be older than what another night has written since.
        signal.throwIfAborted();
        const told = rankDrafts(drafts, { there, now, excluded }).map((draft) => worded.drafts.get(draft.id) ?? draft);
        return suggestionsOfTonight(there, told, { homeId, now });
      });
      return {
        patterns: learned.length,
        drafts: habits.length,
        features: features.length,
        told: kept.filter(({ rank }) => rank !== undefined).length,
        ...(writer && { reworded: worded.calls }),
        ...watched,
      };
    },
  };
}

/** That a device can be turned on is nothing to be told. */
const isMore = ({ feature }: { readonly feature: string }): boolean => !/^state(_|$)/.test(feature);

async function namesOf(homeId: string, index: SuggestionsPhaseOptions["index"]): Promise<Names> {
  const [entities, devices, areas] = await Promise.all([
    index.list(homeId, "entities"),
    index.list(homeId, "devices"),
    index.list(homeId, "areas"),
  ]);
  const view = createRegistryView({ entities, devices, areas });
  return {
    entity: (entityId) => view.entity(entityId)?.name ?? entityId.slice(entityId.indexOf(".") + 1).replaceAll("_", " "),
    deviceClass: (entityId) => view.entity(entityId)?.deviceClass,
  };
}
