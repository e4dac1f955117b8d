import type { Clock } from "../../base/clock.ts";
import { addDays } from "../../base/zone.ts";
import type { Period } from "../periods.ts";
import type { Aggregate, AggregateLayer, AggregateStore } from "../ports.ts";
import { expiresMs, type Retention } from "../retention-rules.ts";
import { createDaysMerge, keptOf, rebase } from "./merge.ts";
import { ENTITIES, type EntityRow, leftBy, packRows, unpackRows } from "./rows.ts";

export interface KeptOptions {
  readonly aggregates: AggregateStore;
  readonly retention: Retention;
  readonly clock: Pick<Clock, "nowMs">;
}

interface Made {
  readonly period: Period;
  readonly rows: readonly EntityRow[];
  /** The rows of the day before, if there are any. */
  readonly previous?: readonly EntityRow[] | undefined;
  /** Of a sum: whether none of its days can have gone. */
  readonly isWhole?: boolean;
}

/**
 * The layers as they are kept. Two jobs of a home may work on them at once, and in any order: a write never takes away what another has written (`keptOf`), and
 * each looks again, after its write, at what it had built upon, so that whoever writes last has seen the other.
 */
export interface KeptLayers {
  read(homeId: string, layer: AggregateLayer, date: string): Promise<Aggregate | undefined>;
  /** The days that are kept, from the first date to the second (not included). */
  dates(homeId: string, fromDate: string, toDate: string): Promise<readonly string[]>;
  /**
   * Keeps a day, and hands what it leaves behind on to those behind it that are there: as far as something changes, and through `throughDate` at least.
   * @returns the last of these
   */
  keepDay(
    homeId: string,
    made: Made,
    throughDate: string,
  ): Promise<{ readonly rows: readonly EntityRow[]; readonly lastDate: string }>;
  /** Hands on what a day leaves behind that is there, as `keepDay` does. @returns the last of the days behind it */
  handOn(homeId: string, date: string, throughDate: string): Promise<string>;
  /** Sums the days of a week or month. `isWhole`: none of them can have gone. @returns how many entities there are */
  sum(
    homeId: string,
    layer: AggregateLayer,
    at: { readonly period: Period; readonly isWhole: boolean },
  ): Promise<number>;
}

interface Handed {
  readonly rows: readonly EntityRow[];
  readonly isChanged: boolean;
}

/** Another job of the home writes at the same time, each time. */
const ATTEMPTS = 5;

