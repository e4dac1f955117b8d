import { type Envelope, envelopesOf } from "./envelopes.ts";
import { HOURS, homeRecords, registryRecords, START_MS, type TimedRecord } from "./home.ts";
import { batchAt, deployed } from "./lambda.ts";
import { Meter } from "./meter.ts";

import { type Rig, startRig } from "./rig.ts";
import type { Night, Run, RunOptions } from "./run-types.ts";
import { STORES, type StoreName } from "./setting.ts";
import { type Item, scaled, sumOf, type Usage } from "./usage.ts";

const HOUR_MS = 3_600_000;

export async function run(options: RunOptions): Promise<Run> {
  const rig = await startRig();
  try {
    return await new Running(rig, options).all();
  } finally {
    rig.stop();
  }
}

class Running {
  readonly #rig: Rig;
  readonly #options: RunOptions;
  readonly #tally = new Tally();
  readonly #calls = new Map<string, { cpuMs: number; waitedMs: number; count: number }>();
  #timestreamBytes = 0;
  #roundNumber = 0;
  #isWarm = false;

  constructor(rig: Rig, options: RunOptions) {
    this.#rig = rig;
    this.#options = options;
  }

  async all(): Promise<Run> {
    const { homes, messagesMax, isWithNight } = this.#options;
    const rounds = this.#rounds(await this.#homes());
    const first = await this.#warmUp(rounds);
    let done = 0;
    let lastMs = first;
    let isFirstNight = true;
    for (const round of rounds) {
      if (!isWithNight && done >= messagesMax) break;
      const sentMs = round[0]?.sentMs ?? lastMs;
      if (isWithNight && isFirstNight && sentMs > START_MS + 2 * HOUR_MS + 300_000) {
        for (const store of STORES) await this.#night(store);
        isFirstNight = false;
      }
      await this.#round(round, sentMs);
      done += round.length;
      lastMs = sentMs;
    }
    const days = (lastMs - first) / (24 * HOUR_MS);
    const aDay = 1 / (days * homes);
    // Before the night's job, which makes one file of them.
    const hotBytes = await this.#rig.bytesBelow("parquet-objects", "hot/");
    const night = isWithNight ? await this.#lastNight(done / days) : undefined;
    const idle = await this.#idleDispatch();
    return {
      options: this.#options,
      parts: new Map([...this.#tally.parts].map(([part, used]) => [part, scaled(used, aDay)])),
      messagesADay: done * aDay,
      batches: this.#batches(),
      calls: new Map(
        [...this.#calls].map(([name, { cpuMs, waitedMs, count }]) => [
          name,
          { cpuMs: cpuMs / count, waitedMs: waitedMs / count, count },
        ]),
      ),
      hotBytesADay: hotBytes * aDay,
      timestreamBytesADay: this.#timestreamBytes * aDay,
      idleDispatch: scaled(idle, 1 / homes),
      metrics: this.#rig.metrics.size,
      ...(night && { night }),
    };
  }

  async #homes(): Promise<Iterator<Envelope>[]> {
    const { path, eventsPerDay, flushSeconds, homes } = this.#options;
    const registries = registryRecords(path);
    const made: Iterator<Envelope>[] = [];
    for (let index = 0; index < homes; index++) {
      const homeId = `home-${index}`;
      const key = await this.#rig.addHome(homeId);
      const records = inOrder(registries, homeRecords({ path, eventsPerDay }));
      made.push(envelopesOf(records, { homeId, key, flushMs: flushSeconds * 1000 }));
    }
    return made;
  }

