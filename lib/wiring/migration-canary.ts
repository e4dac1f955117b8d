import { createDynamodbHomeKeys } from "../adapters/dynamodb/home-keys.ts";
import { eventOfRow } from "../adapters/legacy/old-row.ts";
import { sealRecords } from "../api/seal.ts";
import { HearthlineError } from "../base/errors.ts";
import { formatIsoUs } from "../base/time.ts";
import type { Canary, CanaryWay } from "../migration/checks/canary.ts";
import type { EventStore } from "../store/ports.ts";
import type { Cloud } from "./aws.ts";

/** An event of the control plane's own goes the way of those that come over the API: signed by the home's key, through every queue, into the store. */
export function createCanaryWay({ table, queue, clock }: Cloud, store: Pick<EventStore, "range">): CanaryWay {
  const keys = createDynamodbHomeKeys(table);
  const eventOf = ({ homeId, entityId, atUs, state }: Canary) => eventOfRow({ entityId, atUs, state }, homeId);
  return {
    eventOf,
    async send(canary) {
      const { homeId, entityId, atUs, state } = canary;
      const key = await keys.current(homeId);
      if (!key)
        throw new HearthlineError(
          "not_found",
          `The home "${homeId}" has no key with which an event of the migration could be signed; wanted is one.`,
        );
      const at = formatIsoUs(atUs);
      const record = {
        ...{ n: 0, t: "state", kind: "change", source: "api", entity_id: entityId, state, attributes: {} },
        ...{ last_changed: at, last_updated: at, context: eventOf(canary).context },
      };
      await queue("events").send(sealRecords([record], { homeId, key, sentAt: new Date(clock.nowMs()).toISOString() }));
    },
    async find({ homeId, entityId, atUs }) {
      const asked = { homeId, entityIds: [entityId], fromUs: atUs, toUs: atUs + 1, order: "asc", limit: 1 } as const;
      return (await store.range(asked)).events[0];
    },
  };
}
