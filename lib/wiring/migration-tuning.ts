import { createDynamodbOutboxStore } from "../adapters/dynamodb/outbox.ts";
import { formatIsoUs } from "../base/time.ts";
import type { DeviceIndex } from "../devices/ports.ts";
import { CLOUD_SINK } from "../event/index.ts";
import { liveRelay, sinkOf } from "../migration/checks/dual-write.ts";
import { createTuning } from "../migration/tuning/check.ts";
import type { Meter, Tunable } from "../migration/tuning/ports.ts";
import { createOutbox } from "../publish/index.ts";
import type { Cloud } from "./aws.ts";

/** A relay that is away for longer is asked again by the next step. */
const ASK_EXPIRES_SECONDS = 900;

type Statuses = Pick<DeviceIndex, "relayStatuses">;

/** Row C9: what the relay counts is measured, and how long it collects is tried, both by its status and its outbox. */
export const createMigrationTuning = (cloud: Cloud, index: Statuses) =>
  createTuning({ meter: createRelayMeter(index, cloud.config), tunables: [createFlushTunable(cloud, index)] });

function createRelayMeter(index: Statuses, config: Pick<Cloud["config"], "HEARTHLINE_RAW_DAYS">): Meter {
  return {
    async read(homeId) {
      const status = liveRelay(await index.relayStatuses(homeId));
      const sink = sinkOf(status, CLOUD_SINK);
      if (!status || sink?.messages === undefined) return undefined;
      const { acknowledged, messages, lagSeconds } = sink;
      const { relayId, at, flushSeconds } = status;
      const counted = { relayId, atMs: Date.parse(at), acknowledged, messages, lagSeconds };
      return flushSeconds === undefined ? counted : { ...counted, flushSeconds };
    },
    facts: async () => ({ rawDays: config.HEARTHLINE_RAW_DAYS }),
  };
}

function createFlushTunable({ table, clock, random }: Cloud, index: Statuses): Tunable {
  const outbox = createOutbox({ store: createDynamodbOutboxStore(table), clock, random });
  return {
    setting: "flush-seconds",
    read: async (homeId) => liveRelay(await index.relayStatuses(homeId))?.flushSeconds,
    async set(homeId, { value, untilUs }) {
      const until = untilUs === undefined ? {} : { until: formatIsoUs(untilUs) };
      const sink = { sink: CLOUD_SINK, state: "on" as const, flush_seconds: value, ...until };
      await outbox.add({ homeId, kind: "sink", sink, expiresInSeconds: ASK_EXPIRES_SECONDS });
    },
  };
}
