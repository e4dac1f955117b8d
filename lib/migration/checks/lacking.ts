import type { Microseconds } from "../../base/time.ts";
import { type HomeEvent, STATISTICS_ORIGIN } from "../../event/index.ts";
import type { EventStore } from "../../store/ports.ts";
import { isCanary } from "../canary-entity.ts";
import { type ComparableRow, comparable, type SideRow } from "../consistency/comparable.ts";
import type { OldLimits, OldRow, OldSystem } from "../ports.ts";
import { tickOf } from "../precision.ts";

export interface TwoSides {
  readonly store: Pick<EventStore, "scan">;
  readonly old: Pick<OldSystem, "scan" | "limits">;
}

export interface Span {
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
}

/** So many rows of a span are held at once; of more only the beginning of the span is looked at. */
export const ROWS_MAX = 50_000;
const EXAMPLES_MAX = 10;

export interface Lacking {
  /** What is looked at: all of the span, of cut stamps to the end of its last tick, or as far as ROWS_MAX goes. */
  readonly toUs: Microseconds;
  /** Events of NEW that OLD could hold and has not got, or has otherwise; of several at a stamp of which OLD keeps the last, that one. */
  readonly byOld: readonly HomeEvent[];
  /** Rows of OLD, without ours. */
  readonly inOld: number;
  /** Rows of OLD of which NEW has none at that moment: somebody else has written them. */
  readonly byNew: { readonly count: number; readonly lastUs?: Microseconds; readonly examples: readonly OldRow[] };
}

/** NEW's events of one entity at one of OLD's stamps. */
interface Stamp {
  readonly byText: Map<string, HomeEvent[]>;
  last: HomeEvent;
  isThere: boolean;
  /** Of an event in which "[secret]" stands for the state: OLD's own state of that moment is never overwritten by it. */
  secret?: HomeEvent[];
}

/** Both sides of a span beside each other. Our own canaries are left out; so is what OLD cannot hold. */
export async function lackingIn(asked: Span & { readonly homeId: string }, sides: TwoSides): Promise<Lacking> {
  const { limits } = sides.old;
  const { precisionUs, keepsAllOfOneStamp = false } = limits;
  // A tick is looked at whole: of its beginning alone OLD's last state of it would seem to be another than NEW's.
  const fromUs = tickOf(asked.fromUs, precisionUs);
  const span = { ...asked, fromUs, toUs: tickOf(asked.toUs + precisionUs - 1, precisionUs) };
  const { stamps, toUs } = await stampsOf(span, sides);
  const byNew: OldRow[] = [];
  let [inOld, onlyOld] = [0, 0];
  let lastUs: Microseconds | undefined;
  for await (const rows of sides.old.scan({ fromUs, toUs }))
    for (const old of rows) {
      const row = own(old, limits);
      if (!row) continue;
      inOld += 1;
      const stamp = stamps.get(keyOf(row));
      const same = stamp?.byText.get(row.text) ?? stamp?.secret;
      if (stamp && same) {
        stamp.isThere = true;
        same.shift();
      } else if (!stamp) {
        onlyOld += 1;
        lastUs = Math.max(old.atUs, lastUs ?? 0);
        if (byNew.length < EXAMPLES_MAX) byNew.push(old);
      }
    }
  const byOld = [...stamps.values()].flatMap((stamp) => {
    if (keepsAllOfOneStamp) return [...stamp.byText.values()].flat();
    return stamp.isThere ? [] : [stamp.last];
  });
  return { toUs, byOld, inOld, byNew: { count: onlyOld, examples: byNew, ...(lastUs !== undefined && { lastUs }) } };
}

async function stampsOf(
  { homeId, fromUs, toUs }: Span & { readonly homeId: string },
  { store, old: { limits } }: TwoSides,
): Promise<{ readonly stamps: ReadonlyMap<string, Stamp>; readonly toUs: Microseconds }> {
  const { precisionUs } = limits;
  const stamps = new Map<string, Stamp>();
  let endUs = toUs;
  let held = 0;
  for await (const piece of store.scan({ homeId, fromUs, toUs })) {
    for (const event of piece) held += add(stamps, event, limits) ? 1 : 0;
    const lastUs = piece.at(-1)?.atUs;
    if (held <= ROWS_MAX || lastUs === undefined) continue;
    // Ascending by time: all stamps before that of the last event are whole.
    endUs = Math.min(toUs, Math.max(fromUs + precisionUs, tickOf(lastUs, precisionUs)));
    break;
  }
  if (endUs < toUs) for (const [key, { last }] of stamps) if (last.atUs >= endUs) stamps.delete(key);
  return { stamps, toUs: endUs };
}

function add(stamps: Map<string, Stamp>, event: HomeEvent, limits: OldLimits): boolean {
  const row = own(event, limits);
  // An hour's mean is no state that OLD ever got.
  if (!row || event.origin === STATISTICS_ORIGIN) return false;
  const key = keyOf(row);
  const stamp = stamps.get(key) ?? { byText: new Map<string, HomeEvent[]>(), last: event, isThere: false };
  const same = [...(stamp.byText.get(row.text) ?? []), event];
  stamp.byText.set(row.text, same);
  if (row.isSecret) stamp.secret = same;
  if (event.atUs >= stamp.last.atUs) stamp.last = event;
  stamps.set(key, stamp);
  return true;
}

const own = (row: SideRow, limits: OldLimits): ComparableRow | undefined =>
  isCanary(row.entityId) ? undefined : comparable(row, limits);

const keyOf = ({ entityId, atUs }: ComparableRow): string => `${entityId}\n${atUs}`;
