import { type AbilityValue, abilitiesOf } from "../../devices/index.ts";
import type { HomeEvent } from "../../event/index.ts";
import type { DayReader } from "../patterns/day-readers.ts";
import type { Aggregate } from "../ports.ts";

/** The kind of aggregate. */
export const FEATURES = "features";
/** Of what the rows mean; another one: days are read again while their raw events exist. */
export const FEATURES_VERSION = 1;

/** How an ability of an entity was used on one day. Short names: an active home has some hundreds a day. */
export interface UseRow {
  readonly e: string;
  /** As of `ABILITIES`. */
  readonly f: string;
  /** How often its value changed. */
  readonly n: number;
  /** Its first and its last value of the day: between two days it may have changed too. Of `state` none. */
  readonly a?: AbilityValue;
  readonly b?: AbilityValue;
}

/** What one day's events say of the use of features. */
export interface DayUses {
  readonly version: number;
  /** Read from the store. */
  readonly events: number;
  /** Devices of which an entity had a state. Ascending. */
  readonly heard: readonly string[];
  /** By entity and ability, ascending. */
  readonly rows: readonly UseRow[];
}

export interface UsesBuilder {
  /** In order of time. */
  add(event: HomeEvent): void;
  finish(): DayUses;
}

interface Use {
  n: number;
  a?: AbilityValue;
  b?: AbilityValue;
}

/** More entities of a day are not looked at. A home of 5,000 entities has about 1,000 that can be told something. */
const ENTITIES_MAX = 20_000;
const TEXT_MAX_CHARACTERS = 24;

/** Memory: O(entities that can be told something). */
export function createUses(): UsesBuilder {
  const heard = new Set<string>();
  const uses = new Map<string, Map<string, Use>>();
  let events = 0;

  function useOf(entityId: string, ability: string): Use | undefined {
    let ofEntity = uses.get(entityId);
    if (!ofEntity) {
      if (uses.size >= ENTITIES_MAX) return undefined;
      ofEntity = new Map();
      uses.set(entityId, ofEntity);
    }
    const known = ofEntity.get(ability);
    if (known) return known;
    const use: Use = { n: 0 };
    ofEntity.set(ability, use);
    return use;
  }

  function note(event: HomeEvent): void {
    const { entityId, domain, attributes, state } = event;
    for (const { name, value } of abilitiesOf(domain)) {
      if (name === "state") {
        if (isSwitched(event)) count(useOf(entityId, name));
        continue;
      }
      const now = shortened(value?.(attributes, state));
      const use = now === undefined ? undefined : useOf(entityId, name);
      if (!use || now === undefined) continue;
      if (use.b !== undefined && use.b !== now) use.n++;
      use.a ??= now;
      use.b = now;
    }
  }

  return {
    add(event) {
      events++;
      // A removal has no state, and `unavailable` says nothing of anybody's doing.
      if (event.kind === "removed" || event.quality !== "ok") return;
      if (event.deviceId !== undefined) heard.add(event.deviceId);
      // What Home Assistant restores at its start nobody has chosen.
      if (event.kind !== "restore") note(event);
    },
    finish: () => ({
      version: FEATURES_VERSION,
      events,
      heard: [...heard].sort(),
      rows: [...uses]
        .flatMap(([e, ofEntity]) => [...ofEntity].map(([f, use]) => ({ e, f, ...use })))
        .sort((x, y) => (x.e === y.e ? compare(x.f, y.f) : compare(x.e, y.e))),
    }),
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function count(use: Use | undefined): void {
  if (use) use.n++;
}

/** Only equality matters. */
const shortened = (value: AbilityValue | undefined): AbilityValue | undefined =>
  typeof value === "string" ? value.slice(0, TEXT_MAX_CHARACTERS) : value;

/** A change from one state to another; the state of a button is when it was pressed, and before its first press it has none. */
function isSwitched({ kind, state, oldState, domain }: HomeEvent): boolean {
  if (kind !== "change" || oldState === undefined || oldState === state || oldState === "unavailable") return false;
  return oldState !== "unknown" || domain === "button";
}

export const packUses = ({ version, events, heard, rows }: DayUses): unknown[] => [{ version, events, heard }, ...rows];

/** Reads a day along with the detectors. */
export const featuresReader: DayReader = {
  kind: FEATURES,
  begin() {
    const builder = createUses();
    return { add: builder.add, finish: () => packUses(builder.finish()) };
  },
};

type Shape = Readonly<Record<string, unknown>>;
const isShape = (value: unknown): value is Shape =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isUseRow = (value: unknown): value is UseRow =>
  isShape(value) && typeof value.e === "string" && typeof value.f === "string" && Number.isSafeInteger(value.n);

/** What cannot be read is of another version: -1. */
export function unpackUses({ rows: [head, ...rows] }: Pick<Aggregate, "rows">): DayUses {
  const { version, events, heard } = isShape(head) ? head : {};
  return {
    version: typeof version === "number" ? version : -1,
    events: typeof events === "number" ? events : 0,
    heard: Array.isArray(heard) ? heard.filter((id) => typeof id === "string") : [],
    rows: rows.filter(isUseRow),
  };
}

/** Of an ability over several days. */
export interface UseSum {
  readonly n: number;
  /** The last day on which it was used. */
  readonly lastUsed?: string;
}

/** By entity, then by ability. Complexity: O(rows). The days may come in any order, and one twice is one. */
export function sumUses(
  days: ReadonlyMap<string, Pick<DayUses, "rows">>,
): ReadonlyMap<string, ReadonlyMap<string, UseSum>> {
  const sums = new Map<string, Map<string, { n: number; lastUsed?: string; last?: AbilityValue }>>();
  for (const [date, { rows }] of [...days].sort(([a], [b]) => compare(a, b))) {
    for (const { e, f, n, a, b } of rows) {
      const ofEntity = sums.get(e) ?? new Map();
      if (ofEntity.size === 0) sums.set(e, ofEntity);
      const sum = ofEntity.get(f) ?? { n: 0 };
      ofEntity.set(f, sum);
      // Between two days it may have changed too.
      const today = n + Number(sum.last !== undefined && a !== undefined && sum.last !== a);
      sum.n += today;
      if (today > 0) sum.lastUsed = date;
      if (b !== undefined) sum.last = b;
    }
  }
  return sums;
}
