import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { Microseconds } from "../../base/time.ts";
import type { HomeKey } from "../../event/index.ts";
import type { HistorySource, ImportOptions, ImportSink } from "../../history/index.ts";
import type { Migration } from "../ports.ts";

export interface BackfillOptions {
  /** OLD's past from the plan's beginning up to `toUs` (not included), with small positions. Closed after each step. */
  readonly past: (migration: Migration, toUs: Microseconds) => Promise<HistorySource>;
  /** The events queue, as imports have it. */
  readonly sink: ImportSink;
  /** Where envelopes of the home are sealed with. */
  readonly key: (homeId: string) => Promise<HomeKey>;
  /** The owner's filters and what `enrich` would not take, as imports have them. */
  readonly taking: Pick<ImportOptions, "isIncluded" | "travelling" | "check" | "isPassword">;
  /** Has NEW this row? */
  readonly isInNew: (
    homeId: string,
    row: { readonly entityId: string; readonly atUs: Microseconds },
  ) => Promise<boolean>;
  /** Up to when NEW has everything that its relay heard; undefined: nobody knows. Asked where OLD's stamps are cut: what comes over then takes the moments that NEW has of it. */
  readonly settledUs?: (homeId: string) => Promise<Microseconds | undefined>;
  readonly clock: Clock;
  readonly random: Random;
  /** Never the same one twice. */
  readonly newRelayId: () => string;
  /** What one step sends at most, and for how long it goes on. Default 500,000 rows, 60,000 ms. */
  readonly rowsPerStep?: number;
  readonly msPerStep?: number;
}
