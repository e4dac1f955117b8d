import { createDynamodbHealthMemory } from "../adapters/dynamodb/health-memory.ts";
import { createDynamodbHomeDirectory } from "../adapters/dynamodb/homes.ts";
import { createDynamodbOutboxStore } from "../adapters/dynamodb/outbox.ts";
import { createHealth, type GatherHealth } from "../api/health.ts";
import { RELAY_QUIET_SECONDS } from "../api/health-rules.ts";
import { openMetrics } from "../api/metrics.ts";
import type { DeviceIndex, RelayStatus } from "../devices/ports.ts";
import type { Ledger } from "../ingest/index.ts";
import { tryAlert } from "../migration/alerts.ts";
import type { SinkTurner } from "../migration/checks/dual-write.ts";
import { ALERT_AGAIN_US, type Monitoring, NOBODY_TOLD } from "../migration/checks/final-monitoring.ts";
import type { NewParts } from "../migration/checks/health.ts";
import type { DeadLetterLook } from "../migration/checks/loss.ts";
import type { OldUse } from "../migration/checks/quiet.ts";
import type { MigrationStore } from "../migration/ports.ts";
import { createOutbox } from "../publish/index.ts";
import type { EventStore } from "../store/ports.ts";
import type { Cloud } from "./aws.ts";
import { metricsOf } from "./migration-figures.ts";

export interface WatchParts {
  readonly cloud: Cloud;
  readonly events: EventStore;
  readonly index: Pick<DeviceIndex, "relayStatuses">;
  readonly ledger: Pick<Ledger, "rows">;
  readonly version: string;
}

/** As `GET /health` gathers it. */
export function createGatherHealth({ cloud, events, index, ledger, version }: WatchParts): GatherHealth {
  const { table, queues, clock } = cloud;
  return createHealth({
    ...{ events, index, ledger, clock, version, monitor: queues },
    homes: createDynamodbHomeDirectory(table),
    memory: createDynamodbHealthMemory(table),
  });
}

/**
 * What of NEW is down: the store, the table, queues that do not answer, and relays that fell silent. A relay that has just lost Home Assistant is well: then there is nothing to carry, for OLD neither.
 */
export const createNewParts = (gather: GatherHealth, { cloud, index }: WatchParts): NewParts => ({
  async look(homeId) {
    const [{ parts }, statuses] = await Promise.all([gather(), index.relayStatuses(homeId)]);
    const served = parts.map(({ name, state, detail }) => ({ name, ...(state === "down" && { problem: detail }) }));
    const newest = newestOf(statuses);
    if (!newest) return [...served, { name: "relay", problem: "No relay of this home has reported yet." }];
    const silentSeconds = Math.round((cloud.clock.nowMs() - Date.parse(newest.at)) / 1000);
    const isSilent = silentSeconds > quietSecondsOf(newest);
    return [...served, { name: "relay", ...(isSilent && { problem: `Has said nothing for ${silentSeconds} s.` }) }];
  },
});

/** What the routes `/health` and `/metrics` answer the home's own token, without the way through the gateway: a function has no address of its own. And an alert, as a step sends it. */
export function createMonitoring(
  gather: GatherHealth,
  { cloud, index, ledger, store }: WatchParts & { readonly store: MigrationStore },
): Monitoring {
  const outbox = createDynamodbOutboxStore(cloud.table);
  return {
    async health(homeId) {
      const [{ status, parts }, statuses] = await Promise.all([gather(homeId), index.relayStatuses(homeId)]);
      // As they are shown: a relay that is gone for good is a part no more, and one that was followed by another says nothing of now.
      const newest = newestOf(statuses);
      const shown = parts.find(({ relay }) => newest && relay?.relay_id === newest.relayId);
      const figures =
        newest && shown?.relay
          ? [{ name: shown.name, atMs: Date.parse(shown.relay.at), maxSeconds: quietSecondsOf(newest) }]
          : [];
      return { status, parts: parts.length, figures };
    },
    async metrics(migration) {
      const [health, figures] = await Promise.all([
        gather(migration.homeId),
        metricsOf({ store, ledger, index, clock: cloud.clock }, migration),
      ]);
      return openMetrics(health, { details: true, migration: figures });
    },
    async tryAlert(migration, attemptUs) {
      // It has said by its settings that nothing reaches the house: nobody would take it.
      if (newestOf(await index.relayStatuses(migration.homeId))?.publishes === false) return { status: NOBODY_TOLD };
      return tryAlert(outbox, migration, { attemptUs, expiresAfterUs: ALERT_AGAIN_US });
    },
  };
}

const newestOf = (statuses: readonly RelayStatus[]): RelayStatus | undefined =>
  statuses.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at))[0];

const quietSecondsOf = ({ flushSeconds = 0 }: RelayStatus): number => RELAY_QUIET_SECONDS + 2 * flushSeconds;

/** How many of each queue are looked at: a message that nobody clears up is met again at each step. */
const PEEKED_MAX = 20;
const EXAMPLES_MAX = 5;
const WITH_EVENTS = ["events", "store"];

/** Messages that were set aside, of this home. Those of which nobody can tell the home are everybody's to look at, and no loss of one. */
export const createDeadLetterLook = ({ queues }: Pick<Cloud, "queues">): DeadLetterLook => ({
  async of(homeId) {
    const depths = await queues.depths();
    const dead = depths.filter((depth) => depth.dead > 0 && WITH_EVENTS.includes(depth.name));
    const peeked = await Promise.all(
      dead.map(async ({ name }) => {
        const messages = await queues.peek(`${name}-dead`, PEEKED_MAX);
        return messages.filter(({ attributes, body }) => (attributes.home_id ?? homeOf(body)) === homeId);
      }),
    );
    const own = peeked.flat();
    const words = own.map(({ attributes: { reason_code: code, reason_detail: detail }, id }) =>
      code === undefined ? `message ${id}` : `${code}: ${detail ?? ""}`.slice(0, 200),
    );
    return { count: own.length, examples: words.slice(0, EXAMPLES_MAX) };
  },
});

/** A batch, or an envelope, says in its text of which home it is. */
const homeOf = (body: string): string | undefined => /"home_id":"([^"\\]+)"/.exec(body.slice(0, 2_000))?.[1];

/** A relay that is away for longer is asked again. */
const TURN_EXPIRES_SECONDS = 3_600;
const LISTED_MAX = 600;

export function createSinkTurner({ table, clock, random }: Cloud): SinkTurner {
  const outbox = createOutbox({ store: createDynamodbOutboxStore(table), clock, random });
  return {
    async turn(homeId, state) {
      const sink = { sink: "old", state };
      const { item } = await outbox.add({ homeId, kind: "sink", sink, expiresInSeconds: TURN_EXPIRES_SECONDS });
      return { itemId: item.id };
    },
    async outcome(homeId, itemId) {
      const { items } = await outbox.list({ homeId, nowMs: clock.nowMs(), limit: LISTED_MAX });
      return items.find(({ id }) => id === itemId);
    },
  };
}

/** The mark that the API leaves when OLD has answered a reader (createOldMarks); the control plane's own reads leave none. */
export const createOldUse = (store: Pick<MigrationStore, "oldRead">): OldUse => ({
  async lastRead(homeId, migrationId, afterUs) {
    const read = await store.oldRead(homeId, migrationId);
    return read && read.atUs > afterUs ? read : undefined;
  },
});
