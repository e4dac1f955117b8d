import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createOldSystem } from "../../lib/adapters/legacy/old-system.ts";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import { createMemoryLedger } from "../../lib/adapters/memory/ledger.ts";
import { createMemoryMigrationStore } from "../../lib/adapters/memory/migration-store.ts";
import type { Clock } from "../../lib/base/clock.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { silentLogger } from "../../lib/base/log.ts";
import { seededRandom } from "../../lib/base/random.ts";
import type { HomeEvent } from "../../lib/event/index.ts";
import { canaryEntityOf } from "../../lib/migration/canary-entity.ts";
import { createApiCompare } from "../../lib/migration/checks/api-compare.ts";
import { createCanaryCheck } from "../../lib/migration/checks/canary.ts";
import { createDevicesCheck } from "../../lib/migration/checks/devices.ts";
import { createDualWriteCheck } from "../../lib/migration/checks/dual-write.ts";
import { createErrorsCheck } from "../../lib/migration/checks/errors.ts";
import { createHandoverCheck } from "../../lib/migration/checks/handover.ts";
import { createHealthNewCheck, createHealthOldCheck } from "../../lib/migration/checks/health.ts";
import { createLossCheck } from "../../lib/migration/checks/loss.ts";
import { createPerformanceCheck } from "../../lib/migration/checks/performance.ts";
import { createProbes } from "../../lib/migration/checks/probes.ts";
import { createStabilityCheck } from "../../lib/migration/checks/stability.ts";
import { createConsistencyCheck } from "../../lib/migration/consistency/check.ts";
import { createLedgerFacts } from "../../lib/migration/consistency/ledger-facts.ts";
import { createStepper } from "../../lib/migration/index.ts";
import type { Check, Migration, State } from "../../lib/migration/ports.ts";
import type { EventStore } from "../../lib/store/ports.ts";
import type { Faults } from "../../local/legacy/faults.ts";
import { startLegacy } from "../../local/legacy/server.ts";
import { buildEvent } from "./events.ts";
import { START_US, startedOf } from "./migrations.ts";

/** A home that moves, in this process and in a time of its own: the real step, checks and old pipeline; NEW in memory, with faults; a relay that feeds both and keeps for each what it does not take. */

/** What can be wrong with NEW. */
export type NewFault = "slow" | "errors" | "loses" | "down";

/** Time goes on by whoever waits; what is longer than a minute is a deadline, which is never met here. */
function lonelyClock(startMs: number): Clock & { pass(ms: number): void } {
  let nowMs = startMs;
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return {
    pass,
    nowMs: () => nowMs,
    monotonicMs: () => nowMs - startMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        if (ms > 60_000) {
          signal?.addEventListener("abort", () => resolve(), { once: true });
          return;
        }
        pass(ms);
        setImmediate(resolve);
      }),
  };
}

const HOME = "home";
const RELAY = "relay-1";
const ENTITIES = 5;
const EVENT_EVERY_MS = 15_000;
const EVENTS_BEFORE = 30;
const EVENTS_A_STEP = 8;
const NEW_SLOW_MS = 120;
const NEW_ERROR_RATE = 0.3;
/** No check of one step is ever out of time. */
const BUDGET_MS = 100_000_000;

const unavailable = () => new HearthlineError("service_unreachable", "The store of NEW does not answer.");

/** NEW's store with its fault; `raw` is what it holds. */
function faultyStore(clock: Clock, fault: () => NewFault | undefined) {
  const raw = createMemoryEventStore();
  const random = seededRandom(7);
  async function asked(): Promise<void> {
    if (fault() === "down") throw unavailable();
    if (fault() === "slow") await clock.sleep(NEW_SLOW_MS);
    if (fault() === "errors" && random() < NEW_ERROR_RATE) throw unavailable();
  }
  const store: EventStore = {
    ...raw,
    async range(query) {
      await asked();
      return raw.range(query);
    },
    async aggregate(query) {
      await asked();
      return raw.aggregate(query);
    },
    async *scan(query) {
      if (fault() === "down") throw unavailable();
      yield* raw.scan(query);
    },
    async write(events) {
      if (fault() === "down") throw unavailable();
      await raw.write(events);
    },
    async check() {
      if (fault() === "down") throw unavailable();
    },
  };
  return { raw, store };
}

