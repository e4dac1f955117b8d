import { parseIsoUs } from "../../lib/base/time.ts";
import {
  type GapRecord,
  type HomeKey,
  type LossRecord,
  openEnvelope,
  type RelayRecord,
  readEnvelope,
} from "../../lib/event/index.ts";
import type { Happened } from "../support/recorder.ts";
import { nameOf } from "./judge.ts";

/** What was in the messages that the queue has taken. */
export interface Tap {
  take(message: string, isAcknowledged: boolean): void;
  /** Events for which the relay has the queue's word, once each. */
  acknowledged(): readonly Happened[];
  readonly gaps: readonly GapRecord[];
  readonly losses: readonly LossRecord[];
  /** Events that the recorder gave. */
  recovered(): number;
}

export function createTap(key: HomeKey): Tap {
  const acknowledged = new Map<string, Happened>();
  const recovered = new Set<string>();
  const gaps = new Map<string, GapRecord>();
  const losses = new Map<string, LossRecord>();
  return {
    take(message, isAcknowledged) {
      const envelope = readEnvelope(message);
      for (const line of openEnvelope(envelope, key)) {
        const record = JSON.parse(line) as RelayRecord;
        // The same number of the same relay: it was sent twice.
        if (record.t === "gap") gaps.set(`${envelope.relay_id} ${record.n}`, record);
        if (record.t === "loss") losses.set(`${envelope.relay_id} ${record.n}`, record);
        const event = eventOf(record);
        if (!event) continue;
        const name = nameOf(event);
        if (isAcknowledged) acknowledged.set(name, event);
        if ("source" in record && record.source === "backfill") recovered.add(name);
      }
    },
    acknowledged: () => [...acknowledged.values()],
    get gaps() {
      return [...gaps.values()];
    },
    get losses() {
      return [...losses.values()];
    },
    recovered: () => recovered.size,
  };
}

function eventOf(record: RelayRecord): Happened | undefined {
  if (record.t === "state")
    return { entityId: record.entity_id, atUs: parseIsoUs(record.last_updated), state: record.state };
  if (record.t === "removed") return { entityId: record.entity_id, atUs: parseIsoUs(record.time_fired), state: null };
  return undefined;
}
