import { parseIsoUs } from "../../base/time.ts";
import type { DeviceIndex, RelayStatus } from "../../devices/ports.ts";
import type { Weather } from "../../event/index.ts";
import { isConflict } from "./compare-and-set.ts";
import { homePartition, type Key, prefixOf, relayKey, weatherKey } from "./keys.ts";
import { createRegistry } from "./registry.ts";
import { createSeen } from "./seen.ts";
import type { Table } from "./table.ts";

/** A relay that has said nothing for so long is forgotten. */
const RELAY_KEPT_SECONDS = 30 * 86_400;

/** The device index over the table (keys.ts says where what lies). */
export function createDynamodbDeviceIndex(table: Table): DeviceIndex {
  /** Writes unless what is there is as new. */
  async function putNewer(
    key: Key,
    item: Readonly<Record<string, unknown>> & { readonly at_us: number },
  ): Promise<void> {
    try {
      await table.put(
        { ...key, ...item },
        { expression: "attribute_not_exists(pk) OR at_us < :at_us", values: { ":at_us": item.at_us } },
      );
    } catch (thrown) {
      if (!isConflict(thrown)) throw thrown;
    }
  }

  return {
    ...createRegistry(table),
    ...createSeen(table),

    applyWeather: (homeId, weather, atUs) =>
      putNewer(weatherKey(homeId), { data: JSON.stringify(weather), at_us: atUs }),

    async weather(homeId) {
      const item = await table.get(weatherKey(homeId));
      return item && { weather: JSON.parse(String(item.data)) as Weather, atUs: Number(item.at_us) };
    },

    applyRelayStatus: (homeId, status) =>
      putNewer(relayKey(homeId, status.relayId), {
        data: JSON.stringify(status),
        at_us: parseIsoUs(status.at),
        expires_at: Math.floor(table.clock.nowMs() / 1000) + RELAY_KEPT_SECONDS,
      }),

    async relayStatuses(homeId) {
      const statuses: RelayStatus[] = [];
      for await (const { data } of table.query({ pk: homePartition(homeId), prefix: prefixOf("RELAY") }))
        statuses.push(JSON.parse(String(data)) as RelayStatus);
      return statuses;
    },
  };
}