/** One of the relay's sinks: in order, and what fails is kept. */
class Feed {
  readonly #take: (event: HomeEvent) => Promise<void>;
  #waiting: HomeEvent[] = [];
  acknowledged = 0;
  messages = 0;

  constructor(take: (event: HomeEvent) => Promise<void>) {
    this.#take = take;
  }

  async give(...events: HomeEvent[]): Promise<void> {
    this.#waiting.push(...events);
    try {
      for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
        await this.#take(first);
        this.#waiting.shift();
        this.acknowledged += 1;
        this.messages += 1;
      }
    } catch {
      // Tried again with the next one.
    }
  }

  status(name: string, nowMs: number) {
    const [first] = this.#waiting;
    return {
      ...{ name, acknowledged: this.acknowledged, messages: this.messages, lost: 0, isOff: false },
      lagRecords: this.#waiting.length,
      lagSeconds: first ? Math.max(0, (nowMs * 1000 - first.atUs) / 1e6) : 0,
      breaker: first ? ("open" as const) : ("closed" as const),
    };
  }
}

export async function startFaultyMove(state: State, probesPerStep = 20) {
  const clock = lonelyClock(START_US / 1000);
  const nowUs = () => clock.nowMs() * 1000;
  const random = seededRandom(3);
  const data = mkdtempSync(join(tmpdir(), "hearthline-faults-"));
  const legacy = await startLegacy({ port: 0, data, seed: 1, clock });
  let newFault: NewFault | undefined;
  const { raw, store: events } = faultyStore(clock, () => newFault);
  const migrations = createMemoryMigrationStore();
  const ledger = createMemoryLedger(clock);
  const ask = (path: string, init?: RequestInit) => fetch(`${legacy.url}${path}`, init);

  const plan = {
    old: { kind: "http" as const, url: legacy.url, fedBy: "relay" as const },
    ...{ stages: [50, 100], soakSeconds: 3_600, stabiliseSeconds: 3_600, settleSeconds: 60, recheckSeconds: 30 },
    probesPerStep,
  };
  const stagePercent = { ramp: 50, stabilise: 100, final_validation: 100 }[state as string] ?? 0;
  const begun = startedOf({ state, stagePercent, homeId: HOME, createdUs: nowUs(), sinceUs: nowUs() }, plan);
  const old = createOldSystem(begun.plan.old, {}, { clock });

  // --- the home, and its relay
  let happened = 0;
  let lose = 0;
  const sent: HomeEvent[] = [];
  const feeds = {
    cloud: new Feed(async (event) => {
      if (lose > 0) lose -= 1;
      else await events.write([event]);
      const first = sent.indexOf(event) + 1;
      await ledger.record(HOME, RELAY, [{ range: [first, first], sentAt: new Date(clock.nowMs()).toISOString() }]);
    }),
    old: new Feed(async (event) => void (await old.write([event]))),
  };
  async function happen(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      clock.pass(EVENT_EVERY_MS);
      const atUs = nowUs() + (happened % 1_000) + 1;
      const entityId = `sensor.s${happened++ % ENTITIES}`;
      const event = buildEvent({
        homeId: HOME,
        entityId,
        atUs,
        lastChangedUs: atUs,
        state: `${20 + (happened % 97) / 8}`,
      });
      sent.push(event);
      await feeds.cloud.give(event);
      await feeds.old.give(event);
    }
  }
  const relays = {
    of: async () => [
      {
        ...{ relayId: RELAY, sequence: sent.length, at: new Date(clock.nowMs()).toISOString(), connected: true },
        ...{ since: new Date(START_US / 1000).toISOString(), spoolBytes: 0, spoolRecords: 0, oldestSeconds: 0 },
        rejected: 0,
        sinks: [feeds.cloud.status("cloud", clock.nowMs()), feeds.old.status("old", clock.nowMs())],
      },
    ],
  };

  // --- the checks, in the order of lib/wiring/migration.ts
  const index = {
    seen: async () =>
      new Map(Array.from({ length: ENTITIES }, (_, n) => [`sensor.s${n}`, { atUs: nowUs(), state: "20" }])),
  };
  const both = { old, events, store: events, clock, random, log: silentLogger, relays };
  const parts = {
    look: async () => {
      await events.check();
      return [{ name: "store" }];
    },
  };
  const canaries: HomeEvent[] = [];
  const arrive = async () => {
    if (newFault !== "down") for (let one = canaries.shift(); one; one = canaries.shift()) await raw.write([one]);
  };
  const eventOf = ({ entityId, atUs, state: said }: { entityId: string; atUs: number; state: string }) =>
    buildEvent({ homeId: HOME, entityId, atUs, lastChangedUs: atUs, state: said, source: "api", attributes: {} });
  const way = {
    eventOf,
    async send(canary: Parameters<typeof eventOf>[0]) {
      canaries.push(eventOf(canary));
      await arrive();
    },
    async find({ entityId, atUs }: Parameters<typeof eventOf>[0]) {
      const page = await events.range({
        homeId: HOME,
        entityIds: [entityId],
        fromUs: atUs,
        toUs: atUs + 1,
        order: "asc",
        limit: 1,
      });
      return page.events[0];
    },
  };
  const backfilled: Check = {
    name: "backfill",
    states: new Set<State>(["backfill"]),
    run: async () => ({
      results: [{ name: "backfill", verdict: "pass", sampleSize: 0, explanation: "OLD had no past." }],
    }),
  };
  const sinks = { turn: async () => ({ itemId: "1" }), outcome: async () => undefined };
  const checks: Check[] = [
    createHealthOldCheck(both),
    createHealthNewCheck({ parts, clock }),
    createCanaryCheck({ ...both, way }),
    createDualWriteCheck({ ...both, sinks }),
    createLossCheck({ ledger, deadLetters: { of: async () => ({ count: 0, examples: [] }) } }),
    createProbes({ ...both, store: migrations }),
    createPerformanceCheck({ store: migrations }),
    createErrorsCheck({ store: migrations }),
    createStabilityCheck({ old, counters: { new: () => events.check().then(() => ({})) } }),
    createApiCompare({ old, events, index }),
    createDevicesCheck({ old: undefined } as Parameters<typeof createDevicesCheck>[0]),
    createHandoverCheck(both),
    createConsistencyCheck({ ...both, store: migrations, facts: createLedgerFacts({ ledger, nowUs }) }),
    backfilled,
  ];
  const stepper = createStepper({ store: migrations, checks, clock, random, log: silentLogger });

  async function row(): Promise<Migration> {
    const found = await migrations.get(HOME, begun.id);
    if (!found) throw new Error("The migration is gone.");
    return found;
  }
  /** Something happens in the home, then a step. */
  async function step(): Promise<Migration> {
    await happen(EVENTS_A_STEP);
    await arrive();
    await stepper.step(HOME, begun.id, BUDGET_MS);
    return row();
  }

  await happen(EVENTS_BEFORE);
  await migrations.create({ ...begun, createdUs: START_US });
  return {
    ...{ sent, row, step, migrations },
    async setOld(faults: Faults): Promise<void> {
      await ask("/faults", { method: "PUT", body: JSON.stringify(faults) });
    },
    setNew(fault: NewFault | undefined): void {
      newFault = fault === "loses" ? undefined : fault;
      lose = fault === "loses" ? 1 : 0;
    },
    /** Names of what each side has now, past every fault; of the home's own. */
    async held() {
      await feeds.cloud.give();
      await feeds.old.give();
      const nameOf = ({ entityId, atUs, state: said }: { entityId: string; atUs: number; state: string | null }) =>
        `${entityId} ${atUs} ${said}`;
      const canary = canaryEntityOf(begun.id);
      const [inNew, inOld] = [new Set<string>(), new Set<string>()];
      for await (const rows of raw.scan({ homeId: HOME, fromUs: 0, toUs: nowUs() + 1e9 }))
        for (const one of rows) if (one.entityId !== canary) inNew.add(nameOf(one));
      for await (const rows of old.scan({ fromUs: START_US - 1e9, toUs: nowUs() + 1e9 }))
        for (const one of rows) if (one.entityId !== canary) inOld.add(nameOf(one));
      return { sent: sent.map(nameOf), inNew, inOld };
    },
    old,
    stop: async () => {
      await legacy.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}
