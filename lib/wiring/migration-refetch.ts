import { createDynamodbDeviceIndex } from "../adapters/dynamodb/device-index.ts";
import { createDynamodbOutboxStore } from "../adapters/dynamodb/outbox.ts";
import { isHearthlineError } from "../base/errors.ts";
import { formatIsoUs } from "../base/time.ts";
import { liveRelay } from "../migration/checks/dual-write.ts";
import type { RefetchSpan } from "../migration/consistency/refetch-spans.ts";
import { createOutbox } from "../publish/index.ts";
import type { Cloud } from "./aws.ts";

/** For people: who is asked. */
export const RECORDER = "Home Assistant's recorder, by the relay";

/** What has become of questions. */
export interface Asked {
  /** Why one was not answered, each reason once. */
  readonly unanswered: readonly string[];
  readonly hasAnswered: boolean;
  /** So long the relay may keep what the recorder gave until it sends it. */
  readonly collectsMs: number;
}

/** The recorder of a home, asked by its relay. */
export interface HomeRecorder {
  /** Nobody asks it where no relay has spoken lately. */
  isReachable(): Promise<boolean>;
  /** Resolves when the relay has what the recorder has in its spool, or was waited for long enough. */
  ask(spans: readonly RefetchSpan[]): Promise<Asked>;
}

/** A relay that has nothing to say speaks every five minutes, and what it says is on its way for a while. */
const RELAY_HEARD_MS = 900_000;
/** A recorder commits within seconds, and may be minutes behind; the relay looks into its outbox every minute or so. */
const WAIT_MS = 300_000;
const LOOK_MS = 2_000;
const EXPIRES_SECONDS = 600;
const LISTED_MAX = 600;

export function createHomeRecorder(
  { table, clock, random }: Cloud,
  { homeId, signal }: { readonly homeId: string; readonly signal: AbortSignal },
): HomeRecorder {
  const outbox = createOutbox({ store: createDynamodbOutboxStore(table), clock, random });
  const index = createDynamodbDeviceIndex(table);

  const relay = async () => liveRelay(await index.relayStatuses(homeId));

  /** Those of these that have ended, and how. */
  async function ended(ids: ReadonlySet<string>) {
    const { items } = await outbox.list({ homeId, nowMs: clock.nowMs(), limit: LISTED_MAX });
    return items.filter(({ id, status }) => ids.has(id) && status !== "pending");
  }

  return {
    async isReachable() {
      const status = await relay();
      return status?.connected === true && clock.nowMs() - Date.parse(status.at) < RELAY_HEARD_MS;
    },
    async ask(spans) {
      const ids = new Set<string>();
      const refused = new Set<string>();
      for (const { entityIds, fromUs, toUs } of spans) {
        const refetch = { entity_ids: [...entityIds], from: formatIsoUs(fromUs), to: formatIsoUs(toUs) };
        try {
          const { item } = await outbox.add({ homeId, kind: "refetch", refetch, expiresInSeconds: EXPIRES_SECONDS });
          ids.add(item.id);
        } catch (thrown) {
          // What is asked already is asked; the rest comes from elsewhere.
          if (!isHearthlineError(thrown) || thrown.code !== "outbox_full") throw thrown;
          refused.add(thrown.message);
          break;
        }
      }
      const untilMs = clock.monotonicMs() + WAIT_MS;
      let done = await ended(ids);
      while (done.length < ids.size && clock.monotonicMs() < untilMs && !signal.aborted) {
        await clock.sleep(LOOK_MS, signal);
        done = await ended(ids);
      }
      const failed = done.filter(({ status }) => status !== "delivered").map(({ error, status }) => error ?? status);
      const open = ids.size - done.length;
      const late = open > 0 ? [`${open} questions were not answered in time`] : [];
      return {
        unanswered: [...new Set([...refused, ...failed, ...late])],
        hasAnswered: failed.length < done.length,
        collectsMs: ((await relay())?.flushSeconds ?? 0) * 1000,
      };
    },
  };
}
