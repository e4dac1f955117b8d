import { createSqliteEventStore } from "../../lib/adapters/sqlite/event-store.ts";
import { DETECTORS } from "../../lib/analysis/detectors/all.ts";
import { createDayFacts } from "../../lib/analysis/detectors/facts.ts";
import type { EventStore } from "../../lib/store/ports.ts";
import { type Figures, median, progress } from "../support/report.ts";
import type { DayInfo } from "./learn.ts";
import { rssPeakMb, Stopwatch } from "./measure.ts";
import { readInfo, type Setting } from "./setting.ts";

const RUNS = 5;

interface Reading {
  readonly scan: Stopwatch;
  readonly facts: Stopwatch;
  readonly aggregate: Stopwatch;
  readonly byKind: ReadonlyMap<string, Stopwatch>;
}

const newReading = (): Reading => ({
  scan: new Stopwatch(),
  facts: new Stopwatch(),
  aggregate: new Stopwatch(),
  byKind: new Map(DETECTORS.map(({ kind }) => [kind, new Stopwatch()])),
});

async function read(store: EventStore, day: DayInfo, reading: Reading): Promise<void> {
  const builder = createDayFacts(day);
  let end = reading.scan.begin();
  for await (const events of store.scan(day)) {
    end();
    reading.facts.time(() => {
      for (const event of events) builder.add(event);
    });
    end = reading.scan.begin();
  }
  end();
  const facts = reading.facts.time(() => builder.finish());
  for (const detector of DETECTORS)
    reading.aggregate.time(() => reading.byKind.get(detector.kind)?.time(() => detector.aggregate(facts)));
}

/** One day from the store to the aggregates of all detectors: the first time, and the median of more. */
export async function measureDay(setting: Setting): Promise<Figures> {
  const before = rssPeakMb();
  const store = createSqliteEventStore({ path: setting.storePath });
  const day = readInfo(setting).days.at(-1) as DayInfo;
  const runs: Reading[] = [];
  let firstPeak = 0;
  for (let run = 0; run < RUNS; run++) {
    const reading = newReading();
    await read(store, day, reading);
    runs.push(reading);
    firstPeak ||= rssPeakMb();
  }
  await store.close();
  const of = (pick: (reading: Reading) => number): number => median(runs.map(pick));
  const [first = newReading()] = runs;
  return {
    scan_ms: of(({ scan }) => scan.wallMs),
    scan_cpu_ms: of(({ scan }) => scan.cpuMs),
    facts_and_aggregate_ms: of(({ facts, aggregate }) => facts.wallMs + aggregate.wallMs),
    facts_and_aggregate_cpu_ms: of(({ facts, aggregate }) => facts.cpuMs + aggregate.cpuMs),
    facts_ms: of(({ facts }) => facts.wallMs),
    first_facts_and_aggregate_ms: first.facts.wallMs + first.aggregate.wallMs,
    first_facts_and_aggregate_cpu_ms: first.facts.cpuMs + first.aggregate.cpuMs,
    ...Object.fromEntries(
      DETECTORS.map(({ kind }) => [
        `aggregate_${kind.replaceAll("-", "_")}_ms`,
        of(({ byKind }) => byKind.get(kind)?.wallMs ?? 0),
      ]),
    ),
    day_rss_before_mb: before,
    day_rss_peak_mb: firstPeak,
  };
}

/** What one would do without layers: every night all raw events of the days again. */
export async function measureRescan(setting: Setting): Promise<Figures> {
  const store = createSqliteEventStore({ path: setting.storePath });
  const reading = newReading();
  const days = readInfo(setting).days.slice(-setting.full);
  for (const day of days) await read(store, day, reading);
  await store.close();
  const { scan, facts, aggregate } = reading;
  progress(`${days.length} days read again`);
  return {
    rescan_days: days.length,
    rescan_ms: scan.wallMs + facts.wallMs + aggregate.wallMs,
    rescan_cpu_ms: scan.cpuMs + facts.cpuMs + aggregate.cpuMs,
    rescan_rss_peak_mb: rssPeakMb(),
  };
}
