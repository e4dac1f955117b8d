import { createStore } from "../lib/wiring/store.ts";

/** The store queue: writes events to the time-series store. */
export const handler = createStore();
