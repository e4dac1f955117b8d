import { seededRandom } from "../../lib/base/random.ts";
import type { HistorySource } from "../../lib/history/index.ts";
import { checkEvent, EARLIEST_EVENT_US } from "../../lib/ingest/index.ts";
import { createBackfillCheck } from "../../lib/migration/checks/backfill.ts";
import type { BackfillOptions } from "../../lib/migration/checks/backfill-options.ts";
import type { PlanInput } from "../../lib/migration/plan.ts";
import type { Check } from "../../lib/migration/ports.ts";
import type { KeepingSink } from "../support/imports.ts";
import { manualClock } from "../support/manual-clock.ts";
import { migrationOf } from "../support/migrations.ts";

let relays = 0;

/** The check of a process that has just begun. */
export function backfillOf(
  given: Partial<BackfillOptions> & { readonly sink: KeepingSink; readonly source: () => HistorySource },
): Check {
  return createBackfillCheck({
    past: async () => given.source(),
    key: async () => given.sink.key,
    taking: {
      isIncluded: () => true,
      travelling: (_entityId, attributes) => attributes,
      check: (record) => void checkEvent(record, { fromUs: EARLIEST_EVENT_US, toUs: Date.UTC(2027, 0, 1) * 1000 }),
    },
    isInNew: async () => true,
    clock: manualClock(),
    random: seededRandom(1),
    newRelayId: () => `backfill-${++relays}`,
    ...given,
  });
}

/** One step of a check; its memory goes through JSON, as in the store. */
export async function stepOf(
  check: Check,
  memory: unknown,
  signal = new AbortController().signal,
  { plan = {}, afterUs = 0 }: { readonly plan?: Partial<PlanInput>; readonly afterUs?: number } = {},
) {
  const migration = migrationOf({ state: "backfill" }, plan);
  const outcome = await check.run({ migration, memory, nowUs: migration.sinceUs + afterUs, signal });
  const text = JSON.stringify(outcome.memory);
  return { result: outcome.results[0], memory: text === undefined ? memory : (JSON.parse(text) as unknown), text };
}
