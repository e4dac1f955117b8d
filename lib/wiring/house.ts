import { createDynamodbDeviceIndex } from "../adapters/dynamodb/device-index.ts";
import { createDynamodbDisplayStore } from "../adapters/dynamodb/display.ts";
import { createDynamodbHomeDirectory } from "../adapters/dynamodb/homes.ts";
import { createDynamodbOutboxStore } from "../adapters/dynamodb/outbox.ts";
import { createDynamodbSuggestionStore } from "../adapters/dynamodb/suggestions.ts";
import { createDisplay, createHouse, createOutbox, type Display, type House } from "../publish/index.ts";
import type { Cloud } from "./aws.ts";

/** What Home Assistant shows of a home. */
export function createCloudDisplay({ config, table, clock, random }: Cloud): Display {
  const { HEARTHLINE_URL: url } = config;
  return createDisplay({
    told: createDynamodbDisplayStore(table),
    outbox: createOutbox({ store: createDynamodbOutboxStore(table), clock, random }),
    suggestions: createDynamodbSuggestionStore(table),
    homes: createDynamodbHomeDirectory(table),
    index: createDynamodbDeviceIndex(table),
    clock,
    ...(url !== undefined && { url }),
  });
}

/** The house as people's decisions meet it. */
export function createCloudHouse(cloud: Cloud): House {
  const { table, clock, random } = cloud;
  return createHouse({
    suggestions: createDynamodbSuggestionStore(table),
    outbox: createOutbox({ store: createDynamodbOutboxStore(table), clock, random }),
    display: createCloudDisplay(cloud),
    index: createDynamodbDeviceIndex(table),
    clock,
  });
}
