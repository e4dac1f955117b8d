/** The relay room: what runs in the house. From Home Assistant into a durable journal, from there to every sink, losing nothing in silence. */
/** How attributes travel, for every door through which a home's events come: bounded, without secrets. */
export { ATTRIBUTES_MAX_BYTES, attributesOf, DROPPED_ATTRIBUTES } from "./admit.ts";
/** What the owner keeps at home: HEARTHLINE_INCLUDE, _EXCLUDE, _EXCLUDE_ATTRIBUTES. */
export { type AttributeFilter, createAttributeFilter } from "./attribute-filter.ts";
export { createEntityFilter, type EntityFilter } from "./filter.ts";
/** When a message of the cloud's goes, and what that costs a month. */
export { flushPolicy } from "./flush.ts";
export type { Machine } from "./health.ts";
export type { RelayHealth } from "./health-shape.ts";
/** Contexts for rows of a recorder's history, which has none, by what the logbook says. */
export { askContexts, type ContextsOf, contextsOf, isRunEntity, type PastMoment } from "./logbook.ts";
export { metricsOf } from "./metrics.ts";
/** What the cloud asks of the house: fetched, done once it is certain, acknowledged. */
export { createOutboxRunner, type OutboxRunner, type OutboxRunnerOptions } from "./outbox/runner.ts";
/** The cloud's packer: records into sealed messages of one billing unit. */
export { createEnvelopePacker } from "./pack.ts";
export { createRelay, type Relay, type RelayOptions } from "./relay.ts";
/** What never leaves the home, by the published lists: for every door through which events come in. `withoutSecrets` throws RangeError for what cannot be looked through. */
export { noSecrets, type SecretCount, withoutSecretState, withoutSecrets } from "./secrets.ts";
