import { parseIsoUs } from "../../base/time.ts";
import { type DeviceIndex, RELAY_KEPT_SECONDS, type RelayStatus } from "../../devices/ports.ts";
import type { Weather } from "../../event/index.ts";
import { isConflict } from "./compare-and-set.ts";
import { homePartition, type Key, prefixOf, relayKey, weatherKey } from "./keys.ts";
import { createRegistry } from "./registry.ts";
import { createSeen } from "./seen.ts";
import type { Reading, Table } from "./table.ts";

/** The device index over the table (keys.ts says where what lies). `reading`: how registries and weather are read. */
export function createDynamodbDeviceIndex(table: Table, reading: Reading = {}): DeviceIndex {
  /**
   * Writes unless what is there is as new, by the member `order`: `at_us`, or a sequence number, which replaces whatever has none. What has expired is as good as gone, also
   * while DynamoDB still has it.
   */
  async function putNewer<O extends "at_us" | "sequence">(
    key: Key,
    order: O,
    item: Readonly<Record<string, unknown>> & Readonly<Record<O, number>>,
  ): Promise<void> {
    const condition = {
      expression: "attribute_not_exists(#order) OR #order < :order OR expires_at <= :now",
      names: { "#order": order },
      values: { ":order": item[order], ":now": Math.floor(table.clock.nowMs() / 1000) },
    };
    try {
      await table.put({ ...key, ...item }, condition);
    } catch (thrown) {
      if (!isConflict(thrown)) throw thrown;
    }
  }

  return {
    ...createRegistry(table, reading),
    ...createSeen(table),

    applyWeather: (homeId, weather, atUs) =>
      putNewer(weatherKey(homeId), "at_us", { data: JSON.stringify(weather), at_us: atUs }),

    async weather(homeId) {
      const item = await table.get(weatherKey(homeId), reading);
      return item && { weather: JSON.parse(String(item.data)) as Weather, atUs: Number(item.at_us) };
    },

    applyRelayStatus(homeId, status) {
      const key = relayKey(homeId, status.relayId);
      const item = {
        data: JSON.stringify(status),
        at_us: parseIsoUs(status.at),
        expires_at: Math.floor(table.clock.nowMs() / 1000) + RELAY_KEPT_SECONDS,
      };
      const { sequence } = status;
      return sequence === undefined ? putNewer(key, "at_us", item) : putNewer(key, "sequence", { ...item, sequence });
    },

    async relayStatuses(homeId) {
      const statuses: RelayStatus[] = [];
      for await (const { data } of table.query({ pk: homePartition(homeId), prefix: prefixOf("RELAY") }))
        statuses.push(JSON.parse(String(data)) as RelayStatus);
      return statuses;
    },
  };
}
