import type { HistorySource } from "../../history/ports.ts";
import { placePast, type ScanNew } from "../consistency/place-past.ts";
import type { OldLimits } from "../ports.ts";

/** A past whose stamps are cut, with each row at the moment at which NEW has it, or may have it. Its positions stay the history's own. */
export function placedPast(source: HistorySource, limits: OldLimits, scan: ScanNew): HistorySource {
  if (limits.precisionUs === 1) return source;
  return {
    ...source,
    async *read(position, signal) {
      for await (const chunk of source.read(position, signal))
        yield { ...chunk, rows: await placePast(chunk.rows, limits, scan) };
    },
  };
}
