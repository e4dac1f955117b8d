import type { Microseconds } from "../../base/time.ts";
import type { Difference, DifferenceClass } from "../ports.ts";
import type { Span } from "./sides.ts";

/** A difference that was there when its row was last looked at. */
export interface OpenRow {
  readonly difference: Difference;
  /** It was there at a second look, at least the recheck's time after the first. */
  readonly isCounted: boolean;
}

/** Too many in one stretch to keep each; `difference` lies not among the rows. */
export interface Crowd extends Omit<Span, "entityIds"> {
  readonly count: number;
  /** How many of them OLD lacks; absent: an older version wrote it, and it may be all. */
  readonly lackedByOld?: number | undefined;
  /** How many of them NEW lacks; what neither lacks is different. Absent: an older version wrote it. */
  readonly lackedByNew?: number | undefined;
  readonly foundUs: Microseconds;
  /** When it was looked at last. */
  readonly lookedUs: Microseconds;
  readonly isCounted: boolean;
}

/** What differs now, as far as it has been looked at. */
export interface OpenList {
  readonly rows: readonly OpenRow[];
  readonly crowds: readonly Crowd[];
}

export const NOTHING_OPEN: OpenList = { rows: [], crowds: [] };

/** A look at a span: everything that differs in it. */
export interface Look extends Span {
  readonly atUs: Microseconds;
  readonly count: number;
  /** How many of them OLD lacks. */
  readonly lackedByOld?: number;
  readonly lackedByNew?: number;
  /** Up to when OLD was given everything; absent: time alone must do. */
  readonly oldGivenUs?: Microseconds | undefined;
  /** All of them, when they are not more than `ROWS_A_LOOK`; else some. */
  readonly found: readonly Difference[];
}

export interface Reconciled {
  readonly open: OpenList;
  /** Counted by this look. */
  readonly confirmed: readonly Difference[];
  /** Gone before they counted: they came late to one side. */
  readonly late: readonly Difference[];
  /** Gone after they had counted: somebody has sent them again. */
  readonly repaired: readonly Difference[];
}

/** A stretch with more is a crowd. */
export const ROWS_A_LOOK = 20;
/** Kept in all: the memory of a check is bounded. */
const ROWS_MAX = 160;
const CROWDS_MAX = 100;

const keyOf = ({ class: kind, entityId, atUs }: Difference): string => `${kind} ${atUs} ${entityId}`;

/** The list after a look: what it found in its span replaces what was known of it. Pure. */
export function reconcile(open: OpenList, look: Look, recheckUs: Microseconds): Reconciled {
  const isSeen = ({ difference: { entityId, atUs } }: OpenRow): boolean =>
    atUs >= look.fromUs && atUs < look.toUs && (look.entityIds?.includes(entityId) ?? true);
  const known = new Map(open.rows.filter(isSeen).map((row) => [keyOf(row.difference), row]));
  const elsewhere = open.rows.filter((row) => !isSeen(row));
  const crowded = look.entityIds ? [] : open.crowds.filter((crowd) => overlaps(crowd, look));
  const isDue = (foundUs: Microseconds): boolean => look.atUs > foundUs && look.atUs - foundUs >= recheckUs;
  // What NEW had then lay before the relay; until OLD was given all of that, it lacks what is on its way. (By its stamp a row that the recorder gave afterwards is older than its place in the relay's spool.)
  const isGiven = (foundUs: Microseconds): boolean => look.oldGivenUs === undefined || look.oldGivenUs >= foundUs;
  const firstUs = Math.min(look.atUs, ...crowded.map(({ foundUs }) => foundUs));
  const confirmed: Difference[] = [];
  const rows = look.found.map((difference): OpenRow => {
    const before = known.get(keyOf(difference));
    const foundUs = before?.difference.foundUs ?? firstUs;
    const isOnItsWay = difference.class === "missing-in-old" && !isGiven(foundUs);
    const isCounted = before?.isCounted === true || (isDue(foundUs) && !isOnItsWay);
    const kept = { ...difference, foundUs };
    if (isCounted && before?.isCounted !== true) confirmed.push(kept);
    return { difference: kept, isCounted };
  });
  const isCrowd = look.count > ROWS_A_LOOK || elsewhere.length + rows.length > ROWS_MAX;
  const { fromUs, toUs, count, lackedByOld, lackedByNew } = look;
  const isCounted = isDue(firstUs) && (lackedByOld === 0 || isGiven(firstUs));
  const counts = { count, lackedByOld, lackedByNew };
  const crowd = { fromUs, toUs, ...counts, foundUs: firstUs, lookedUs: look.atUs, isCounted };
  const crowds = isCrowd ? [crowd] : [];
  const found = new Set(look.found.map(keyOf));
  const gone = isCrowd ? [] : [...known.values()].filter(({ difference }) => !found.has(keyOf(difference)));
  return {
    open: {
      rows: isCrowd ? elsewhere : [...elsewhere, ...rows],
      crowds: boundCrowds([
        ...open.crowds.flatMap((crowd) => (crowded.includes(crowd) ? rest(crowd, look) : [crowd])),
        ...crowds,
      ]),
    },
    confirmed,
    late: gone.filter(({ isCounted }) => !isCounted).map(({ difference }) => difference),
    repaired: gone.filter(({ isCounted }) => isCounted).map(({ difference }) => difference),
  };
}

