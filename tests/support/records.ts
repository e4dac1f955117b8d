import { randomBytes } from "node:crypto";
import { formatIsoUs, type Microseconds } from "../../lib/base/time.ts";
import {
  type HomeKey,
  keyIdOf,
  type RelayRecord,
  type RemovedRecord,
  type SealOptions,
  type StateRecord,
  sealEnvelope,
} from "../../lib/event/index.ts";
import { SOME_TIME_US } from "./events.ts";

/** A record of `light.bed_light`, switched on; what is given replaces what is not. Times follow from `atUs`. */
export function stateRecord(
  given: Partial<StateRecord> & { readonly atUs?: Microseconds } = {},
): StateRecord & Record<string, unknown> {
  const { atUs = SOME_TIME_US, ...members } = given;
  return {
    n: 1,
    t: "state",
    kind: "change",
    source: "live",
    entity_id: "light.bed_light",
    state: "on",
    attributes: { friendly_name: "Bed light" },
    last_changed: formatIsoUs(atUs),
    last_updated: formatIsoUs(atUs),
    origin: "LOCAL",
    context: { id: "01KAMC7H5JPQ3V2Z9X8W7T6S5R", parent_id: null, user_id: null },
    old: { state: "off", last_changed: formatIsoUs(atUs - 60_000_000), last_updated: formatIsoUs(atUs - 30_000_000) },
    ...members,
  };
}

export function removedRecord(given: Partial<RemovedRecord> & { readonly atUs?: Microseconds } = {}): RemovedRecord {
  const { atUs = SOME_TIME_US, ...members } = given;
  return {
    n: 1,
    t: "removed",
    source: "live",
    entity_id: "light.bed_light",
    time_fired: formatIsoUs(atUs),
    context: { id: "01KAMC7H5JPQ3V2Z9X8W7T6S5R" },
    ...members,
  };
}

export function randomKey(): HomeKey {
  const secret = randomBytes(32);
  return { id: keyIdOf(secret), secret };
}

/** An envelope around records that are numbered from `first`; what is given replaces what follows from them. */
export function sealed(
  records: readonly (RelayRecord | Record<string, unknown>)[],
  given: Partial<SealOptions> & Pick<SealOptions, "key">,
): string {
  const first = given.first ?? 1;
  const numbered = records.map((record, at) => ({ ...record, n: first + at }));
  const sentAt = "2026-11-22T06:00:00.000Z";
  return sealEnvelope(numbered, {
    homeId: "home",
    relayId: "relay",
    first,
    last: first + records.length - 1,
    sentAt,
    ...given,
  });
}
