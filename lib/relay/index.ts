/** The relay room: what runs in the house. From Home Assistant into a durable journal, from there to every sink, losing nothing in silence. */
export { metricsOf, type RelayHealth } from "./health.ts";
export { createRelay, type Relay, type RelayOptions } from "./relay.ts";
/** What never leaves the home, by the published lists: for every door through which events come in. `withoutSecrets` throws RangeError for what cannot be looked through. */
export { noSecrets, withoutSecretState, withoutSecrets } from "./secrets.ts";