export function createKeptLayers({ aggregates, retention, clock }: KeptOptions): KeptLayers {
  const endOf = (layer: AggregateLayer, toUs: number) => expiresMs(layer, toUs, { retention, nowMs: clock.nowMs() });

  const read: KeptLayers["read"] = async (homeId, layer, date) => {
    const query = { homeId, layer, kind: ENTITIES, fromDate: date, toDate: addDays(date, 1) };
    for await (const found of aggregates.range(query)) return found;
    return undefined;
  };

  async function keep(
    homeId: string,
    layer: AggregateLayer,
    { period, rows, previous, isWhole = false }: Made,
  ): Promise<EntityRow[]> {
    let kept: EntityRow[] = [];
    const key = { homeId, layer, kind: ENTITIES, date: period.date };
    await aggregates.change(key, (there) => {
      kept = keptOf(rows, there ? unpackRows(there) : [], { isWhole });
      if (previous) kept = rebase(kept, previous);
      const { fromUs, toUs } = there ?? period;
      const span = { fromUs: Math.min(fromUs, period.fromUs), toUs: Math.max(toUs, period.toUs) };
      const aggregate = { ...key, ...span, rows: packRows(kept) };
      if (
        there ? JSON.stringify(there.rows) === JSON.stringify(aggregate.rows) : layer !== "daily" && kept.length === 0
      )
        return undefined;
      return { aggregate, expiresMs: endOf(layer, span.toUs) };
    });
    return kept;
  }

  /** Gives the day what the day before leaves behind. undefined: there is no such day. */
  async function handTo(homeId: string, date: string, previous: readonly EntityRow[]): Promise<Handed | undefined> {
    let handed: Handed | undefined;
    await aggregates.change({ homeId, layer: "daily", kind: ENTITIES, date }, (there) => {
      handed = undefined;
      if (!there) return undefined;
      const rebased = rebase(unpackRows(there), previous);
      const rows = packRows(rebased);
      const isChanged = JSON.stringify(rows) !== JSON.stringify(there.rows);
      handed = { rows: rebased, isChanged };
      return isChanged ? { aggregate: { ...there, rows }, expiresMs: endOf("daily", there.toUs) } : undefined;
    });
    return handed;
  }

  /** As far as something changes, and through a date at least: whoever did this before may have ended in the middle. */
  async function handOn(
    homeId: string,
    first: { date: string; rows: readonly EntityRow[] },
    throughDate: string,
  ): Promise<string> {
    let [last, rows] = [first.date, first.rows];
    for (;;) {
      const date = addDays(last, 1);
      let next = await handTo(homeId, date, rows);
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const now = await rowsAt(homeId, last);
        if (!now || leftText(now) === leftText(rows)) break;
        rows = now;
        const again = await handTo(homeId, date, rows);
        next = again && { ...again, isChanged: again.isChanged || (next?.isChanged ?? false) };
      }
      if (!next || (!next.isChanged && date > throughDate)) return last;
      [last, rows] = [date, next.rows];
    }
  }

  const rowsAt = async (homeId: string, date: string): Promise<readonly EntityRow[] | undefined> => {
    const day = await read(homeId, "daily", date);
    return day && unpackRows(day);
  };

  return {
    read,
    dates: (homeId, fromDate, toDate) => aggregates.dates({ homeId, layer: "daily", kind: ENTITIES, fromDate, toDate }),

    async keepDay(homeId, made, throughDate) {
      const { date } = made.period;
      let { previous } = made;
      let rows = await keep(homeId, "daily", made);
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const now = await rowsAt(homeId, addDays(date, -1));
        if (!now || (previous && leftText(now) === leftText(previous))) break;
        previous = now;
        rows = await keep(homeId, "daily", { ...made, previous });
      }
      return { rows, lastDate: await handOn(homeId, { date, rows }, throughDate) };
    },

    async handOn(homeId, date, throughDate) {
      const rows = await rowsAt(homeId, date);
      return rows ? handOn(homeId, { date, rows }, throughDate) : date;
    },

    async sum(homeId, layer, { period, isWhole }) {
      let summed: string | undefined;
      let entities = 0;
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const { rows, span } = await sumOfDays(homeId, period);
        const text = JSON.stringify(packRows(rows));
        if (text === summed) break;
        summed = text;
        entities = (await keep(homeId, layer, { period: span, rows, isWhole })).length;
      }
      return entities;
    },
  };

  /** The sum begins where its first day does and ends where its last one does: a home may have moved to another time zone. */
  async function sumOfDays(homeId: string, period: Period): Promise<{ rows: EntityRow[]; span: Period }> {
    const merge = createDaysMerge();
    let { fromUs, toUs } = period;
    const query = { homeId, layer: "daily" as const, kind: ENTITIES, fromDate: period.date, toDate: period.endDate };
    for await (const day of aggregates.range(query)) {
      merge.add(unpackRows(day));
      fromUs = day.date === period.date ? day.fromUs : Math.min(fromUs, day.fromUs);
      toUs = addDays(day.date, 1) === period.endDate ? day.toUs : Math.max(toUs, day.toUs);
    }
    return { rows: merge.finish(), span: { ...period, fromUs, toUs } };
  }
}

/** What the rows leave to the next day, to be compared. */
const leftText = (rows: readonly EntityRow[]): string =>
  JSON.stringify(
    packRows(
      rows.flatMap((row) => {
        const before = leftBy(row);
        return before ? [{ entityId: row.entityId, before }] : [];
      }),
    ),
  );