  /** One message of each home at a time. */
  *#rounds(homes: readonly Iterator<Envelope>[]): Generator<Envelope[], undefined> {
    for (;;) {
      const round = homes.map((home) => home.next()).flatMap((next) => (next.done ? [] : [next.value]));
      if (round.length < homes.length) return;
      yield round;
    }
  }

  /** Registries, and what an instance does once, are no part of a day. When the first messages went. */
  async #warmUp(rounds: Iterator<Envelope[]>): Promise<number> {
    const { value } = rounds.next() as { value: Envelope[] };
    const sentMs = value[0]?.sentMs ?? START_MS;
    await this.#round(value, sentMs);
    this.#isWarm = true;
    return sentMs;
  }

  #batches(): Record<"enrich" | "store" | "index-devices", number> {
    const { fleet, flushSeconds } = this.#options;
    const aSecond = fleet / flushSeconds;
    const of = (name: string) => batchAt(aSecond, deployed(name, { isFleet: fleet > 1 }));
    return { enrich: of("enrich"), store: of("store"), "index-devices": of("index-devices") };
  }

  /** Of the messages of all homes at one moment. */
  async #round(round: readonly Envelope[], sentMs: number): Promise<void> {
    const rig = this.#rig;
    const sizes = this.#batches();
    const isFleet = this.#options.fleet > 1;
    // An instance remembers the packed views of 10,000 homes of 350 rows (lib/enrich/home-view.ts), but none lives for ever: of every eight homes' messages one comes to an instance that does not know the home.
    const isNew = isFleet && this.#roundNumber++ % 8 === 4;
    rig.clock.set(sentMs);
    for (const { text } of round) this.#add("relay", await rig.send(text));
    for (const some of inGroups(await rig.take("events"), sizes.enrich))
      this.#called("enrich", await rig.batch("enrich", some, { isNew }));
    for (const some of inGroups(await rig.take("store"), sizes.store)) {
      for (const store of STORES) this.#called(`store ${store}`, await rig.batch("store", some, { store, isFleet }));
    }
    for (const some of inGroups(await rig.take("index"), sizes["index-devices"]))
      this.#called("index-devices", await rig.batch("index-devices", some));
  }

  #called(part: string, called: { used: Meter; cpuMs: number; waitedMs: number }): void {
    this.#add(part, called.used);
    if (!this.#isWarm) return;
    const { cpuMs, waitedMs, count } = this.#calls.get(part) ?? { cpuMs: 0, waitedMs: 0, count: 0 };
    this.#calls.set(part, { cpuMs: cpuMs + called.cpuMs, waitedMs: waitedMs + called.waitedMs, count: count + 1 });
  }

  #add(part: string, used: Meter): void {
    if (!this.#isWarm) return;
    this.#tally.add(part, used);
    this.#timestreamBytes += used.timestreamBytes;
  }

  /** The second call in a row has nothing to do. */
  async #idleDispatch(): Promise<Usage> {
    this.#rig.clock.set(this.#rig.clock.nowMs() + 1_000);
    await this.#rig.call("dispatch", {}, { store: "parquet-objects" });
    const { used } = await this.#rig.call("dispatch", {}, { store: "parquet-objects" });
    return used.used;
  }

  /** Of one home. */
  async #lastNight(segments: number): Promise<Night> {
    const { homes } = this.#options;
    this.#rig.clock.set(START_MS + HOURS * HOUR_MS + 300_000);
    const nights = {} as Record<StoreName, { dispatch: Meter; analyze: Meter }>;
    for (const store of STORES) {
      const { jobs, ...used } = await this.#night(store);
      // The first night of a home also ends its week, or its month.
      if (jobs !== homes) throw new Error(`${jobs} jobs were made for ${homes} homes and one night.`);
      nights[store] = used;
    }
    const idle = await this.#idleDispatch();
    const share = 1 / homes;
    const bytes =
      (await this.#rig.bytesBelow("parquet-objects", "events/")) +
      (await this.#rig.bytesBelow("parquet-objects", "rollups/"));
    return {
      segments: segments * share,
      dispatch: scaled(sumOf([nights["parquet-objects"].dispatch.used, scaled(idle, -1)]), share),
      analyze: {
        "parquet-objects": scaled(nights["parquet-objects"].analyze.used, share),
        "parquet-table": scaled(nights["parquet-table"].analyze.used, share),
        timestream: scaled(nights.timestream.analyze.used, share),
      },
      queries: nights.timestream.analyze.timestreamQueries * share,
      dayBytes: bytes * share,
    };
  }

  async #night(store: StoreName) {
    const dispatched = await this.#rig.call("dispatch", {}, { store });
    const jobs = await this.#rig.take("analysis");
    const all = new Meter();
    for (const job of jobs) {
      const { used, ...took } = await this.#rig.batch("analyze", [job], { store });
      for (const [item, amount] of Object.entries(used.used)) all.add(item as Item, amount);
      all.timestreamQueries += used.timestreamQueries;
      this.#calls.set(`analyze ${store}`, { ...took, count: 1 });
    }
    return { jobs: jobs.length, dispatch: dispatched.used, analyze: all };
  }
}

function* inOrder(registries: readonly string[], records: Iterable<TimedRecord>): Generator<TimedRecord> {
  for (const text of registries) yield { atMs: START_MS, text };
  yield* records;
}

function inGroups<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, index) =>
    values.slice(index * size, (index + 1) * size),
  );
}

/** What was used, by who used it. */
class Tally {
  readonly parts = new Map<string, Partial<Record<Item, number>>>();

  add(part: string, { used }: Pick<Meter, "used">): void {
    const sum = this.parts.get(part) ?? {};
    for (const [item, amount] of Object.entries(used)) sum[item as Item] = (sum[item as Item] ?? 0) + amount;
    this.parts.set(part, sum);
  }
}
