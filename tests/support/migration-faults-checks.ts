import { createOldPast } from "../../lib/adapters/legacy/old-past.ts";
import { eventOfRow } from "../../lib/adapters/legacy/old-row.ts";
import { createMemoryHealthMemory } from "../../lib/adapters/memory/health-memory.ts";
import { createMemoryHomeDirectory } from "../../lib/adapters/memory/homes.ts";
import { createMemoryOutboxStore } from "../../lib/adapters/memory/outbox.ts";
import { createHealth } from "../../lib/api/health.ts";
import { openMetrics } from "../../lib/api/metrics.ts";
import type { Clock } from "../../lib/base/clock.ts";
import { silentLogger } from "../../lib/base/log.ts";
import type { Random } from "../../lib/base/random.ts";
import { parseIsoUs } from "../../lib/base/time.ts";
import type { DeviceIndex, RelayStatus } from "../../lib/devices/ports.ts";
import { type EventRecord, type HomeEvent, openEnvelope, readEnvelope } from "../../lib/event/index.ts";
import { checkEvent, EARLIEST_EVENT_US, type Ledger } from "../../lib/ingest/index.ts";
import { tryAlert } from "../../lib/migration/alerts.ts";
import { createApiCompare } from "../../lib/migration/checks/api-compare.ts";
import { createBackfillCheck } from "../../lib/migration/checks/backfill.ts";
import { createBenchmark } from "../../lib/migration/checks/benchmark.ts";
import { createCanaryCheck } from "../../lib/migration/checks/canary.ts";
import { createDevicesCheck } from "../../lib/migration/checks/devices.ts";
import { createDualWriteCheck } from "../../lib/migration/checks/dual-write.ts";
import { createErrorsCheck } from "../../lib/migration/checks/errors.ts";
import { createFeatureParity } from "../../lib/migration/checks/feature-parity.ts";
import { createFinal } from "../../lib/migration/checks/final.ts";
import { ALERT_AGAIN_US, type Monitoring } from "../../lib/migration/checks/final-monitoring.ts";
import { createHandoverCheck } from "../../lib/migration/checks/handover.ts";
import { createHealthNewCheck, createHealthOldCheck } from "../../lib/migration/checks/health.ts";
import { createLossCheck } from "../../lib/migration/checks/loss.ts";
import { createPerformanceCheck } from "../../lib/migration/checks/performance.ts";
import { placedPast } from "../../lib/migration/checks/placed-past.ts";
import { createPrecisionCheck } from "../../lib/migration/checks/precision.ts";
import { createProbes } from "../../lib/migration/checks/probes.ts";
import { createQuietCheck } from "../../lib/migration/checks/quiet.ts";
import { createStabilityCheck } from "../../lib/migration/checks/stability.ts";
import { createConsistencyCheck } from "../../lib/migration/consistency/check.ts";
import { createLedgerFacts } from "../../lib/migration/consistency/ledger-facts.ts";
import type { Check, MigrationStore, OldSystem } from "../../lib/migration/ports.ts";
import type { EventStore } from "../../lib/store/ports.ts";
import { metricsOf } from "../../lib/wiring/migration-figures.ts";
import { emptyQueues } from "./api.ts";
import { buildEvent } from "./events.ts";
import { randomKey } from "./records.ts";

export interface Both {
  readonly old: OldSystem;
  /** NEW with its faults, and what it holds. */
  readonly events: EventStore;
  readonly raw: EventStore;
  readonly index: DeviceIndex;
  readonly migrations: MigrationStore;
  readonly ledger: Ledger;
  readonly relays: { of(): Promise<readonly RelayStatus[]> };
  readonly clock: Clock;
  readonly random: Random;
  readonly isDown: () => boolean;
  /** Whether OLD's time stamps are looked at before anything moves. */
  readonly isPrecisionSeen: boolean;
}

/** The checks, in the order of lib/wiring/migration.ts, each the real one; what they ask is in memory. */
export function realChecks(both: Both) {
  const { old, events, raw, index, migrations, ledger, clock, isDown } = both;
  const nowUs = () => clock.nowMs() * 1000;
  const parts = {
    look: async () => {
      await events.check();
      return [{ name: "store" }];
    },
  };
  const canaries: HomeEvent[] = [];
  /** What is on its way to NEW comes, if there is anybody. */
  const arrive = async () => {
    if (!isDown()) for (let one = canaries.shift(); one; one = canaries.shift()) await raw.write([one]);
  };
  const { monitoring, settleOutbox } = watched(both);
  const shared = { ...both, store: events, log: silentLogger };
  const sinks = { turn: async () => ({ itemId: "1" }), outcome: async () => undefined };
  const use = {
    lastRead: async (homeId: string, id: string, afterUs: number) => {
      const read = await migrations.oldRead(homeId, id);
      return read && read.atUs > afterUs ? read : undefined;
    },
  };
  const checks: Check[] = [
    createHealthOldCheck(shared),
    createHealthNewCheck({ parts, clock }),
    createCanaryCheck({ ...shared, way: wayOf(events, { queue: canaries, arrive }) }),
    createDualWriteCheck({ ...shared, sinks }),
    createLossCheck({ ledger, deadLetters: { of: async () => ({ count: 0, examples: [] }) } }),
    createProbes({ ...shared, store: migrations }),
    createPerformanceCheck({ store: migrations }),
    createErrorsCheck({ store: migrations }),
    createStabilityCheck({ old, counters: { new: () => events.check().then(() => ({})) } }),
    createApiCompare({ old, events, index }),
    createDevicesCheck({ old: undefined } as Parameters<typeof createDevicesCheck>[0]),
    createFeatureParity({ old, events, index }),
    createBenchmark({ old, events, clock }),
    createFinal({ old, events, monitoring }),
    createQuietCheck({ old, store: events, use }),
    createHandoverCheck(shared),
    createConsistencyCheck({ ...shared, store: migrations, facts: createLedgerFacts({ ledger, nowUs }) }),
    backfillOf(both),
    ...(both.isPrecisionSeen ? [createPrecisionCheck({ old, store: events })] : []),
  ];
  return { checks, arrive, settleOutbox };
}

