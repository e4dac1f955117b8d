import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import {
  type AbilityStore,
  abilityAttributes,
  type Device,
  type DeviceIndex,
  type Entity,
  type EntityAbilities,
  type HomeAbilities,
  isActuator,
  zigbeeAddressesOf,
} from "../devices/index.ts";
import type { EventStore, Position } from "../store/ports.ts";
import type { Phase, PhaseCounts, PhaseTime } from "./phases.ts";

export interface CapabilitiesPhaseOptions {
  readonly index: Pick<DeviceIndex, "list" | "revisions">;
  readonly store: Pick<EventStore, "range">;
  readonly abilities: AbilityStore;
  /** Has the home's relay read Zigbee2MQTT's devices; false: it was asked already and has not answered, or no relay of the home knows a broker. */
  readonly ask: (homeId: string) => Promise<boolean>;
  /** After so many days what is known is asked for again. */
  readonly staleDays: number;
  readonly clock: Pick<Clock, "nowMs">;
  readonly budgetMs?: number;
}

const DAY_MS = 86_400_000;
/** Entities that are looked for in one night; the rest is next night's. */
const ENTITIES_A_NIGHT = 2_000;
/** Entities that are looked for at once (stores write them into one query), and pages of events that are read for them. */
const ENTITIES_AT_ONCE = 200;
const PAGES_MAX = 5;
const PAGE_EVENTS = 1_000;

/**
 * What the devices can do. Of Zigbee2MQTT's the relay is asked, when the record is old or a device is missing from it; of all others Home Assistant's states tell
 * (`supported_features` and its like), read from the events. Neither half keeps the other from being done.
 */
export function capabilitiesPhase(options: CapabilitiesPhaseOptions): Phase {
  const { index, abilities, budgetMs } = options;
  return {
    name: "capabilities",
    ...(budgetMs !== undefined && { budgetMs }),
    async run({ homeId }, _timeZone, time) {
      const [devices, entities, rows, revisions, there = NOTHING] = await Promise.all([
        index.list(homeId, "devices"),
        index.list(homeId, "entities"),
        index.list(homeId, "capabilities"),
        index.revisions(homeId, ["capabilities"]),
        abilities.get(homeId),
      ]);
      const known = new Set(rows.map(({ ieeeAddress }) => ieeeAddress));
      const zigbee = zigbeeOf(devices, known);
      const asking = askIfStale({ homeId, zigbee, there, revision: revisions.capabilities }, options);
      const reading = readEntities({ homeId, entities, zigbee, there, time }, options);
      const [asked, read] = await Promise.allSettled([asking, reading]);
      const next = {
        ...there,
        ...fulfilled(asked)?.record,
        ...(fulfilled(read) && { entities: fulfilled(read)?.entities ?? [] }),
      };
      if (JSON.stringify(next) !== JSON.stringify(there)) await abilities.put(homeId, next);
      const failed = [asked, read].flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
      if (failed.length === 1) throw failed[0];
      if (failed.length > 1) throw new Error(failed.map(messageOf).join(" And: "));
      return countsOf({ devices, zigbee, next }, { ...fulfilled(asked)?.counts, ...fulfilled(read)?.counts });
    },
  };
}

const NOTHING: HomeAbilities = { entities: [], missing: [] };
const fulfilled = <T>(settled: PromiseSettledResult<T>): T | undefined =>
  settled.status === "fulfilled" ? settled.value : undefined;

interface ZigbeeDevices {
  /** By Home Assistant's id, of which Zigbee2MQTT has told what they can do. */
  readonly knownIds: ReadonlySet<string>;
  readonly count: number;
  /** Addresses of which it has not. Ascending. */
  readonly missing: readonly string[];
}

function zigbeeOf(devices: readonly Device[], known: ReadonlySet<string>): ZigbeeDevices {
  const own = devices.flatMap((device) => zigbeeAddressesOf(device).map((address) => ({ device, address })));
  return {
    count: new Set(own.map(({ device }) => device.deviceId)).size,
    knownIds: new Set(own.flatMap(({ device, address }) => (known.has(address) ? [device.deviceId] : []))),
    missing: [...new Set(own.flatMap(({ address }) => (known.has(address) ? [] : [address])))].sort(),
  };
}

interface ZigbeeRecord {
  readonly homeId: string;
  readonly zigbee: ZigbeeDevices;
  readonly there: HomeAbilities;
  /** When the relay read what is known, in milliseconds since 1970; absent: never. */
  readonly revision: number | undefined;
}

/**
 * A device that Zigbee2MQTT has forgotten stays in Home Assistant's registry until somebody removes it: what the answer to an earlier question did not bring is not asked for
 * again before the record is old.
 */
