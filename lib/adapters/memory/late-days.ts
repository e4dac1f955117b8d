import type { LateDay, LateDays } from "../../store/ports.ts";

/** Late days in this process's memory. */
export function createMemoryLateDays(): LateDays {
  const homes = new Map<string, LateDay[]>();
  let count = 0;
  return {
    note: async (homeId, dates) => {
      const noted = dates.map((date) => ({ date, mark: String(++count).padStart(9, "0") }));
      homes.set(homeId, [...(homes.get(homeId) ?? []), ...noted]);
    },
    list: async (homeId) =>
      (homes.get(homeId) ?? []).toSorted((a, b) => (`${a.date} ${a.mark}` < `${b.date} ${b.mark}` ? -1 : 1)),
    clear: async (homeId, days) => {
      const gone = new Set(days.map(({ mark }) => mark));
      homes.set(
        homeId,
        (homes.get(homeId) ?? []).filter(({ mark }) => !gone.has(mark)),
      );
    },
  };
}