type CanaryWay = Parameters<typeof createCanaryCheck>[0]["way"];

function wayOf(
  events: Pick<EventStore, "range">,
  { queue, arrive }: { readonly queue: HomeEvent[]; readonly arrive: () => Promise<void> },
): CanaryWay {
  const eventOf: CanaryWay["eventOf"] = ({ homeId, entityId, atUs, state }) =>
    buildEvent({ homeId, entityId, atUs, lastChangedUs: atUs, state, source: "api", attributes: {} });
  return {
    eventOf,
    async send(canary) {
      queue.push(eventOf(canary));
      await arrive();
    },
    async find({ homeId, entityId, atUs }) {
      const asked = { homeId, entityIds: [entityId], fromUs: atUs, toUs: atUs + 1, order: "asc", limit: 1 } as const;
      return (await events.range(asked)).events[0];
    },
  };
}

/** OLD's past over the way of every import: sealed, opened again, and into NEW's store. */
function backfillOf({ old, events, clock, random }: Both): Check {
  const key = randomKey();
  let relays = 0;
  const eventOf = (line: string, homeId: string): HomeEvent[] => {
    const record = JSON.parse(line) as EventRecord;
    if (record.t !== "state") return [];
    const { entity_id: entityId, state, attributes, last_updated, last_changed } = record;
    const row = { entityId, state, attributes, atUs: parseIsoUs(last_updated) };
    return [eventOfRow({ ...row, lastChangedUs: parseIsoUs(last_changed) }, homeId)];
  };
  return createBackfillCheck({
    ...{ clock, random, key: async () => key, newRelayId: () => `import-migration-${++relays}` },
    past: async ({ plan, homeId }, toUs) =>
      placedPast(
        createOldPast(plan.old, {}, { isIncluded: () => true, fromUs: plan.fromUs, toUs, system: old }),
        old.limits,
        (span) => events.scan({ homeId, ...span }),
      ),
    sink: {
      async send(messages) {
        for (const envelope of messages.map(readEnvelope))
          await events.write(openEnvelope(envelope, key).flatMap((line) => eventOf(line, envelope.home_id)));
      },
      waiting: async () => 0,
    },
    taking: {
      isIncluded: () => true,
      travelling: (_entityId, attributes) => attributes,
      check: (record) => void checkEvent(record, { fromUs: EARLIEST_EVENT_US, toUs: clock.nowMs() * 1000 }),
    },
    async isInNew(homeId, { entityId, atUs }) {
      const asked = { homeId, entityIds: [entityId], fromUs: atUs, toUs: atUs + 1, order: "asc", limit: 1 } as const;
      return (await events.range(asked)).events.length > 0;
    },
  });
}

/** What a person watches NEW by: health, metrics, and an outbox from which the relay takes what it is to say in the house. */
function watched({ events, index, ledger, migrations, clock }: Both) {
  const outbox = createMemoryOutboxStore(clock);
  const gather = createHealth({
    ...{ events, index, ledger, clock, version: "0.0.0-test" },
    homes: createMemoryHomeDirectory(),
    memory: createMemoryHealthMemory(),
    monitor: { depths: async () => emptyQueues() },
  });
  const monitoring: Monitoring = {
    async health(homeId) {
      const [{ status, parts }, statuses] = await Promise.all([gather(homeId), index.relayStatuses(homeId)]);
      const figures = statuses.map(({ relayId, at }) => ({ name: relayId, atMs: Date.parse(at), maxSeconds: 360 }));
      return { status, parts: parts.length, figures };
    },
    async metrics(migration) {
      const figures = await metricsOf({ store: migrations, ledger, index, clock }, migration);
      return openMetrics(await gather(migration.homeId), { details: true, migration: figures });
    },
    tryAlert: (migration, attemptUs) => tryAlert(outbox, migration, { attemptUs, expiresAfterUs: ALERT_AGAIN_US }),
  };
  /** The relay has taken everything. */
  async function settleOutbox(homeId: string): Promise<void> {
    const { items } = await outbox.list({ homeId, nowMs: clock.nowMs(), limit: 100 });
    for (const { id, status } of items)
      if (status === "pending") await outbox.settle(homeId, id, { status: "delivered", attempts: 1 });
  }
  return { monitoring, settleOutbox };
}
