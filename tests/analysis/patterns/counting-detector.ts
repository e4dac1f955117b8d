import type { Detector, Finding } from "../../../lib/analysis/detectors/types.ts";
import type { Pattern } from "../../../lib/analysis/ports.ts";

interface Row {
  readonly id: string;
  readonly n: number;
}

/** The plainest detector that there can be: what turned on, counted; found is what did so on three days or more. */
export function countingDetector(
  more: Partial<Detector<Row>> & { readonly fails?: (what: "aggregate" | "find") => boolean } = {},
): Detector<Row> {
  const { fails = () => false, ...given } = more;
  const detector: Detector<Row> = {
    kind: "time-of-day",
    version: 1,
    nightsToHold: 3,
    aggregate(facts) {
      if (fails("aggregate")) throw new Error("cannot learn");
      return detector.merge([
        facts.occurrences.filter(({ state }) => state === "on").map(({ entityId: id }) => ({ id, n: 1 })),
      ]);
    },
    merge(parts) {
      const sums = new Map<string, number>();
      for (const rows of parts) for (const { id, n } of rows) sums.set(id, (sums.get(id) ?? 0) + n);
      return [...sums].map(([id, n]) => ({ id, n })).sort((a, b) => (a.id < b.id ? -1 : 1));
    },
    find({ days }) {
      if (fails("find")) throw new Error("cannot find");
      const ids = new Set(days.flatMap(({ rows }) => rows.map(({ id }) => id)));
      return [...ids].sort().flatMap((entityId): Finding[] => {
        const days90 = days.map(({ day, rows }) => ({
          date: day.date,
          hits: rows.find(({ id }) => id === entityId)?.n ?? 0,
          opportunities: 1,
        }));
        const hits = days90.filter((day) => day.hits > 0).length;
        if (hits < 3) return [];
        const facts = { target: { entityId, state: "on" }, reliability: 0.9, significance: 0, automated: false };
        return [{ kind: detector.kind, key: `${entityId}=on`, ...facts, hits, opportunities: days.length, days90 }];
      });
    },
    ...given,
  };
  return detector;
}

export const briefly = ({ id, key, status, firstSeen, lastSeen, toldOn, confirmedOn }: Pattern) => ({
  ...{ id, key, status, firstSeen, lastSeen, toldOn, confirmedOn },
});
