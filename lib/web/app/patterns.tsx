import { useState } from "preact/hooks";
import type { WireArea, WireEntity, WirePattern } from "../../api/index.ts";
import { countText } from "../age.ts";
import type { Client } from "./client.ts";
import { Empty, Shown, Title } from "./parts.tsx";
import { PatternCard } from "./pattern-card.tsx";
import { useData } from "./use-data.ts";
import { KIND_LABELS } from "./words.ts";

const PATTERNS_MAX = 5_000;
const ENTITIES_MAX = 20_000;
/** Cards that are drawn at once. */
const SHOWN = 24;

async function readAll(client: Client) {
  const [patterns, areas, entities] = await Promise.all([
    client.list<WirePattern>("/api/v1/patterns?limit=1000", "patterns", PATTERNS_MAX),
    client.list<WireArea>("/api/v1/areas?limit=1000", "areas", ENTITIES_MAX),
    client.list<WireEntity>("/api/v1/entities?limit=1000", "entities", ENTITIES_MAX),
  ]);
  const names = new Map(entities.items.map(({ entity_id, name = entity_id }) => [entity_id, name]));
  const places = new Map(entities.items.map(({ entity_id, area_id }) => [entity_id, area_id]));
  return { patterns: patterns.items.toSorted(byWorth), areas: areas.items, names, places };
}

const LIFE_ORDER = { active: 0, fading: 1, ended: 2 } as const;
/** Living ones first; the surest first. */
const byWorth = (a: WirePattern, b: WirePattern): number =>
  LIFE_ORDER[a.status] - LIFE_ORDER[b.status] ||
  b.reliability - a.reliability ||
  b.hits - a.hits ||
  (a.id < b.id ? -1 : 1);

/** Layer 4, one card a pattern. */
export function Patterns({ id }: { readonly id: string | undefined }) {
  const found = useData("patterns", readAll);
  return (
    <>
      <Title lead="What this home does again and again, and what was out of the ordinary.">Patterns</Title>
      <Shown of={found}>
        {(data) =>
          data.patterns.length === 0 ? (
            <Empty title="No pattern has been found yet.">
              Every night the home's day is looked through. Most habits need two to four weeks to show; what Home
              Assistant has recorded before counts too: <code>npx hearthline history import</code>.
            </Empty>
          ) : (
            <Filtered key={id ?? ""} id={id} {...data} />
          )
        }
      </Shown>
    </>
  );
}

interface FilteredProps extends Awaited<ReturnType<typeof readAll>> {
  readonly id: string | undefined;
}

function Filtered({ id, patterns, areas, names, places }: FilteredProps) {
  const [chosen, setChosen] = useState<Chosen>({ kind: "", area: "", withEnded: false });
  const [shown, setShown] = useState(SHOWN);
  const areaOf = ({ area_id, target }: WirePattern) => area_id ?? places.get(target.entity_id) ?? "";
  const areaNames = new Map(areas.map((one) => [one.area_id, one.name]));
  const kinds = [...new Set(patterns.map((pattern) => pattern.kind))];
  const rooms = areas.filter(({ area_id }) => patterns.some((pattern) => areaOf(pattern) === area_id));
  const wanted = patterns.filter(
    (pattern) =>
      (id === undefined || pattern.id === id) &&
      (chosen.kind === "" || pattern.kind === chosen.kind) &&
      (chosen.area === "" || areaOf(pattern) === chosen.area) &&
      (chosen.withEnded || id !== undefined || pattern.status !== "ended"),
  );
  const cards = wanted
    .slice(0, shown)
    .map((pattern) => (
      <PatternCard
        key={pattern.id}
        pattern={pattern}
        areaName={areaNames.get(areaOf(pattern))}
        nameOf={(entityId) => names.get(entityId) ?? entityId}
      />
    ));
  return (
    <>
      {id === undefined ? (
        <Filters
          {...{ chosen, kinds, rooms, count: wanted.length }}
          onChange={(changed) => {
            setChosen({ ...chosen, ...changed });
            setShown(SHOWN);
          }}
        />
      ) : (
        <p>
          <a href="#patterns">← All patterns</a>
        </p>
      )}
      {wanted.length === 0 && <Empty title="No pattern of these.">Choose another kind or room.</Empty>}
      <ul class="cards">{cards}</ul>
      {wanted.length > shown && (
        <p class="more">
          <button type="button" onClick={() => setShown(shown + SHOWN)}>
            Show {Math.min(SHOWN, wanted.length - shown)} more of {countText(wanted.length)}
          </button>
        </p>
      )}
    </>
  );
}

/** "": all of them. */
interface Chosen {
  readonly kind: string;
  readonly area: string;
  readonly withEnded: boolean;
}

interface FiltersProps {
  readonly chosen: Chosen;
  readonly kinds: readonly WirePattern["kind"][];
  readonly rooms: readonly WireArea[];
  readonly count: number;
  readonly onChange: (changed: Partial<Chosen>) => void;
}

const Filters = ({ chosen, kinds, rooms, count, onChange }: FiltersProps) => (
  <form class="filters" onSubmit={(event) => event.preventDefault()}>
    <label>
      Kind
      <select aria-label="Kind" value={chosen.kind} onChange={(event) => onChange({ kind: event.currentTarget.value })}>
        <option value="">All kinds</option>
        {kinds.map((one) => (
          <option key={one} value={one}>
            {KIND_LABELS[one]}
          </option>
        ))}
      </select>
    </label>
    <label>
      Room
      <select aria-label="Room" value={chosen.area} onChange={(event) => onChange({ area: event.currentTarget.value })}>
        <option value="">All rooms</option>
        {rooms.map((room) => (
          <option key={room.area_id} value={room.area_id}>
            {room.name}
          </option>
        ))}
      </select>
    </label>
    <label class="check">
      <input
        type="checkbox"
        checked={chosen.withEnded}
        onChange={(event) => onChange({ withEnded: event.currentTarget.checked })}
      />
      Ended ones too
    </label>
    <output class="muted">
      {countText(count)} {count === 1 ? "pattern" : "patterns"}
    </output>
  </form>
);
