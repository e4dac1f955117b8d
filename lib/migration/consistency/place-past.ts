import type { Microseconds } from "../../base/time.ts";
import type { HomeEvent } from "../../event/index.ts";
import type { OldLimits, OldRow } from "../ports.ts";
import { tickOf } from "../precision.ts";
import { type ComparableRow, comparable } from "./comparable.ts";

/** What NEW has of some entities in a span, half-open; ascending by time, in pieces. Errors as of its store. */
export type ScanNew = (span: {
  readonly entityIds: readonly string[];
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
}) => AsyncIterable<readonly HomeEvent[]>;

/**
 * The moments at which rows of an OLD with cut stamps belong into NEW: that of NEW's own event, where it has that event already, so that the two are one by their natural key and the live one stays; otherwise the
 * row's own, or of several states at one stamp the next that is free within the tick. The same rows placed again come to the same moments. Rows of one entity stay in the order of time.
 */
export async function placePast<Row extends OldRow>(
  rows: readonly Row[],
  limits: OldLimits,
  scan: ScanNew,
): Promise<readonly Row[]> {
  const { precisionUs } = limits;
  if (precisionUs === 1 || rows.length === 0) return rows;
  const ticks = Map.groupBy(rows.keys(), (at) => keyOf(rows[at] as Row, precisionUs));
  const ours = await oursOf(rows, { precisionUs, scan, isAsked: (key) => ticks.has(key) });
  const placed = [...rows];
  for (const [key, places] of ticks) {
    const own = places.map((at) => rows[at] as Row);
    const moved = placeTick(own, ours.get(key) ?? [], limits).toSorted((a, b) => a.atUs - b.atUs);
    for (const [n, at] of places.entries()) placed[at] = moved[n] as Row;
  }
  return placed;
}

const keyOf = ({ entityId, atUs }: Pick<OldRow, "entityId" | "atUs">, precisionUs: number): string =>
  `${entityId}\n${tickOf(atUs, precisionUs)}`;

interface Ours {
  readonly precisionUs: number;
  readonly scan: ScanNew;
  readonly isAsked: (key: string) => boolean;
}

/** NEW's events of the ticks that are asked for, and no more of them than that. */
async function oursOf(rows: readonly OldRow[], { precisionUs, scan, isAsked }: Ours) {
  const found = new Map<string, HomeEvent[]>();
  const entityIds = [...new Set(rows.map(({ entityId }) => entityId))];
  const ticks = rows.map(({ atUs }) => tickOf(atUs, precisionUs));
  const fromUs = ticks.reduce((a, b) => Math.min(a, b));
  const toUs = ticks.reduce((a, b) => Math.max(a, b)) + precisionUs;
  for await (const piece of scan({ entityIds, fromUs, toUs }))
    for (const event of piece) {
      const key = keyOf(event, precisionUs);
      if (isAsked(key)) found.set(key, [...(found.get(key) ?? []), event]);
    }
  return found;
}

interface Counterpart {
  readonly event: HomeEvent;
  readonly said: ComparableRow | undefined;
  isUsed: boolean;
}

function placeTick<Row extends OldRow>(rows: readonly Row[], events: readonly HomeEvent[], limits: OldLimits): Row[] {
  const states: OldLimits = { ...limits, attributes: "none", hasLastChanged: false };
  const ours = events.map((event): Counterpart => ({ event, said: comparable(event, limits), isUsed: false }));
  const taken = new Set(events.map(({ atUs }) => atUs));
  const texts = new Map<string, Microseconds>();
  const moments = new Map<Row, Microseconds>();
  const is = (row: Row, isAlike: (one: Counterpart) => boolean) => {
    const found = moments.has(row) ? undefined : ours.find((one) => !one.isUsed && isAlike(one));
    if (!found) return;
    found.isUsed = true;
    moments.set(row, found.event.atUs);
  };
  const textOf = (row: OldRow, by: OldLimits): string | undefined => comparable(bare(row), by)?.text;
  for (const row of rows) is(row, ({ said }) => said !== undefined && said.text === textOf(row, limits));
  // Attributes that the owner leaves at home, or that came in the same tick, make it no other event.
  for (const row of rows)
    is(row, ({ event, said }) => {
      const state = comparable(event, states);
      return said?.isSecret === true || (state !== undefined && state.text === textOf(row, states));
    });
  for (const row of rows) {
    const text = textOf(row, limits) ?? "";
    const atUs = moments.get(row) ?? texts.get(text) ?? freeFrom(row.atUs, taken, limits.precisionUs);
    taken.add(atUs);
    texts.set(text, atUs);
    moments.set(row, atUs);
  }
  return rows.map((row) => movedTo(row, moments.get(row) ?? row.atUs));
}

/** Without what an import knows beside it, by which it might be taken for an event of NEW. */
const bare = ({ entityId, atUs, state, attributes = {}, lastChangedUs }: OldRow): OldRow => ({
  ...{ entityId, atUs, state, attributes },
  ...(lastChangedUs !== undefined && { lastChangedUs }),
});

/** What began at that very moment still does. */
const movedTo = <Row extends OldRow>(row: Row, atUs: Microseconds): Row =>
  row.lastChangedUs === row.atUs ? { ...row, atUs, lastChangedUs: atUs } : { ...row, atUs };

/** Its own moment, or the next one of its tick at which there is nothing yet. */
function freeFrom(atUs: Microseconds, taken: ReadonlySet<Microseconds>, precisionUs: number): Microseconds {
  const endUs = tickOf(atUs, precisionUs) + precisionUs;
  for (let us = atUs; us < endUs; us++) if (!taken.has(us)) return us;
  return atUs;
}
