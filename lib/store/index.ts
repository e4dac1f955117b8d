/** Room 6: what is stored, and how it gets there. The stores themselves are adapters of the port in `ports.ts`. */
/** A store whose writes note the days that must be aggregated again. */
export { noteLateDays } from "./late.ts";
export type * from "./ports.ts";
/** The check of an event that comes from a queue; `parseHomeEvent` throws `event_malformed`. */
export { homeEventSchema, parseHomeEvent } from "./schema.ts";
/** The work of the `store` function on a batch of messages. */
export { storeMessages } from "./store-messages.ts";
