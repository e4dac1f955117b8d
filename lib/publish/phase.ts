import { ENTITIES, type Phase, unpackRows, windowOf } from "../analysis/index.ts";
import type { AggregateStore, Job, PatternStore } from "../analysis/ports.ts";
import type { Clock } from "../base/clock.ts";
import { addDays } from "../base/zone.ts";
import { gapsOf, isImport, type Ledger } from "../ingest/index.ts";
import type { Display } from "./display.ts";
import type { Figures } from "./ports.ts";

export interface PublishPhaseOptions {
  readonly display: Display;
  readonly patterns: Pick<PatternStore, "list">;
  readonly aggregates: Pick<AggregateStore, "range">;
  readonly ledger: Pick<Ledger, "rows">;
  readonly clock: Pick<Clock, "nowMs">;
  readonly budgetMs?: number;
}

/** What the house is shown of the night: handed to its relay over the outbox, everything each night, a few messages. */
export function publishPhase(options: PublishPhaseOptions): Phase {
  const { display, budgetMs } = options;
  return {
    name: "publish",
    ...(budgetMs !== undefined && { budgetMs }),
    async run(job) {
      // Said in the job, once a night; items that no relay can do would only fail.
      if (!(await display.reaches(job.homeId))) return { messages: 0, without_broker: 1 };
      return { messages: await display.show(job.homeId, { figures: await figuresOf(job, options), again: true }) };
    },
  };
}

async function figuresOf({ homeId, date }: Job, options: PublishPhaseOptions): Promise<Figures> {
  const { patterns, ledger, clock } = options;
  const [learned, rows, events] = await Promise.all([
    patterns.list(homeId),
    ledger.rows(homeId),
    eventsByDate(homeId, date, options),
  ]);
  const relays = rows.filter(({ relayId }) => !isImport(relayId));
  const isComplete = relays.every(({ ranges, lost }) => gapsOf(ranges).length === 0 && lost.length === 0);
  return {
    date,
    patterns: learned.filter(({ status }) => status === "active").length,
    last_run: new Date(clock.nowMs()).toISOString(),
    events_day: events.get(date) ?? null,
    events_day_before: events.get(addDays(date, -1)) ?? null,
    ledger_complete: isComplete ? "yes" : "no",
  };
}

/** Of the day that has ended and of the one before, by what their aggregates counted. */
async function eventsByDate(
  homeId: string,
  date: string,
  { aggregates }: PublishPhaseOptions,
): Promise<ReadonlyMap<string, number>> {
  const days = { fromDate: addDays(date, -1), toDate: addDays(date, 1) };
  const counts = new Map<string, number>();
  for await (const day of aggregates.range({ homeId, layer: "daily", kind: ENTITIES, ...days }))
    counts.set(
      day.date,
      unpackRows(day).reduce((sum, row) => sum + windowOf(row, day).count, 0),
    );
  return counts;
}
