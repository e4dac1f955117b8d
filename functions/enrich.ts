import { createEnrich } from "../lib/wiring/enrich.ts";

/** The events queue: opens envelopes, keeps the sequence ledger, enriches, sends on to the store and the index queue. */
export const handler = createEnrich();
