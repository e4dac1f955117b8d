import type { LateDays } from "../../store/ports.ts";
import { homePartition, keyParts, type LateDayKind, lateDayKey, prefixOf } from "./keys.ts";
import type { Table } from "./table.ts";

/** An item each time a day is noted: what is forgotten is only what was seen. */
export function createDynamodbLateDays(table: Table, kind: LateDayKind = "LATE"): LateDays {
  return {
    async note(homeId, dates) {
      const unique = () => `${table.clock.nowMs()}-${Math.floor(table.random() * 2 ** 48).toString(36)}`;
      await table.writeMany({ puts: dates.map((date) => ({ ...lateDayKey(homeId, { kind, date, mark: unique() }) })) });
    },
    async list(homeId) {
      const days: { date: string; mark: string }[] = [];
      for await (const { sk } of table.query({ pk: homePartition(homeId), prefix: prefixOf(kind), keysOnly: true })) {
        const [, date = "", mark = ""] = keyParts(String(sk));
        days.push({ date, mark });
      }
      return days;
    },
    clear: (homeId, days) => table.writeMany({ deletes: days.map((day) => lateDayKey(homeId, { kind, ...day })) }),
  };
}
