import { createDynamodbConflictStore } from "../adapters/dynamodb/conflicts.ts";
import { createDynamodbDeviceIndex } from "../adapters/dynamodb/device-index.ts";
import { createDynamodbHomePresence } from "../adapters/dynamodb/home-presence.ts";
import { createDynamodbHomeDirectory } from "../adapters/dynamodb/homes.ts";
import { compareDevices, indexBatch, parseConflictRules } from "../devices/index.ts";
import { sqsFunction } from "./handler.ts";
import { createCloudHouse } from "./house.ts";

/** The index function. */
export const createIndexDevices = sqsFunction("index-devices", (cloud) => {
  const { table, clock, config } = cloud;
  const index = createDynamodbDeviceIndex(table);
  const conflicts = createDynamodbConflictStore(table);
  const rules = parseConflictRules(config.HEARTHLINE_DEVICE_CONFLICTS);
  const ports = {
    index,
    compare: (homeId: string) => compareDevices(homeId, { index, conflicts, rules, clock }),
    homes: createDynamodbHomeDirectory(table),
    presence: createDynamodbHomePresence(table),
    noticed: createCloudHouse(cloud).noticed,
    dead: cloud.queue("index-dead"),
  };
  return async (messages, context) => {
    const { failedIds, ...counts } = await indexBatch(messages, { ...ports, log: context.log });
    context.note(counts);
    context.metrics.count("DeadLettered", counts.deadLettered);
    return failedIds;
  };
});
