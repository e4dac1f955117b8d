import { createDynamodbDeviceIndex } from "../adapters/dynamodb/device-index.ts";
import { createDynamodbHomeDirectory } from "../adapters/dynamodb/homes.ts";
import { indexBatch } from "../devices/index.ts";
import { sqsFunction } from "./handler.ts";

/** The index function. */
export const createIndexDevices = sqsFunction("index-devices", (cloud) => {
  const ports = {
    index: createDynamodbDeviceIndex(cloud.table),
    homes: createDynamodbHomeDirectory(cloud.table),
    dead: cloud.queue("index-dead"),
  };
  return async (messages, context) => {
    const { failedIds, ...counts } = await indexBatch(messages, { ...ports, log: context.log });
    context.note(counts);
    context.metrics.count("DeadLettered", counts.deadLettered);
    return failedIds;
  };
});