/** What of the list lies at a moment or after it: before it nothing is compared any more. Pure. */
export const openFrom = ({ rows, crowds }: OpenList, firstUs: Microseconds): OpenList => ({
  rows: rows.filter(({ difference }) => difference.atUs >= firstUs),
  // A crowd that reaches over it would be looked at whole, and what lies before would differ for ever.
  crowds: crowds.flatMap((crowd) =>
    crowd.fromUs < firstUs ? rest(crowd, { fromUs: crowd.fromUs, toUs: firstUs }) : [crowd],
  ),
});

const overlaps = (a: Pick<Span, "fromUs" | "toUs">, b: Pick<Span, "fromUs" | "toUs">): boolean =>
  a.fromUs < b.toUs && b.fromUs < a.toUs;

/** What of a crowd the look has not seen; of its count, the share of its time. */
function rest(crowd: Crowd, { fromUs, toUs }: Pick<Span, "fromUs" | "toUs">): Crowd[] {
  const whole = crowd.toUs - crowd.fromUs;
  return [
    { ...crowd, toUs: Math.min(crowd.toUs, fromUs) },
    { ...crowd, fromUs: Math.max(crowd.fromUs, toUs) },
  ]
    .filter((part) => part.fromUs < part.toUs)
    .map((part) => {
      const { count, lackedByOld = count, lackedByNew = 0 } = crowd;
      const share = (part.toUs - part.fromUs) / whole;
      return {
        ...part,
        count: Math.max(1, Math.round(count * share)),
        lackedByOld: Math.ceil(lackedByOld * share),
        lackedByNew: Math.floor(lackedByNew * share),
      };
    });
}

/** Neighbours become one: of those that are most alike the two that take the least time together, so that none grows much wider than the others, or a step's looks never come to its end. */
function boundCrowds(crowds: readonly Crowd[]): Crowd[] {
  const bounded = crowds.toSorted((a, b) => a.fromUs - b.fromUs);
  while (bounded.length > CROWDS_MAX) {
    let [at, least] = [0, Number.POSITIVE_INFINITY];
    for (const [index, a] of bounded.entries()) {
      const b = bounded[index + 1];
      if (b && costOf(a, b) < least) [at, least] = [index, costOf(a, b)];
    }
    const [a, b] = bounded.slice(at, at + 2);
    if (!a || !b) break;
    bounded.splice(at, 2, {
      fromUs: a.fromUs,
      toUs: b.toUs,
      count: a.count + b.count,
      lackedByOld: (a.lackedByOld ?? a.count) + (b.lackedByOld ?? b.count),
      lackedByNew: (a.lackedByNew ?? 0) + (b.lackedByNew ?? 0),
      foundUs: Math.max(a.foundUs, b.foundUs),
      lookedUs: Math.min(a.lookedUs, b.lookedUs),
      isCounted: a.isCounted && b.isCounted,
    });
  }
  return bounded;
}

/** More than any time between two events. */
const FAR_US = 1e17;

/**
 * What counted must not wait again for its neighbour's sake, or nothing ever counts where everything differs. And what was just looked at does not join what was not: its count would be an estimate
 * again at the next look, and nobody would know how far the looks have come.
 */
function costOf(a: Crowd, b: Crowd): number {
  const unlike = a.isCounted !== b.isCounted ? 2 : a.lookedUs !== b.lookedUs ? 1 : 0;
  return unlike * FAR_US + b.toUs - a.fromUs;
}

/** How many count, and how many wait for their second look. */
export function countOpen({ rows, crowds }: OpenList): { readonly counted: number; readonly waiting: number } {
  const all = [...rows.map(({ isCounted }) => ({ isCounted, count: 1 })), ...crowds];
  const sum = (of: boolean): number =>
    all.reduce((total, { isCounted, count }) => total + (isCounted === of ? count : 0), 0);
  return { counted: sum(true), waiting: sum(false) };
}

export type CountedClass = Extract<DifferenceClass, "missing-in-new" | "missing-in-old" | "different">;

/** Of those that count, how many are of each class. */
export function countClasses({ rows, crowds }: OpenList): Readonly<Record<CountedClass, number>> {
  const of = (kind: CountedClass): number =>
    rows.filter(({ isCounted, difference }) => isCounted && difference.class === kind).length;
  const counts = {
    "missing-in-new": of("missing-in-new"),
    "missing-in-old": of("missing-in-old"),
    different: of("different"),
  };
  for (const { isCounted, count, lackedByOld = count, lackedByNew = 0 } of crowds) {
    if (!isCounted) continue;
    counts["missing-in-old"] += lackedByOld;
    counts["missing-in-new"] += lackedByNew;
    counts.different += Math.max(0, count - lackedByOld - lackedByNew);
  }
  return counts;
}
