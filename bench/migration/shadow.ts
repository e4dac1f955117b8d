import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createOldSystem } from "../../lib/adapters/legacy/old-system.ts";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import { createSqliteEventStore } from "../../lib/adapters/sqlite/event-store.ts";
import { systemClock as clock } from "../../lib/base/clock.ts";
import { silentLogger as log } from "../../lib/base/log.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { drawn, type Mix } from "../../lib/migration/checks/probe-mix.ts";
import { planSchema } from "../../lib/migration/plan.ts";
import type { OldSystem, Pointer, ReadPair } from "../../lib/migration/ports.ts";
import { createBackground } from "../../lib/migration/reads/background.ts";
import { createPointerCache } from "../../lib/migration/reads/pointer-cache.ts";
import { withAuthority } from "../../lib/migration/reads/with-authority.ts";
import type { EventStore, RangeQuery } from "../../lib/store/ports.ts";
import { batches, writeLines } from "../store/events.ts";
import { type Figures, median, progress, quantile } from "../support/report.ts";
import { startLegacy } from "./legacy.ts";

const EVENTS = 30_000;
const HOME = "home";
const ROUNDS = 12;
const READS_A_ROUND = 100;
/** 50 reads a second: a busy page of a home and a program beside it. */
const READ_EVERY_MS = 20;
const CHEAP_READS = 200_000;

/**
 * What reads of users cost while they are asked of OLD too: the same reads in turn without shadow reads, with them, and again without (what differs there is noise), at a steady rate, timed from when each was due, so that a thread that is
 * busy in the background shows. NEW is SQLite in this process (it holds the thread while it reads), OLD is the small pipeline of local/legacy in a process of its own.
 */
