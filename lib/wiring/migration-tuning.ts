import { createDynamodbOutboxStore } from "../adapters/dynamodb/outbox.ts";
import { formatIsoUs } from "../base/time.ts";
import type { DeviceIndex, RelayStatus } from "../devices/ports.ts";
import { CLOUD_SINK, type OutboxSink } from "../event/index.ts";
import { liveRelay, sinkOf } from "../migration/checks/dual-write.ts";
import type { MigrationStore } from "../migration/ports.ts";
import { createTuning } from "../migration/tuning/check.ts";
import type { Meter, Tunable } from "../migration/tuning/ports.ts";
import { readsBack } from "../migration/tuning/reads-back.ts";
import { createOutbox } from "../publish/index.ts";
import type { EventStore } from "../store/ports.ts";
import type { Cloud } from "./aws.ts";

/** A relay that is away for longer is asked again by the next step. */
const ASK_EXPIRES_SECONDS = 900;
const DAY_US = 86_400_000_000;
/** Of a day that has ended, so that nothing of it is still on its way. */
const SETTLED_US = 3_600_000_000;

export interface TuningParts {
  readonly index: Pick<DeviceIndex, "relayStatuses">;
  readonly events: Pick<EventStore, "stats">;
  readonly store: Pick<MigrationStore, "pairs">;
}

/** Row C9: what the relay counts and what people read is measured; how long it collects and how much it puts into a message is tried, both by its status and its outbox. */
export const createMigrationTuning = (cloud: Cloud, parts: TuningParts) =>
  createTuning({
    meter: createMeter(parts, cloud.config),
    tunables: [
      createTunable(cloud, parts, {
        setting: "flush-seconds",
        said: ({ flushSeconds }) => flushSeconds,
        asked: (value) => ({ flush_seconds: value }),
      }),
      createTunable(cloud, parts, {
        setting: "batch-size",
        said: ({ batchRecords }) => batchRecords,
        asked: (value) => ({ batch_records: value }),
      }),
    ],
  });

function createMeter(
  { index, events, store }: TuningParts,
  config: Pick<Cloud["config"], "HEARTHLINE_RAW_DAYS">,
): Meter {
  return {
    async read(homeId) {
      const status = liveRelay(await index.relayStatuses(homeId));
      const sink = sinkOf(status, CLOUD_SINK);
      if (!status || sink?.messages === undefined) return undefined;
      const { acknowledged, messages, lagSeconds } = sink;
      const { relayId, at, flushSeconds, batchRecords } = status;
      return {
        ...{ relayId, atMs: Date.parse(at), acknowledged, messages, lagSeconds },
        ...(flushSeconds !== undefined && { flushSeconds }),
        ...(batchRecords !== undefined && { batchRecords }),
      };
    },
    async facts({ homeId, id, createdUs }, nowUs) {
      const toUs = nowUs - SETTLED_US;
      const [pairs, stats] = await Promise.all([
        store.pairs(homeId, id, createdUs - 1),
        events.stats({ homeId, fromUs: toUs - DAY_US, toUs }),
      ]);
      const reads = readsBack(pairs);
      const bytesPerDay = stats.reduce((sum, { bytes }) => sum + bytes, 0);
      return { rawDays: config.HEARTHLINE_RAW_DAYS, ...(bytesPerDay > 0 && { bytesPerDay }), ...(reads && { reads }) };
    },
  };
}

interface Knob {
  readonly setting: Tunable["setting"];
  /** By the relay's own word. */
  said(status: RelayStatus): number | undefined;
  asked(value: number): Pick<OutboxSink, "flush_seconds" | "batch_records">;
}

function createTunable(
  { table, clock, random }: Cloud,
  { index }: TuningParts,
  { setting, said, asked }: Knob,
): Tunable {
  const outbox = createOutbox({ store: createDynamodbOutboxStore(table), clock, random });
  return {
    setting,
    async read(homeId) {
      const status = liveRelay(await index.relayStatuses(homeId));
      return status && said(status);
    },
    async set(homeId, { value, untilUs }) {
      const until = untilUs === undefined ? {} : { until: formatIsoUs(untilUs) };
      const sink = { sink: CLOUD_SINK, state: "on" as const, ...asked(value), ...until };
      await outbox.add({ homeId, kind: "sink", sink, expiresInSeconds: ASK_EXPIRES_SECONDS });
    },
  };
}
