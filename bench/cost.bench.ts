/**
 * What a home costs a month on AWS: the real functions run a day of a busy and of a quiet home over emulators, every billable operation is counted and multiplied by
 * dated list prices (bench/cost/prices.ts); docs/stores.md says what is assumed.
 * `npm run bench -- cost [--quick] [--flush 60,300] [--events 100000] [--who fleet]`; last line: one JSON object.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeEvents } from "./cost/home.ts";
import { watchFetch } from "./cost/meter.ts";
import { beforeServer, type Deployment, dollarsOfMonth, monthOf } from "./cost/month.ts";
import { INFLUXDB, TIMESTREAM_QUERY_DOLLARS } from "./cost/prices.ts";
import type { Night, Run, RunOptions } from "./cost/run-types.ts";
import { run } from "./cost/runs.ts";
import { STORES } from "./cost/setting.ts";
import { type Cell, itemTable, overview, priceTable } from "./cost/table.ts";
import { type Figures, progress, report } from "./support/report.ts";

const { values: args } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    /** Of the flush times and homes of a whole run only these: two flush times at least. */
    flush: { type: "string", default: "5,15,60,300" },
    events: { type: "string", default: "100000,2000" },
    /** Only `alone`, or only `fleet`. */
    who: { type: "string", default: "alone,fleet" },
  },
});
const numbersOf = (text: string): number[] => text.split(",").map(Number);

/** A night is measured at the last two, and is between them on a straight line. */
const FLUSH_SECONDS = args.quick ? [300, 900] : numbersOf(args.flush);
const HOMES = args.quick ? [2_000] : numbersOf(args.events);
const FLEET = 10_000;
/** Homes of a fleet that are really run, and messages that stand for a day. */
const FLEET_HOMES = args.quick ? 5 : 20;
const MESSAGES_MAX = args.quick ? 10 : 160;
/** Homes of a fleet whose nights are really run: enough for what several homes share. */
const NIGHT_HOMES = 2;
const GOAL_DOLLARS = 0.34;
const GOAL_FLUSH_SECONDS = 60;

async function timed(options: RunOptions): Promise<Run> {
  const startMs = performance.now();
  const done = await run(options);
  const { eventsPerDay, flushSeconds, fleet } = options;
  const calls = [...done.calls].map(
    ([name, { cpuMs, waitedMs }]) => `${name} ${cpuMs.toFixed(1)}+${waitedMs.toFixed(0)}`,
  );
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  progress(
    `${eventsPerDay} events a day, ${flushSeconds} s, ${fleet === 1 ? "alone" : `one of ${fleet}`}: ${done.messagesADay.toFixed(0)} messages a day, ` +
      `batches ${JSON.stringify(done.batches)}, ms computed+waited a call: ${calls.join(", ")} (${seconds} s)`,
  );
  return done;
}

interface Runs {
  readonly runs: readonly Run[];
  readonly nights: readonly [Night, Night];
}

async function runsOf(path: string, eventsPerDay: number, fleet: number): Promise<Runs> {
  const runs: Run[] = [];
  const nights: Night[] = [];
  for (const flushSeconds of FLUSH_SECONDS) {
    const isWithNight = FLUSH_SECONDS.indexOf(flushSeconds) >= FLUSH_SECONDS.length - 2;
    const shared = { path, eventsPerDay, flushSeconds, messagesMax: MESSAGES_MAX, fleet };
    const day = await timed({
      ...shared,
      homes: fleet === 1 ? 1 : FLEET_HOMES,
      isWithNight: isWithNight && fleet === 1,
    });
    runs.push(day);
    const night = isWithNight && fleet > 1 ? await timed({ ...shared, homes: NIGHT_HOMES, isWithNight }) : day;
    if (night.night) nights.push(night.night);
  }
  const [one, other] = nights;
  if (!one || !other) throw new Error("Two nights are wanted.");
  return { runs, nights: [one, other] };
}

