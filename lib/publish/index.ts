/** Room 9, publish: what the cloud has done in the house. Items wait in the outbox until the home's relay has done them. */

/** Makes items: with an id, a time to expire, and only what the relay may publish. */
export { createOutbox, type Outbox } from "./outbox.ts";
export type { OutboxItem } from "./ports.ts";