export async function measureShadow(): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "hearthline-bench-shadow-"));
  const legacy = await startLegacy(folder);
  const events = createSqliteEventStore({ path: join(folder, "events.sqlite") });
  try {
    const old = createOldSystem(oldPlan(legacy.url), {}, { clock });
    const mix = await fill(folder, old, events);
    return { ...(await measureReads(events, old, mix)), ...(await measureNoMigration()) };
  } finally {
    await events.close();
    await legacy.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const oldPlan = (url: string) => planSchema.parse({ old: { kind: "http", url } }).old;

/** The same events on both sides; what there is to read. */
async function fill(folder: string, old: OldSystem, events: EventStore): Promise<Mix> {
  const path = join(folder, "events.jsonl");
  writeLines(path, EVENTS);
  const entityIds = new Set<string>();
  let toUs = 0;
  for (const batch of batches(path, EVENTS, 1_000)) {
    await events.write(batch);
    await old.write(batch);
    for (const { entityId, atUs } of batch) {
      entityIds.add(entityId);
      toUs = Math.max(toUs, atUs + 1);
    }
  }
  progress(`shadow: ${EVENTS} events on both sides`);
  return { homeId: HOME, entityIds: [...entityIds], toUs };
}

const pointerOf = (shadowBasisPoints: number): Pointer => ({
  migrationId: "m1",
  epoch: 1,
  authority: "new",
  basisPoints: 10_000,
  salt: "salt",
  shadowBasisPoints,
  readers: {},
  isNewComplete: true,
  isOldComplete: true,
  old: oldPlan("http://127.0.0.1/"),
});

const ARMS = ["without", "with", "again"] as const;
type Arm = (typeof ARMS)[number];

interface Round {
  readonly ms: readonly number[];
  readonly cpuMs: number;
}

async function measureReads(events: EventStore, old: OldSystem, mix: Mix): Promise<Figures> {
  const pairs: ReadPair[] = [];
  const background = createBackground({ clock, log });
  let pointer = pointerOf(0);
  const store = withAuthority(events, {
    pointers: { get: () => pointer, renew: async () => pointer },
    oldOf: () => old,
    clock,
    random: seededRandom(1),
    log,
    background,
    onPair: (_homeId, _id, pair) => pairs.push(pair),
  });
  const rounds: Record<Arm, Round[]> = { without: [], with: [], again: [] };
  await round(store, mix, 0);
  for (let number = 0; number < ROUNDS; number++) {
    for (const which of number % 2 === 0 ? ARMS : ARMS.toReversed()) {
      pointer = pointerOf(which === "with" ? 10_000 : 0);
      rounds[which].push(await round(store, mix, number));
      await background.idle();
    }
  }
  // Every second read of the same stream is a shadowed one: what it does for that before its answer leaves falls on it alone, and what happens behind answers falls on both.
  const inTurn: Round[] = [];
  for (let number = 0; number < ROUNDS; number++) {
    inTurn.push(await round(store, mix, ROUNDS + number, (read) => (pointer = pointerOf(isOdd(read) ? 10_000 : 0))));
    await background.idle();
  }
  progress(`shadow: ${pairs.length} pairs, ${background.dropped()} dropped`);
  const at = (which: Arm, share: number) =>
    quantile(
      rounds[which].flatMap(({ ms }) => ms),
      share,
    );
  const cpu = (which: Arm) => median(rounds[which].map(({ cpuMs }) => cpuMs)) / READS_A_ROUND;
  return {
    read_p50_ms: at("without", 0.5),
    read_p95_ms: at("without", 0.95),
    shadowed_read_p50_ms: at("with", 0.5),
    shadowed_read_p95_ms: at("with", 0.95),
    read_p99_ms: at("without", 0.99),
    shadowed_read_p99_ms: at("with", 0.99),
    shadow_cost_p50_ms: at("with", 0.5) - at("without", 0.5),
    shadow_cost_p95_ms: at("with", 0.95) - at("without", 0.95),
    shadow_cost_p99_ms: at("with", 0.99) - at("without", 0.99),
    noise_p50_ms: at("again", 0.5) - at("without", 0.5),
    noise_p95_ms: at("again", 0.95) - at("without", 0.95),
    noise_p99_ms: at("again", 0.99) - at("without", 0.99),
    ...inTurnFigures(inTurn),
    shadow_cpu_ms_a_read: cpu("with") - cpu("without"),
    shadow_pairs: pairs.length,
    shadow_pairs_equal: pairs.filter(({ isEqual }) => isEqual === true).length,
    shadow_reads_dropped: background.dropped(),
  };
}

const isOdd = (read: number): boolean => read % 2 === 1;

function inTurnFigures(rounds: readonly Round[]): Figures {
  const of = (isShadowed: boolean) => rounds.flatMap(({ ms }) => ms.filter((_, read) => isOdd(read) === isShadowed));
  const figures: Record<string, number> = {};
  for (const percent of [50, 95, 99]) {
    const [without, with_] = [quantile(of(false), percent / 100), quantile(of(true), percent / 100)];
    figures[`in_turn_read_p${percent}_ms`] = without;
    figures[`in_turn_shadowed_read_p${percent}_ms`] = with_;
    figures[`in_turn_shadow_cost_p${percent}_ms`] = with_ - without;
  }
  return figures;
}

/** Reads at a steady rate; each from when it was due to its answer. `before` is called with the number of each. */
async function round(store: EventStore, mix: Mix, number: number, before?: (read: number) => void): Promise<Round> {
  const random = seededRandom(number + 1);
  const startedMs = clock.monotonicMs();
  const cpu = process.cpuUsage();
  const ms = await Promise.all(
    Array.from({ length: READS_A_ROUND }, async (_, i) => {
      const asked = drawn(undefined, mix, random);
      // Not on a beat with the delay of the background's own work.
      const dueMs = startedMs + (i + random() * 0.9) * READ_EVERY_MS;
      await clock.sleep(Math.max(0, dueMs - clock.monotonicMs()));
      // A timer is late by up to a millisecond on its own; what is late by more was held up.
      const begunMs = Math.min(clock.monotonicMs(), dueMs + 1);
      before?.(i);
      await asked.ask(store);
      return clock.monotonicMs() - begunMs;
    }),
  );
  const { user, system } = process.cpuUsage(cpu);
  return { ms, cpuMs: (user + system) / 1000 };
}

/** What a read of a home without a migration pays for there being migrations at all. */
async function measureNoMigration(): Promise<Figures> {
  const plain = createMemoryEventStore();
  const store = withAuthority(plain, {
    pointers: createPointerCache({ store: { pointer: async () => undefined }, clock, log }),
    oldOf: () => Promise.reject(new Error("There is no migration.")),
    clock,
    random: Math.random,
    log,
    onPair: () => {},
  });
  const query: RangeQuery = { homeId: HOME, order: "desc", limit: 1 };
  const microseconds = async (of: EventStore) => {
    const startedMs = clock.monotonicMs();
    for (let i = 0; i < CHEAP_READS; i++) await of.range(query);
    return ((clock.monotonicMs() - startedMs) * 1000) / CHEAP_READS;
  };
  const found: number[] = [];
  for (let i = 0; i < 5; i++) found.push((await microseconds(store)) - (await microseconds(plain)));
  return { no_migration_cost_us_a_read: median(found.slice(1)) };
}
