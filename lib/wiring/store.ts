import { createDynamodbHomePresence } from "../adapters/dynamodb/home-presence.ts";
import { createDynamodbLateDays } from "../adapters/dynamodb/late-days.ts";
import { noteLateDays, storeMessages } from "../store/index.ts";
import { createEventStore } from "./event-store.ts";
import { logFailure, sqsFunction } from "./handler.ts";

/** The store function. */
export const createStore = sqsFunction("store", (cloud) => {
  const { clock, config } = cloud;
  const lateDays = createDynamodbLateDays(cloud.table);
  const store = noteLateDays(createEventStore(config, cloud), {
    lateDays,
    clock,
    analysisTime: config.HEARTHLINE_ANALYSIS_TIME,
  });
  const ports = { store, homes: createDynamodbHomePresence(cloud.table), dead: cloud.queue("store-dead") };
  return async (messages, { log, metrics, note }) => {
    const { failed, stored, setAside, dropped } = await storeMessages(messages, {
      ...ports,
      onFailure: (message, thrown) => logFailure(log, message, thrown),
    });
    note({ stored, setAside, dropped });
    metrics.count("EventsStored", stored);
    metrics.count("DeadLettered", setAside);
    return failed;
  };
});
