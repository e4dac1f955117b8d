import * as z from "zod";

/**
 * What travels from a relay to `enrich`: records, one JSON line each, numbered by the relay without holes (`n`, from 1).
 * Names are Home Assistant's own; times stay the strings that Home Assistant wrote.
 */

const time = z.string().min(1).max(40);

export const contextSchema = z.object({
  id: z.string().max(64),
  parent_id: z.string().max(64).nullish(),
  user_id: z.string().max(64).nullish(),
});

/**
 * - `change`: the state itself changed.
 * - `attributes`: only attributes changed.
 * - `restore`: no old state, or `restored: true`: Home Assistant has just started, or the entity is new. No change.
 * - `snapshot`: read by get_states after subscribing. No change.
 * - `removed`: the entity is gone; its natural key is the time fired.
 */
export const EVENT_KINDS = ["change", "attributes", "restore", "snapshot", "removed"] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export const EVENT_SOURCES = ["live", "backfill", "import", "api"] as const;
export type EventSource = (typeof EVENT_SOURCES)[number];

/** The origin of a `snapshot` that is no state but an hour of long-term statistics: its mean, or of a total its state at the end. */
export const STATISTICS_ORIGIN = "STATISTICS";

const numbered = { n: z.int().nonnegative() };

/** A state as it is now. `old` is what it was before, without its attributes. */
export const stateRecordSchema = z.object({
  ...numbered,
  t: z.literal("state"),
  kind: z.enum(["change", "attributes", "restore", "snapshot"]),
  source: z.enum(EVENT_SOURCES),
  entity_id: z.string(),
  state: z.string(),
  attributes: z.record(z.string(), z.unknown()),
  last_changed: time,
  last_updated: time,
  origin: z.string().max(16).optional(),
  context: contextSchema,
  old: z.object({ state: z.string(), last_changed: time, last_updated: time }).optional(),
});

export const removedRecordSchema = z.object({
  ...numbered,
  t: z.literal("removed"),
  source: z.enum(EVENT_SOURCES),
  entity_id: z.string(),
  time_fired: time,
  origin: z.string().max(16).optional(),
  context: contextSchema,
  old: z.object({ state: z.string(), last_changed: time, last_updated: time }).optional(),
});

export const REGISTRIES = ["areas", "floors", "labels", "devices", "entities"] as const;
export type RegistryName = (typeof REGISTRIES)[number];

/**
 * Rows of one registry as Home Assistant lists them (picked keys only). A registry travels whole: `parts` records with the same `revision`;
 * when the last part has come, rows that were in none of them are gone from the home.
 */
export const registryRecordSchema = z.object({
  ...numbered,
  t: z.literal("registry"),
  registry: z.enum(REGISTRIES),
  /** Milliseconds since 1970 when the relay read the registry: a higher revision replaces a lower one. */
  revision: z.int().nonnegative(),
  part: z.int().positive(),
  parts: z.int().positive(),
  rows: z.array(z.record(z.string(), z.unknown())),
});

/** What Zigbee2MQTT says of its devices (picked keys of its `bridge/devices`). Travels whole, in parts, as a registry does. */
export const capabilitiesRecordSchema = z.object({
  ...numbered,
  t: z.literal("capabilities"),
  /** As of a registry. */
  revision: z.int().nonnegative(),
  part: z.int().positive(),
  parts: z.int().positive(),
  rows: z.array(z.record(z.string(), z.unknown())),
});

/** What get_config says of the home, without its place on earth. */
export const homeRecordSchema = z.object({
  ...numbered,
  t: z.literal("home"),
  revision: z.int().nonnegative(),
  location_name: z.string().max(255),
  time_zone: z.string().max(64),
  version: z.string().max(32),
  language: z.string().max(16).optional(),
  country: z.string().max(8).nullish(),
  unit_system: z.record(z.string(), z.string()).optional(),
});

/** Sequence numbers whose records the relay had to give up before they were acknowledged, and why. Both ends included. */
export const lossRecordSchema = z.object({
  ...numbered,
  t: z.literal("loss"),
  first: z.int().positive(),
  last: z.int().positive(),
  count: z.int().positive(),
  reason: z.string().max(200),
  from: time,
  to: time,
  /** Only this sink has lost them: the others had taken them before. Absent: every sink. */
  sink: z.string().max(32).optional(),
});

/** Why nothing was heard for a while; `unreadable_frame`: something was, but could not be read; `events_lost`: it was lost before it was on the relay's disk. */
export const GAP_CAUSES = [
  "relay_stopped",
  "disconnected",
  "home_assistant_restarted",
  "unreadable_frame",
  "events_lost",
] as const;
export type GapCause = (typeof GAP_CAUSES)[number];

