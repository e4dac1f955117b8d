import type { Command } from "commander";
import type { Clock } from "../../lib/base/clock.ts";
import type { WireEvent } from "../../lib/event/index.ts";
import type { ApiClient } from "./api-client.ts";
import { addExportCommand } from "./event-export.ts";
import { eventPages, type Filters, queryOf, withFilters } from "./event-pages.ts";
import { type StatsFlags, showEventStats } from "./event-stats.ts";
import { type Output, printable, table } from "./output.ts";
import { countOf, type Tools } from "./tools.ts";

const TAIL_EVERY_MS = 1_000;

const row = (event: WireEvent) => [
  event.local_time,
  event.entity_id,
  event.state + (event.unit ? ` (${event.unit})` : ""),
  event.kind,
  event.area_id,
];
const lineOf = (event: WireEvent) =>
  printable(
    `${event.local_time}  ${event.entity_id}  ${event.state}  ${event.kind}${event.area_id ? `  ${event.area_id}` : ""}`,
  );

/**
 * Prints events as they come, oldest first, from now on (or from `--from`). Asks once a second for what lies after the last one printed;
 * an event that arrives late with an older time is not shown. Ends with the signal.
 */
export async function tailEvents(options: {
  api: ApiClient;
  output: Output;
  clock: Clock;
  signal: AbortSignal;
  filters: Filters;
}): Promise<void> {
  const { api, output, clock, signal, filters } = options;
  let from = filters.from ?? new Date(clock.nowMs()).toISOString();
  let shown = new Set<string>();
  while (!signal.aborted) {
    const query = { ...queryOf(filters), from, order: "asc" };
    for await (const events of eventPages(query, { api, clock, signal })) {
      for (const event of events) {
        const key = keyOf(event);
        if (!shown.has(key)) output.line(event, () => lineOf(event));
        // The next round begins with the events of the very last moment again: they are remembered, the older ones need not be.
        if (event.last_updated !== from) shown = new Set();
        from = event.last_updated;
        shown.add(key);
      }
    }
    await clock.sleep(TAIL_EVERY_MS, signal);
  }
}

const keyOf = ({ entity_id, last_updated, kind }: WireEvent): string => `${entity_id} ${last_updated} ${kind}`;

/** `events list|tail|export|stats` */
export function addEventCommands(program: Command, tools: Tools): void {
  const events = program.command("events").description("what was stored");
  withFilters(events.command("list").description("events, newest first"))
    .option("--limit <n>", "how many at most", countOf(1, 1_000_000), 50)
    .option("--asc", "oldest first")
    .action(async (options: Filters & { limit: number; asc?: boolean }) => {
      const { api, output, clock, signal } = tools();
      const query = { ...queryOf(options), order: options.asc ? "asc" : "desc" };
      const found: WireEvent[] = [];
      for await (const page of eventPages(query, { api, clock, signal, limit: options.limit })) found.push(...page);
      output.data({ events: found }, () =>
        table(["TIME", "ENTITY", "STATE", "KIND", "AREA"], found.map(row), "no events"),
      );
    });
  withFilters(events.command("tail").description("events as they come; ends with Ctrl-C")).action(
    async (filters: Filters) => {
      const { api, output, clock, signal } = tools();
      await tailEvents({ api, output, clock, signal, filters });
    },
  );
  events
    .command("stats")
    .description("for each entity: how many events, first, last, longest gap, bytes; what fills the disk comes first")
    .option("--from <time>", "ISO 8601 with offset, included")
    .option("--to <time>", "ISO 8601 with offset, not included")
    .option("--entity <id,...>", "entity ids")
    .option("--limit <n>", "only the largest", countOf(1, 1_000_000))
    .action((flags: StatsFlags) => showEventStats(flags, tools));
  addExportCommand(events, tools);
}
