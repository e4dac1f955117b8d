/** Room 9, publish: what the cloud has done in the house. Items wait in the outbox until the home's relay has done them. */

/** What Home Assistant shows of a home, by MQTT discovery. */
export { canReach, createDisplay, type Display } from "./display.ts";
/** What people's decisions come to in the house, and what the house says of it. */
export { createHouse, type House } from "./house.ts";
/** By which id Home Assistant knows Hearthline's device. */
export { nodeIdOf } from "./names.ts";
/** Makes items: with an id, a time to expire, and only what the relay may publish. */
export { createOutbox, type Outbox } from "./outbox.ts";
/** The last phase of a nightly job. */
export { publishPhase } from "./phase.ts";
export type { OutboxItem } from "./ports.ts";