/**
 * What Home Assistant's recorder could not give of a gap.
 * - `not_recorded`: it has no row of the entity at or after the state that the snapshot shows (excluded from the recorder).
 * - `purged`: the gap begins before the oldest row that is kept; what long-term statistics gave instead is counted in `statistics`.
 * - `recorder_off`: there is no recorder, it does not record, or it would not answer.
 * - `recorder_behind`: it did not catch up within the time it was given.
 * - `removed`: the entity is gone and the recorder does not say since when.
 * - `power_cut`: Home Assistant was killed, and what its recorder had not written by then is nowhere: of these entities the last moments before may be missing.
 */
export const GAP_REASONS = [
  "not_recorded",
  "purged",
  "recorder_off",
  "recorder_behind",
  "removed",
  "power_cut",
] as const;
export type GapReason = (typeof GAP_REASONS)[number];

/** A time in which the relay heard nothing, and what came of asking the recorder for it afterwards. Counts are of entities (`entities`: those that moved) and of records. */
export const gapRecordSchema = z.object({
  ...numbered,
  t: z.literal("gap"),
  from: time,
  to: time,
  cause: z.enum(GAP_CAUSES),
  entities: z.int().nonnegative(),
  recovered: z.int().nonnegative(),
  statistics: z.int().nonnegative(),
  /** Nothing is missing, as far as the recorder can know. */
  complete: z.boolean(),
  missing: z
    .array(
      z.object({
        reason: z.enum(GAP_REASONS),
        entities: z.int().positive(),
        /** Some of them, to look at; at most 20. */
        examples: z.array(z.string().max(255)).max(20),
      }),
    )
    .max(20),
});

/** One sink of the relay, in its own status. */
export const relaySinkSchema = z.object({
  name: z.string().max(32),
  /** Everything up to this number has been taken by the sink, or is accounted for. */
  acknowledged: z.int().nonnegative(),
  lag_records: z.int().nonnegative(),
  /** Age of the oldest record that it has not taken. */
  lag_seconds: z.number().nonnegative(),
  /** Events that it refused and that were set aside for it, since the relay's start. */
  lost: z.int().nonnegative(),
  /** That it took since the relay's start; absent: an older relay. */
  messages: z.int().nonnegative().optional(),
  breaker: z.enum(["closed", "open", "half-open"]),
  /** `off`: the control plane has stopped it. */
  state: z.enum(["on", "off"]),
});

/** How the relay itself is; sent at each change of its connection, within a minute when something else of it is new, and every five minutes. */
export const relayRecordSchema = z.object({
  ...numbered,
  t: z.literal("relay"),
  at: time,
  connected: z.boolean(),
  since: time,
  ha_state: z.string().max(32).optional(),
  ha_version: z.string().max(32).optional(),
  spool_bytes: z.int().nonnegative(),
  spool_records: z.int().nonnegative(),
  oldest_seconds: z.number().nonnegative(),
  rejected: z.int().nonnegative(),
  clock_offset_ms: z.number().optional(),
  /** How long the relay collects before it sends to the cloud: for so long its silence says nothing. */
  flush_seconds: z.number().nonnegative().optional(),
  /** How many records a message to the cloud takes at most; absent: an older relay. */
  batch_records: z.int().nonnegative().optional(),
  /** Whether it can do what the outbox asks of a broker: its outbox is on, and it knows one. Absent: an older relay. */
  publishes: z.boolean().optional(),
  /** Why there is no connection. */
  last_error: z.string().max(400).optional(),
  /** Absent: an older relay. */
  sinks: z.array(relaySinkSchema).max(8).optional(),
});

export const relayRecordsSchema = z.discriminatedUnion("t", [
  stateRecordSchema,
  removedRecordSchema,
  registryRecordSchema,
  capabilitiesRecordSchema,
  homeRecordSchema,
  lossRecordSchema,
  gapRecordSchema,
  relayRecordSchema,
]);

export type StateRecord = z.infer<typeof stateRecordSchema>;
export type RemovedRecord = z.infer<typeof removedRecordSchema>;
export type RegistryRecord = z.infer<typeof registryRecordSchema>;
export type CapabilitiesRecord = z.infer<typeof capabilitiesRecordSchema>;
export type HomeRecord = z.infer<typeof homeRecordSchema>;
export type LossRecord = z.infer<typeof lossRecordSchema>;
export type GapRecord = z.infer<typeof gapRecordSchema>;
export type RelayStatusRecord = z.infer<typeof relayRecordSchema>;
export type RelaySinkStatus = z.infer<typeof relaySinkSchema>;
export type EventRecord = StateRecord | RemovedRecord;
/** Any record, as it lies in the spool and travels in an envelope. */
export type RelayRecord = z.infer<typeof relayRecordsSchema>;
type Unnumbered<T> = T extends unknown ? Omit<T, "n"> : never;
/** A record that the spool has not numbered yet. */
export type NewRelayRecord = Unnumbered<RelayRecord>;
