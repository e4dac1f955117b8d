import { storeMessages } from "../store/index.ts";
import { createEventStore } from "./event-store.ts";
import { logFailure, sqsFunction } from "./handler.ts";

/** The store function. */
export const createStore = sqsFunction("store", (cloud) => {
  const ports = { store: createEventStore(cloud.config), dead: cloud.queue("store-dead") };
  return async (messages, { log, metrics, note }) => {
    const { failed, stored, setAside } = await storeMessages(messages, {
      ...ports,
      onFailure: (message, thrown) => logFailure(log, message, thrown),
    });
    note({ stored, setAside });
    metrics.count("EventsStored", stored);
    metrics.count("DeadLettered", setAside);
    return failed;
  };
});
