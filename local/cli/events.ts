import type { Command } from "commander";
import type { Clock } from "../../lib/base/clock.ts";
import type { ApiClient } from "./api-client.ts";
import { type Output, printable, table } from "./output.ts";
import { countOf, type Tools } from "./tools.ts";

interface WireEvent {
  readonly entity_id: string;
  readonly state: string;
  readonly unit?: string;
  readonly kind: string;
  readonly area_id?: string;
  readonly last_updated: string;
  readonly local_time: string;
}
interface EventPage {
  readonly events: readonly WireEvent[];
  readonly next: string | null;
}

interface Filters {
  readonly from?: string;
  readonly to?: string;
  readonly entity?: string;
  readonly area?: string;
  readonly device?: string;
  readonly domain?: string;
}

const PAGE = 1_000;
const TAIL_EVERY_MS = 1_000;

const withFilters = (command: Command): Command =>
  command
    .option("--from <time>", "ISO 8601 with offset, included")
    .option("--to <time>", "ISO 8601 with offset, not included")
    .option("--entity <id,...>", "entity ids")
    .option("--area <id>", "area id")
    .option("--device <id>", "device id")
    .option("--domain <name>", "such as light");

const queryOf = ({ from, to, entity, area, device, domain }: Filters) => ({
  from,
  to,
  entity_id: entity,
  area_id: area,
  device_id: device,
  domain,
});

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

/** Pages through until `limit` events are there or there are no more. */
async function pages(api: ApiClient, query: Record<string, string | undefined>, limit: number): Promise<WireEvent[]> {
  const events: WireEvent[] = [];
  let cursor: string | undefined;
  while (events.length < limit) {
    const page = await api.get<EventPage>("/api/v1/events", {
      ...query,
      cursor,
      limit: Math.min(PAGE, limit - events.length),
    });
    events.push(...page.events);
    if (page.next === null) break;
    cursor = page.next;
  }
  return events;
}

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
    const events = await pages(api, { ...queryOf(filters), from, order: "asc" }, Number.POSITIVE_INFINITY);
    for (const event of events) {
      const key = `${event.entity_id} ${event.last_updated} ${event.kind}`;
      if (!shown.has(key)) output.line(event, () => lineOf(event));
    }
    const last = events.at(-1);
    if (last) {
      // The next page begins with the events of the very last moment again: they are remembered, the older ones need not be.
      from = last.last_updated;
      shown = new Set(
        events
          .filter((event) => event.last_updated === from)
          .map((event) => `${event.entity_id} ${event.last_updated} ${event.kind}`),
      );
    }
    await clock.sleep(TAIL_EVERY_MS, signal);
  }
}

interface StatsPage {
  readonly entities: readonly {
    entity_id: string;
    count: number;
    first: string;
    last: string;
    bytes: number;
    longest_gap_seconds: number;
  }[];
}

/** `events list|tail|stats` */
export function addEventCommands(program: Command, tools: Tools): void {
  const events = program.command("events").description("what was stored");
  withFilters(events.command("list").description("events, newest first"))
    .option("--limit <n>", "how many at most", countOf(1, 1_000_000), 50)
    .option("--asc", "oldest first")
    .action(async (options: Filters & { limit: number; asc?: boolean }) => {
      const { api, output } = tools();
      const found = await pages(api, { ...queryOf(options), order: options.asc ? "asc" : "desc" }, options.limit);
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
    .action(async ({ from, to, entity }: Filters) => {
      const { api, output } = tools();
      const { entities } = await api.get<StatsPage>("/api/v1/events/stats", { from, to, entity_id: entity });
      const largest = [...entities].sort((a, b) => b.bytes - a.bytes || (a.entity_id < b.entity_id ? -1 : 1));
      const rows = largest.map((each) => [
        each.entity_id,
        each.count,
        each.first,
        each.last,
        Math.round(each.longest_gap_seconds),
        each.bytes,
      ]);
      output.data({ entities: largest }, () =>
        table(["ENTITY", "EVENTS", "FIRST", "LAST", "LONGEST GAP s", "BYTES"], rows, "no events"),
      );
    });
}