/** As serverless.yml makes them. */
async function alarms(): Promise<number> {
  const make = createRequire(import.meta.url)("../serverless/alarms.cjs") as (context: {
    resolveVariable: (name: string) => Promise<string>;
  }) => Promise<{ Resources: Record<string, { Type: string }> }>;
  const { Resources } = await make({ resolveVariable: async (name) => (name === "param:alarmTopic" ? "yes" : name) });
  return Object.values(Resources).filter(({ Type }) => Type === "AWS::CloudWatch::Alarm").length;
}

function figuresOf(cells: readonly Cell[]): Figures {
  const figures: Record<string, number> = {};
  for (const { store, eventsPerDay, fleet, flushSeconds, month } of cells) {
    const { own, fixed, aboveFree } = dollarsOfMonth(month);
    const name = `${store.replace("-", "_")}_${eventsPerDay}_events_${flushSeconds}_s`;
    if (fleet > 1) figures[`${name}_fleet_dollars`] = own + fixed;
    else
      Object.assign(figures, {
        [`${name}_alone_dollars`]: own + fixed,
        [`${name}_alone_above_free_dollars`]: aboveFree,
      });
  }
  return figures;
}

interface Found {
  readonly cells: readonly Cell[];
  /** Of a night's job, where each query has a price. */
  readonly queries: number;
}

async function findCells(path: string): Promise<Found> {
  const cells: Cell[] = [];
  let queries = 0;
  const fleets = [1, FLEET].filter((fleet) => args.who.includes(fleet === 1 ? "alone" : "fleet"));
  for (const [eventsPerDay, fleet] of HOMES.flatMap((home) => fleets.map((each) => [home, each] as const))) {
    const { runs, nights } = await runsOf(path, eventsPerDay, fleet);
    const deployment: Deployment = { metrics: Math.max(...runs.map(({ metrics }) => metrics)), alarms: await alarms() };
    queries = Math.max(queries, nights[0].queries);
    for (const done of runs) {
      const { flushSeconds } = done.options;
      const shared = { eventsPerDay, fleet, flushSeconds };
      const months = new Map(STORES.map((store) => [store, monthOf(store, { run: done, nights, deployment })]));
      for (const [store, month] of months) cells.push({ ...shared, store, month });
      const timestream = months.get("timestream");
      if (timestream) cells.push({ ...shared, store: "influxdb", month: beforeServer(timestream) });
    }
  }
  return { cells, queries };
}

async function measure(): Promise<Found> {
  const folder = mkdtempSync(join(tmpdir(), "hearthline-bench-cost-"));
  const path = join(folder, "events.jsonl");
  const unwatch = watchFetch();
  try {
    writeEvents(path);
    return await findCells(path);
  } finally {
    unwatch();
    rmSync(folder, { recursive: true, force: true });
  }
}

const { cells, queries } = await measure();
for (const { store, eventsPerDay, fleet, flushSeconds, month } of cells) {
  if (flushSeconds !== GOAL_FLUSH_SECONDS) continue;
  const where = fleet === 1 ? "alone" : `one of ${fleet}`;
  process.stdout.write(
    `\n${store}, ${eventsPerDay} events a day, flush ${flushSeconds} s, ${where}; dollars a month\n${itemTable(month)}\n`,
  );
}
process.stdout.write(`\n${overview(cells, FLUSH_SECONDS)}\n\n${priceTable()}\n`);
process.stdout.write(
  `\nTimestream: a night's job asks ${queries} queries, at least ${TIMESTREAM_QUERY_DOLLARS.toFixed(4)} dollars a night; not in the sums.\n` +
    `InfluxDB: ${INFLUXDB.dollarsAMonth} dollars a month (${INFLUXDB.what}; ${INFLUXDB.source}), shared by its homes; not in the sums.\n`,
);
const goals = Object.fromEntries(
  STORES.map((store) => [
    `${store.replace("-", "_")}_100000_events_${GOAL_FLUSH_SECONDS}_s_fleet_dollars`,
    GOAL_DOLLARS,
  ]),
);
report("cost", { ...figuresOf(cells), influxdb_server_month_dollars: INFLUXDB.dollarsAMonth }, goals);
