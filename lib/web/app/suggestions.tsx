import { useState } from "preact/hooks";
import type { WireSuggestion } from "../../api/index.ts";
import type { Client } from "./client.ts";
import { Empty, Shown, Title } from "./parts.tsx";
import { SuggestionCard } from "./suggestion-card.tsx";
import { useData, useSession } from "./use-data.ts";

const SUGGESTIONS_MAX = 2_000;
const SETTLED_SHOWN = 30;
/** Behind all that have a rank. */
const RESTORED_PLACE = 1_000;

export const readSuggestions = async (client: Client): Promise<readonly WireSuggestion[]> =>
  (await client.list<WireSuggestion>("/api/v1/suggestions?limit=1000", "suggestions", SUGGESTIONS_MAX)).items;

/** The key of `useData`: the list and the number beside its name are of the same answer. */
export const SUGGESTIONS = "suggestions";

export const isOpen = ({ status, rank }: WireSuggestion): boolean => status === "new" && rank !== undefined;

const GROUPS = [
  ["accepted", "Accepted"],
  ["snoozed", "Put off"],
  ["dismissed", "Dismissed"],
] as const;

/** What Home Assistant could do by itself: the best first, then what became of the others. */
export function Suggestions() {
  const session = useSession();
  const found = useData(SUGGESTIONS, readSuggestions);
  // What is decided here and now stays where it was, so that what was done can be seen and changed.
  const [places, setPlaces] = useState<ReadonlyMap<string, number>>(new Map());
  const placeOf = ({ id, rank }: WireSuggestion): number | undefined => places.get(id) ?? rank;
  const settle = (changed: WireSuggestion) => {
    const before = found.data?.find(({ id }) => id === changed.id);
    const restored = changed.status === "new" ? (changed.rank ?? RESTORED_PLACE) : undefined;
    const first = before && isOpen(before) ? before.rank : restored;
    const place = places.get(changed.id) ?? first;
    const data = (found.data ?? []).map((one) => (one.id === changed.id ? changed : one));
    session.shown.set(SUGGESTIONS, { data, atMs: session.nowMs() });
    setPlaces(new Map([...places, ...(place === undefined ? [] : [[changed.id, place] as const])]));
    document.dispatchEvent(new CustomEvent("hearthline:decided"));
  };
  return (
    <>
      <Title lead="What Home Assistant could do for you. Nothing changes until you accept it.">Suggestions</Title>
      <Shown of={found}>
        {(all) => {
          const open = all
            .filter((one) => isOpen(one) || places.has(one.id))
            .toSorted((a, b) => (placeOf(a) ?? 0) - (placeOf(b) ?? 0));
          const settled = all.filter((one) => !places.has(one.id));
          return (
            <>
              {open.length === 0 && (
                <Empty title="Nothing to suggest at the moment.">
                  Suggestions come from habits, and most habits need two to four weeks to show. What Home Assistant has
                  recorded before counts too: <code>npx hearthline history import</code>.
                </Empty>
              )}
              <ol class="suggestions">
                {open.map((one) => (
                  <SuggestionCard key={one.id} suggestion={one} onSettled={settle} />
                ))}
              </ol>
              {GROUPS.map(([status, label]) => (
                <Group
                  key={status}
                  label={label}
                  isOpen={status === "accepted"}
                  suggestions={settled.filter((one) => one.status === status)}
                  onSettled={settle}
                />
              ))}
            </>
          );
        }}
      </Shown>
    </>
  );
}

interface GroupProps {
  readonly label: string;
  readonly isOpen: boolean;
  readonly suggestions: readonly WireSuggestion[];
  readonly onSettled: (changed: WireSuggestion) => void;
}

const Group = ({ label, isOpen, suggestions, onSettled }: GroupProps) =>
  suggestions.length > 0 && (
    <details class="group" open={isOpen}>
      <summary>
        {label} <span class="muted">{suggestions.length}</span>
      </summary>
      <ul class="suggestions">
        {suggestions.slice(0, SETTLED_SHOWN).map((one) => (
          <SuggestionCard key={one.id} suggestion={one} onSettled={onSettled} />
        ))}
      </ul>
      {suggestions.length > SETTLED_SHOWN && <p class="muted small">The newest {SETTLED_SHOWN} are shown.</p>}
    </details>
  );