async function askIfStale(
  { homeId, zigbee, there, revision }: ZigbeeRecord,
  { ask, staleDays, clock }: CapabilitiesPhaseOptions,
): Promise<{ readonly record: Partial<HomeAbilities>; readonly counts: PhaseCounts }> {
  const nowMs = clock.nowMs();
  const { askedAtMs } = there;
  const isAnswered = askedAtMs !== undefined && revision !== undefined && revision >= askedAtMs;
  const resigned = new Set(isAnswered ? there.missing : []);
  const isOld = revision === undefined || nowMs - revision > staleDays * DAY_MS;
  const isStale = zigbee.count > 0 && (isOld || zigbee.missing.some((address) => !resigned.has(address)));
  if (!isStale) return { record: {}, counts: { stale: 0, asked: 0 } };
  const asked = await ask(homeId);
  return {
    record: asked ? { askedAtMs: nowMs, missing: zigbee.missing } : {},
    counts: { stale: 1, asked: Number(asked) },
  };
}

interface Reading {
  readonly homeId: string;
  readonly entities: readonly Entity[];
  readonly zigbee: ZigbeeDevices;
  readonly there: HomeAbilities;
  readonly time: Pick<PhaseTime, "signal">;
}

/** Reads the newest event of each entity that can be told something, of devices of which Zigbee2MQTT does not tell, and of which nothing newer is known. */
async function readEntities(
  { homeId, entities, zigbee, there, time }: Reading,
  { store, staleDays, clock }: CapabilitiesPhaseOptions,
): Promise<{ readonly entities: readonly EntityAbilities[]; readonly counts: PhaseCounts }> {
  const nowMs = clock.nowMs();
  const sinceUs = (nowMs - staleDays * DAY_MS) * 1000;
  const told = new Map(there.entities.map((one) => [one.entityId, one]));
  const able = entities.filter(
    ({ entityId, deviceId, disabledBy }) =>
      isActuator(entityId) && deviceId !== undefined && disabledBy === undefined && !zigbee.knownIds.has(deviceId),
  );
  const wanted = able.map(({ entityId }) => entityId).filter((id) => (told.get(id)?.atUs ?? 0) < sinceUs);
  // Of more than a night can look for, those that have been silent for long must not stand in the others' way.
  const from = wanted.length > ENTITIES_A_NIGHT ? (Math.floor(nowMs / DAY_MS) * ENTITIES_A_NIGHT) % wanted.length : 0;
  const tonight = [...wanted.slice(from), ...wanted.slice(0, from)].slice(0, ENTITIES_A_NIGHT);
  let read = 0;
  for (let at = 0; at < tonight.length; at += ENTITIES_AT_ONCE) {
    const some = tonight.slice(at, at + ENTITIES_AT_ONCE);
    for await (const one of newestOf(store, { homeId, entityIds: some, signal: time.signal })) {
      told.set(one.entityId, one);
      read++;
    }
  }
  const isAble = new Set(able.map(({ entityId }) => entityId));
  const kept = [...told.values()].filter(({ entityId }) => isAble.has(entityId));
  return {
    entities: kept.sort((a, b) => (a.entityId < b.entityId ? -1 : 1)),
    counts: { entities: able.length, entities_read: read, entities_left: able.length - kept.length },
  };
}

interface Wanted {
  readonly homeId: string;
  readonly entityIds: readonly string[];
  readonly signal: AbortSignal;
}

/** Of those that have an event not long ago. */
async function* newestOf(
  store: Pick<EventStore, "range">,
  { homeId, entityIds, signal }: Wanted,
): AsyncGenerator<EntityAbilities> {
  const left = new Set(entityIds);
  let after: Position | undefined;
  for (let page = 0; page < PAGES_MAX && left.size > 0; page++) {
    signal.throwIfAborted();
    const query = { homeId, entityIds: [...left], order: "desc" as const, limit: PAGE_EVENTS };
    const { events, next } = await store.range({ ...query, ...(after && { after }) });
    for (const { entityId, kind, atUs, attributes } of events)
      if (kind !== "removed" && left.delete(entityId))
        yield { entityId, atUs, attributes: abilityAttributes(entityId, attributes) };
    if (!next) return;
    after = next;
  }
}

function countsOf(
  {
    devices,
    zigbee,
    next,
  }: { readonly devices: readonly Device[]; readonly zigbee: ZigbeeDevices; readonly next: HomeAbilities },
  counts: PhaseCounts,
): PhaseCounts {
  return {
    devices: devices.length,
    zigbee_devices: zigbee.count,
    known: zigbee.knownIds.size,
    entities_known: next.entities.length,
    ...counts,
  };
}
