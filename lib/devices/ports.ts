import { type Microseconds, parseIsoUs } from "../base/time.ts";
import type { RegistryName, Weather } from "../event/index.ts";

/** A home as the cloud knows it. */
export interface Home {
  readonly homeId: string;
  readonly name: string;
  /** IANA name; `UTC` until the relay has said otherwise. */
  readonly timeZone: string;
  readonly createdAt: string;
  readonly haVersion?: string;
  /** Revision of the home record that set the above. */
  readonly revision: number;
}

export interface Area {
  readonly areaId: string;
  readonly name: string;
  readonly floorId?: string;
  readonly labels: readonly string[];
}
export interface Floor {
  readonly floorId: string;
  readonly name: string;
  readonly level?: number;
}
export interface Label {
  readonly labelId: string;
  readonly name: string;
}
export interface Device {
  readonly deviceId: string;
  readonly name: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly swVersion?: string;
  readonly areaId?: string;
  readonly parentDeviceId?: string;
  readonly viaDeviceId?: string;
  readonly configEntryId?: string;
  readonly labels: readonly string[];
  readonly identifiers: readonly (readonly string[])[];
  readonly connections: readonly (readonly string[])[];
  readonly disabledBy?: string;
  /** The name is whole only after the parent device's (`next_name_part` of Home Assistant 2026.9 and later). */
  readonly nameFollows?: "parent";
}
/** `areaId` is the entity's own; a `RegistryView` resolves what it takes from its device. */
export interface Entity {
  readonly entityId: string;
  /** The user's name, or else the integration's. */
  readonly name?: string;
  /** The name is whole only after the device's (`has_entity_name`, or `next_name_part`); without a name it is the device's. */
  readonly nameFollows?: "device";
  readonly areaId?: string;
  readonly deviceId?: string;
  readonly platform?: string;
  readonly uniqueId?: string;
  readonly deviceClass?: string;
  readonly entityCategory?: string;
  readonly disabledBy?: string;
  readonly hiddenBy?: string;
  readonly labels: readonly string[];
}

/** Something that a device can tell or do, as Zigbee2MQTT exposes it. */
export interface Feature {
  /** Its path: `state`, `color_xy.x`. */
  readonly name: string;
  /** Where its value stands in what the device publishes and takes. */
  readonly property?: string;
  /** `binary`, `numeric`, `enum`, `text`, `list`, `composite`. */
  readonly type: string;
  /** The specific kind it is part of: `light`, `switch`, `climate`. */
  readonly group?: string;
  /** Bits: 1 published, 2 settable, 4 gettable. Source: Zigbee2MQTT's documentation of exposes; read 2026-09. */
  readonly access: number;
  readonly endpoint?: string;
  /** `config` or `diagnostic`; absent: for everyday use. */
  readonly category?: string;
  readonly label?: string;
  readonly description?: string;
  readonly unit?: string;
  readonly values?: readonly (string | number | boolean)[];
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
}

/** What a device can do, by Zigbee2MQTT. */
export interface DeviceCapabilities {
  readonly ieeeAddress: string;
  readonly friendlyName: string;
  /** `Router`, `EndDevice`, `Coordinator`. */
  readonly type?: string;
  readonly manufacturer?: string;
  readonly modelId?: string;
  readonly vendor?: string;
  readonly model?: string;
  readonly description?: string;
  readonly supported: boolean;
  readonly disabled: boolean;
  /** `successful` when all of it is known. */
  readonly interview?: string;
  readonly features: readonly Feature[];
  /** Settings of Zigbee2MQTT itself for this device. */
  readonly options: readonly Feature[];
}

/** What the index keeps whole, revision by revision: Home Assistant's registries, and what Zigbee2MQTT's devices can do. */
export type IndexedRows = RegistryName | "capabilities";

/** Rows by name. */
export interface RegistryRows {
  readonly areas: Area;
  readonly floors: Floor;
  readonly labels: Label;
  readonly devices: Device;
  readonly entities: Entity;
  readonly capabilities: DeviceCapabilities;
}

/** What is known of one entity's latest event. */
export interface Seen {
  readonly atUs: Microseconds;
  readonly state: string;
  readonly deviceClass?: string;
  readonly unit?: string;
}

export interface RelayStatus {
  readonly relayId: string;
  /** Of its record; absent in statuses that are older than this member. */
  readonly sequence?: number;
  readonly at: string;
  readonly connected: boolean;
  readonly since: string;
  readonly haState?: string;
  readonly haVersion?: string;
  readonly spoolBytes: number;
  readonly spoolRecords: number;
  readonly oldestSeconds: number;
  readonly rejected: number;
  readonly clockOffsetMs?: number;
  /** How long it collects before it sends; absent: an older relay. */
  readonly flushSeconds?: number;
  /** Why it is not connected. */
  readonly lastError?: string;
}

/** Which of two statuses of one relay is the later: by its numbers, because a relay's clock may have been ahead before it was set. */
export const isLaterStatus = (status: RelayStatus, known: RelayStatus): boolean =>
  status.sequence === undefined
    ? parseIsoUs(status.at) > parseIsoUs(known.at)
    : known.sequence === undefined || status.sequence > known.sequence;

/** The index of one home's areas, devices, entities, and when each was seen last. */
export interface DeviceIndex {
  /**
   * Writes one part of a registry (rows keyed by their id). The same part again changes nothing; a part of a lower revision than the stored one is ignored.
   * With the last outstanding part of a revision, it replaces the older one as a whole. Parts may come in any order.
   * @throws `conflict` and fate-`retry` service errors: safe to repeat
   */
  applyRegistry<N extends IndexedRows>(
    homeId: string,
    part: { registry: N; revision: number; part: number; parts: number; rows: readonly RegistryRows[N][] },
  ): Promise<void>;
  /** Rows of the highest complete revision, in the order of the registry; while the very first is still coming, as far as it has. @throws `conflict` (it was replaced each time it was read) and fate-`retry` service errors */
  list<N extends IndexedRows>(homeId: string, registry: N): Promise<readonly RegistryRows[N][]>;
  /** Keeps the latest by `atUs` for each entity. Coalesced: a few writes for any number of entities. */
  applySeen(homeId: string, seen: ReadonlyMap<string, Seen>): Promise<void>;
  seen(homeId: string): Promise<ReadonlyMap<string, Seen>>;
  applyWeather(homeId: string, weather: Weather, atUs: Microseconds): Promise<void>;
  weather(homeId: string): Promise<{ readonly weather: Weather; readonly atUs: Microseconds } | undefined>;
  /** Keeps the latest of each relay, as `isLaterStatus` has it. */
  applyRelayStatus(homeId: string, status: RelayStatus): Promise<void>;
  relayStatuses(homeId: string): Promise<readonly RelayStatus[]>;
  /** The highest revision of each registry that is complete. */
  revisions(homeId: string): Promise<Partial<Record<RegistryName, number>>>;
}

export interface HomeDirectory {
  get(homeId: string): Promise<Home | undefined>;
  /** All homes, in pages: for `dispatch` and for the operator's command. */
  list(): AsyncIterable<Home>;
  /** @throws `conflict` when it exists */
  add(home: Home, key: { readonly id: string; readonly secret: Buffer }): Promise<void>;
  /** What the relay says of the home; ignored when `revision` is not higher. */
  update(homeId: string, facts: Pick<Home, "name" | "timeZone" | "revision"> & { haVersion?: string }): Promise<void>;
  /** Removes the home, its keys, tokens and index. */
  remove(homeId: string): Promise<void>;
}
