import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createOldSystem } from "../../lib/adapters/legacy/old-system.ts";
import { createMemoryDeviceIndex } from "../../lib/adapters/memory/device-index.ts";
import { createMemoryLedger } from "../../lib/adapters/memory/ledger.ts";
import { createMemoryMigrationStore } from "../../lib/adapters/memory/migration-store.ts";
import { silentLogger } from "../../lib/base/log.ts";
import { seededRandom } from "../../lib/base/random.ts";
import type { HomeEvent } from "../../lib/event/index.ts";
import { canaryEntityOf } from "../../lib/migration/canary-entity.ts";
import { createStepper } from "../../lib/migration/index.ts";
import type { Migration, Precision, State } from "../../lib/migration/ports.ts";
import type { Faults } from "../../local/legacy/faults.ts";
import { startLegacy } from "../../local/legacy/server.ts";
import { buildEvent } from "./events.ts";
import { realChecks } from "./migration-faults-checks.ts";
import { Feed, faultyStore, lonelyClock, type NewFault } from "./migration-faults-parts.ts";
import { START_US, startedOf } from "./migrations.ts";

/** A home that moves, in this process and in a time of its own: the real step, checks and old pipeline; NEW in memory, with faults; a relay that feeds both and keeps for each what it does not take. */

const HOME = "home";
const RELAY = "relay-1";
const ENTITIES = 5;
const EVENT_EVERY_MS = 15_000;
const EVENTS_BEFORE = 30;
const EVENTS_A_STEP = 8;
const PAST_EVENTS = 20;
const PAST_EVERY_US = 600_000_000;
/** No check of one step is ever out of time. */
const BUDGET_MS = 100_000_000;

/** As enrichment makes it: with its number. */
const eventOf = (entityId: string, atUs: number, value: number): HomeEvent =>
  buildEvent({ homeId: HOME, entityId, atUs, lastChangedUs: atUs, state: String(value), value });

/** `precision`: what the plan says of OLD's time stamps, which are then looked at; `seconds`: how long each stage lasts. */
export async function startFaultyMove(
  state: State,
  probesPerStep = 20,
  { precision, seconds = 3_600 }: { readonly precision?: Precision; readonly seconds?: number } = {},
) {
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
    old: { kind: "http" as const, url: legacy.url, fedBy: "relay" as const, ...(precision && { precision }) },
    ...{ stages: [50, 100], soakSeconds: seconds, stabiliseSeconds: seconds, settleSeconds: 60, recheckSeconds: 30 },
    probesPerStep,
  };
  const stagePercent = { ramp: 50, stabilise: 100, final_validation: 100 }[state as string] ?? 0;
  const begun = startedOf({ state, stagePercent, homeId: HOME, createdUs: nowUs(), sinceUs: nowUs() }, plan);
  const old = createOldSystem(begun.plan.old, {}, { clock });

  /** What OLD has from a time before there was a relay. */
  const past = Array.from({ length: PAST_EVENTS }, (_, n) => {
    const atUs = START_US - (PAST_EVENTS - n) * PAST_EVERY_US;
    return buildEvent({
      homeId: HOME,
      entityId: `sensor.s${n % ENTITIES}`,
      atUs,
      lastChangedUs: atUs,
      state: `${n}.5`,
    });
  });

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
      const value = 20 + (happened % 97) / 8;
      const event = eventOf(entityId, atUs, value);
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

  const index = createMemoryDeviceIndex(clock);
  const tell = async () => {
    const seen = Array.from({ length: ENTITIES }, (_, n) => [`sensor.s${n}`, { atUs: nowUs(), state: "20" }] as const);
    await index.applySeen(HOME, new Map(seen));
    const [relay] = await relays.of();
    if (relay) await index.applyRelayStatus(HOME, relay);
  };
  const shared = { old, events, raw, index, migrations, ledger, relays, clock, random };
  const { checks, arrive, settleOutbox } = realChecks({
    ...{ ...shared, isDown: () => newFault === "down" },
    isPrecisionSeen: precision !== undefined,
  });
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
    await tell();
    await settleOutbox(HOME);
    await stepper.step(HOME, begun.id, BUDGET_MS);
    return row();
  }

  await old.write(past);
  // Where the migration begins behind its back-fill NEW has OLD's past already.
  if (!["dual_write", "backfill"].includes(state)) await raw.write(past);
  await happen(EVENTS_BEFORE);
  await tell();
  await migrations.create({ ...begun, createdUs: START_US });
  return {
    ...{ sent, past, row, step, migrations },
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
      for await (const rows of old.scan({ fromUs: 0, toUs: nowUs() + 1e9 }))
        for (const one of rows) if (one.entityId !== canary) inOld.add(nameOf(one));
      return { past: past.map(nameOf), sent: sent.map(nameOf), inNew, inOld };
    },
    old,
    stop: async () => {
      await legacy.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}
