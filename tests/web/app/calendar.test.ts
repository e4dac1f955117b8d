import { describe, expect, it } from "vitest";
import { calendarOf } from "../../../lib/web/app/calendar.ts";

const day = (date: string, hits: number, opportunities = 1) => ({ date, hits, opportunities });

describe("hits and misses by day", () => {
  it("stand in columns of weeks from Monday, with the days between", () => {
    // A Sunday and the Tuesday after it.
    const { cells, weeks } = calendarOf([day("2026-11-22", 1), day("2026-11-24", 0)]);
    expect(weeks).toBe(2);
    expect(cells.map(({ date, kind, week, weekday }) => [date, kind, week, weekday])).toEqual([
      ["2026-11-22", "hit", 0, 6],
      ["2026-11-23", "none", 1, 0],
      ["2026-11-24", "miss", 1, 1],
    ]);
  });

  it("say how many of how many", () => {
    const { cells } = calendarOf([day("2026-11-22", 2, 3), day("2026-11-23", 0, 0), day("2026-11-24", 3, 3)]);
    expect(cells.map(({ kind, words }) => [kind, words])).toEqual([
      ["part", "2 of 3 times"],
      ["none", "could not happen"],
      ["hit", "3 of 3 times"],
    ]);
  });

  it("reach back over so many weeks only", () => {
    const many = Array.from({ length: 90 }, (_, index) =>
      day(new Date(Date.UTC(2026, 7, 1 + index)).toISOString().slice(0, 10), 1),
    );
    const { cells, weeks } = calendarOf(many, 5);
    expect([weeks, cells[0]?.weekday, cells.at(-1)?.date]).toEqual([5, 0, many.at(-1)?.date]);
  });

  it("are nothing of nothing, and of what is no date", () => {
    expect([calendarOf([]), calendarOf([day("never", 1)])]).toEqual([
      { cells: [], weeks: 0 },
      { cells: [], weeks: 0 },
    ]);
  });
});
