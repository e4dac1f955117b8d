import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import type { EventStore } from "../../store/ports.ts";
import { createPassingBlocks, isDamage, REMEMBERED_ROWS } from "./event-store-blocks.ts";
import { compactedDay, type DayPlan, isAsPlanned, planOf, putCompacted } from "./event-store-compact.ts";
import { type EventStoreFile, PAUSE_MS } from "./event-store-file.ts";
import { hasBefore, type PrunedDay, pruneAtOnce, prunedDay, putPruned } from "./event-store-prune.ts";
import { FIRST_US } from "./event-store-read.ts";
import type { Source } from "./event-store-spans.ts";
import { DAY_US, dayOf, type Tables } from "./event-store-tables.ts";

/** How often a day is done again that others wrote to meanwhile, before the next night has to do it. */
const ATTEMPTS = 5;
/** A file with a larger part of free pages, and more of them, gives some back to the file system; others use them for the next days. */
const FREE_SHARE_MAX = 0.25;
const FREE_PAGES_MAX = 16_384;
const GIVEN_BACK_PAGES = 2_048;

/** What the nightly job does to the file. Work is done outside of the write lock, and put in place under it if nobody has changed the day meanwhile. */
export function createUpkeep(file: EventStoreFile, clock: Clock): Pick<EventStore, "compact" | "prune"> {
  async function driven<T>(work: Generator<undefined, T>): Promise<T> {
    for (;;) {
      const step = work.next();
      if (step.done) return step.value;
      await clock.sleep(0);
    }
  }

  async function compactDay(homeId: string, day: number): Promise<void> {
    const doing = "Compacting the event store";
    // It comes to each block once: what others have opened stays.
    const blocks = createPassingBlocks(REMEMBERED_ROWS);
    const reading = <T>(work: (source: Source) => T): T => file.read(doing, ({ tables }) => work({ tables, blocks }));
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const plan = reading((source) => planOf(source, homeId, day));
      if (!plan || !reading(({ tables }) => isOpen(tables.days(plan.home, day, day)))) return;
      const compacted = await driven(compactedDay(reading, plan));
      const isDone = file.write(doing, ({ tables }) => {
        if (!isAsPlanned(tables, plan)) return false;
        putCompacted(tables, plan, compacted);
        return true;
      });
      await clock.sleep(PAUSE_MS);
      if (isDone) return;
    }
  }

  /** How many events went. */
  async function pruneDay({ homeId, day }: DayPlan, beforeUs: number): Promise<number> {
    const doing = "Pruning the event store";
    const reading = <T>(work: (source: Source) => T): T => file.read(doing, work);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const plan = reading((source) => planOf(source, homeId, day));
      if (!plan) return 0;
      const pruned: PrunedDay = await driven(prunedDay(reading, plan, beforeUs));
      const isDone = file.write(doing, ({ tables }) => putPruned(tables, plan, pruned));
      await clock.sleep(PAUSE_MS);
      if (isDone) return pruned.events;
    }
    // Others write to the day all the time (an import): once they have to wait.
    return file.write(doing, (source) => {
      const plan = planOf(source, homeId, day);
      return plan ? pruneAtOnce(source, plan, beforeUs) : 0;
    });
  }

  return {
    compact: async (homeId, beforeUs) => {
      const doing = "Compacting the event store";
      await file.ready(doing);
      const days = file.read(doing, ({ tables }) => {
        const home = tables.homeOf(homeId);
        return home === undefined ? [] : tables.days(home, dayOf(FIRST_US), Math.floor(beforeUs / DAY_US) - 1);
      });
      let damage: unknown;
      for (const day of days) {
        if (!isOpen([day])) continue;
        await compactDay(homeId, day.day).catch((thrown) => {
          // The other days are as good as ever.
          if (!isDamage(thrown)) throw thrown;
          damage ??= thrown;
        });
      }
      if (damage !== undefined) throw damage;
    },
    prune: async (homeId, beforeUs) => {
      const doing = "Pruning the event store";
      await file.ready(doing);
      let count = 0;
      // Each day once, whatever is written meanwhile to those before it: so there is an end.
      for (let fromDay = dayOf(FIRST_US); ; ) {
        const plan = file.read(doing, (source) => firstBefore(source, { homeId, fromDay, beforeUs }));
        if (!plan) break;
        count += await pruneDay(plan, beforeUs);
        fromDay = plan.day + 1;
      }
      if (file.read(doing, ({ tables }) => isBare(tables, homeId)))
        file.write(doing, ({ tables }) => {
          if (isBare(tables, homeId)) tables.run("DELETE FROM home WHERE name = ?", homeId);
        });
      while (file.plain(doing, giveBack)) await clock.sleep(PAUSE_MS);
      return count;
    },
  };
}

const isOpen = ([day]: readonly { readonly state: number }[]): boolean => day !== undefined && day.state !== 1;

/** A home of which nothing is left but its name. Ids are never given twice, and every write looks for the home's again. */
function isBare(tables: Tables, homeId: string): boolean {
  const home = tables.homeOf(homeId);
  if (home === undefined) return false;
  const has = (sql: string) => tables.rows(sql, home).length > 0;
  return !["segment", "day", "rollup"].some((table) => has(`SELECT 1 FROM ${table} WHERE home = ? LIMIT 1`));
}

interface Old {
  readonly homeId: string;
  readonly fromDay: number;
  readonly beforeUs: number;
}

function firstBefore(source: Source, { homeId, fromDay, beforeUs }: Old): DayPlan | undefined {
  const home = source.tables.homeOf(homeId);
  if (home === undefined) return undefined;
  const day = source.tables.nextDay(home, fromDay, dayOf(beforeUs - 1), "asc")?.day;
  if (day === undefined || !hasBefore(source.tables, { home, day }, beforeUs)) return undefined;
  return planOf(source, homeId, day);
}

/** True when there is more to give back. */
function giveBack(db: DatabaseSync): boolean {
  const pragma = (name: string): number => Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  const free = pragma("freelist_count");
  if (free < FREE_PAGES_MAX || free < FREE_SHARE_MAX * pragma("page_count")) return false;
  // 2: incremental. A file that was made otherwise keeps its pages.
  if (pragma("auto_vacuum") !== 2) return false;
  db.exec(`PRAGMA incremental_vacuum(${GIVEN_BACK_PAGES})`);
  return true;
}
