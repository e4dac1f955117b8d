import type { Microseconds } from "../../base/time.ts";
import type { Difference } from "../ports.ts";
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
  const firstUs = Math.min(look.atUs, ...crowded.map(({ foundUs }) => foundUs));
  const confirmed: Difference[] = [];
  const rows = look.found.map((difference): OpenRow => {
    const before = known.get(keyOf(difference));
    const foundUs = before?.difference.foundUs ?? firstUs;
    const isCounted = before?.isCounted === true || isDue(foundUs);
    const kept = { ...difference, foundUs };
    if (isCounted && before?.isCounted !== true) confirmed.push(kept);
    return { difference: kept, isCounted };
  });
  const isCrowd = look.count > ROWS_A_LOOK || elsewhere.length + rows.length > ROWS_MAX;
  const { fromUs, toUs, count, lackedByOld } = look;
  const crowd = { fromUs, toUs, count, lackedByOld, foundUs: firstUs, lookedUs: look.atUs, isCounted: isDue(firstUs) };
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

const overlaps = (a: Pick<Span, "fromUs" | "toUs">, b: Pick<Span, "fromUs" | "toUs">): boolean =>
  a.fromUs < b.toUs && b.fromUs < a.toUs;

/** What of a crowd the look has not seen; of its count, the share of its time. */
function rest(crowd: Crowd, { fromUs, toUs }: Look): Crowd[] {
  const whole = crowd.toUs - crowd.fromUs;
  return [
    { ...crowd, toUs: Math.min(crowd.toUs, fromUs) },
    { ...crowd, fromUs: Math.max(crowd.fromUs, toUs) },
  ]
    .filter((part) => part.fromUs < part.toUs)
    .map((part) => {
      const { count, lackedByOld = count } = crowd;
      const share = (part.toUs - part.fromUs) / whole;
      return {
        ...part,
        count: Math.max(1, Math.round(count * share)),
        lackedByOld: Math.ceil(lackedByOld * share),
      };
    });
}

/** The oldest neighbours become one, of those that both count or both wait: what counted must not wait again for its neighbour's sake, or nothing ever counts where everything differs. */
function boundCrowds(crowds: readonly Crowd[]): Crowd[] {
  const bounded = crowds.toSorted((a, b) => a.fromUs - b.fromUs);
  while (bounded.length > CROWDS_MAX) {
    const alike = bounded.findIndex((crowd, index) => crowd.isCounted === bounded[index + 1]?.isCounted);
    const at = Math.max(0, alike);
    const [a, b] = bounded.slice(at, at + 2);
    if (!a || !b) break;
    bounded.splice(at, 2, {
      fromUs: a.fromUs,
      toUs: b.toUs,
      count: a.count + b.count,
      lackedByOld: (a.lackedByOld ?? a.count) + (b.lackedByOld ?? b.count),
      foundUs: Math.max(a.foundUs, b.foundUs),
      lookedUs: Math.min(a.lookedUs, b.lookedUs),
      isCounted: a.isCounted && b.isCounted,
    });
  }
  return bounded;
}

/** How many count, and how many wait for their second look. */
export function countOpen({ rows, crowds }: OpenList): { readonly counted: number; readonly waiting: number } {
  const all = [...rows.map(({ isCounted }) => ({ isCounted, count: 1 })), ...crowds];
  const sum = (of: boolean): number =>
    all.reduce((total, { isCounted, count }) => total + (isCounted === of ? count : 0), 0);
  return { counted: sum(true), waiting: sum(false) };
}
