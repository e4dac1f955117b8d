import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { transaction } from "./open.ts";

/** Rows of one transaction: about 20 ms, in which nobody else can write. */
const CHUNK_ROWS = 5_000;

export interface Pruning {
  /** One chunk, in a transaction of its own. How many events went, and whether nothing is left to do. */
  step(): { readonly events: number; readonly isDone: boolean };
}

/** Deletes a home's events before the moment, then the texts, series and entities that no event uses any more; chunk by chunk, safe to break off and to repeat. */
export function createPruning(db: DatabaseSync, homeId: string, beforeUs: number): Pruning {
  const home = db.prepare("SELECT id FROM home WHERE name = ?").get(homeId)?.id ?? null;
  const run = (sql: string, ...values: SQLInputValue[]): number => Number(db.prepare(sql).run(...values).changes);

  function events(): number {
    const nth = "SELECT at_us FROM event WHERE home = ? AND at_us < ? ORDER BY at_us LIMIT 1 OFFSET ?";
    const cut = db.prepare(nth).get(home, beforeUs, CHUNK_ROWS - 1)?.at_us;
    return cut === undefined
      ? run("DELETE FROM event WHERE home = ? AND at_us < ?", home, beforeUs)
      : run("DELETE FROM event WHERE home = ? AND at_us <= ?", home, cut);
  }

  const texts = (): number =>
    run(
      "DELETE FROM text WHERE id IN (SELECT id FROM text WHERE home = ? AND last_us < ? LIMIT ?)",
      home,
      beforeUs,
      CHUNK_ROWS,
    );

  const names = (): number =>
    run("DELETE FROM series WHERE home = ? AND NOT EXISTS (SELECT 1 FROM event e WHERE e.series = series.id)", home) +
    run("DELETE FROM entity WHERE home = ? AND NOT EXISTS (SELECT 1 FROM series s WHERE s.entity = entity.id)", home);

  /** Other processes remember ids: from now on they ask again. */
  const newGeneration = () => run("UPDATE generation SET value = value + 1");

  return {
    step: () =>
      transaction(db, () => {
        const pruned = events();
        if (pruned > 0) return { events: pruned, isDone: false };
        const forgotten = texts();
        if (forgotten > 0) newGeneration();
        if (forgotten === CHUNK_ROWS) return { events: 0, isDone: false };
        if (names() > 0) newGeneration();
        return { events: 0, isDone: true };
      }),
  };
}
