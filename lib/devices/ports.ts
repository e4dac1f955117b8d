import { type Microseconds, parseIsoUs } from "../base/time.ts";
import type { Weather } from "../event/index.ts";
import type { Comparison, ComparisonTally, ConflictChoice, ConflictPage, ConflictQuery } from "./conflict-row.ts";
import type { Conflict } from "./conflicts.ts";
import type { RevisionChanges } from "./registry-change.ts";
import type { EntityAbilities, IndexedRows, RegistryRows } from "./rows.ts";

// What every index does alike, whatever keeps it: adapters see it through this port.
export {
  CONFLICT_KEPT_MS,
  CONFLICTS_MAX,
  type Comparison,
  type ComparisonTally,
  type ConflictChoice,
  type ConflictPage,
  type ConflictQuery,
  type ConflictRow,
  emptyConflictRow,
  noteInRow,
  pageOfConflicts,
  settleInConflicts,
} from "./conflict-row.ts";
export type { Conflict } from "./conflicts.ts";
export { boundChanges, diffRows } from "./diff.ts";
export * from "./registry-change.ts";
export { uniqueRows } from "./row-facts.ts";
export * from "./rows.ts";

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
  /** How many records a message takes at most; absent: an older relay. */
  readonly batchRecords?: number;
  /** Whether what the cloud says can reach the house's broker through it; absent: an older relay. */
  readonly publishes?: boolean;
  /** Why it is not connected. */
  readonly lastError?: string;
  /** Where it sends to, each with its own cursor; absent: an older relay. */
  readonly sinks?: readonly SinkStatus[];
}

/** One sink of a relay, as the relay saw it at `RelayStatus.at`. */
export interface SinkStatus {
  /** `cloud`, `old`. */
  readonly name: string;
  /** Everything up to this number has been taken, or is accounted for. */
  readonly acknowledged: number;
  readonly lagRecords: number;
  /** Age of the oldest record that it has not taken. */
  readonly lagSeconds: number;
  /** Events that it refused, since the relay's start. */
  readonly lost: number;
  /** That it took since then; absent: an older relay. */
  readonly messages?: number;
  readonly breaker: "closed" | "open" | "half-open";
  /** Nothing is sent to it, nor kept for it. */
  readonly isOff: boolean;
}

/** A relay that has said nothing for so long is forgotten. */
export const RELAY_KEPT_SECONDS = 30 * 86_400;

/** Which of two statuses of one relay is the later: by its numbers, because a relay's clock may have been ahead before it was set. */
export const isLaterStatus = (status: RelayStatus, known: RelayStatus): boolean =>
  status.sequence === undefined
    ? parseIsoUs(status.at) > parseIsoUs(known.at)
    : known.sequence === undefined || status.sequence > known.sequence;

/** Several parts of one revision of a registry. */
export interface RegistryParts<N extends IndexedRows> {
  readonly registry: N;
  readonly revision: number;
  /** How many make the revision whole. */
  readonly parts: number;
  readonly rowsByPart: ReadonlyMap<number, readonly RegistryRows[N][]>;
}

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
  /** As `applyRegistry` for each of them, in one write of what says which rows hold. */
  applyRegistryParts<N extends IndexedRows>(homeId: string, parts: RegistryParts<N>): Promise<void>;
  /** Rows of the highest complete revision, in the order of the registry, of those with one id the last; while the very first is still coming, as far as it has. @throws `conflict` (it was replaced each time it was read) and fate-`retry` service errors */
  list<N extends IndexedRows>(homeId: string, registry: N): Promise<readonly RegistryRows[N][]>;
  /** Keeps the latest by `atUs` for each entity. Coalesced: a few writes for any number of entities. */
  applySeen(homeId: string, seen: ReadonlyMap<string, Seen>): Promise<void>;
  seen(homeId: string): Promise<ReadonlyMap<string, Seen>>;
  applyWeather(homeId: string, weather: Weather, atUs: Microseconds): Promise<void>;
  weather(homeId: string): Promise<{ readonly weather: Weather; readonly atUs: Microseconds } | undefined>;
  /** Keeps the latest of each relay, as `isLaterStatus` has it, for RELAY_KEPT_SECONDS. */
  applyRelayStatus(homeId: string, status: RelayStatus): Promise<void>;
  relayStatuses(homeId: string): Promise<readonly RelayStatus[]>;
  /**
   * What changed in these registries, newest revision first: from the second revision on (the first one is the beginning), none older than HISTORY_KEPT_SECONDS,
   * and of each registry at most HISTORY_REVISIONS_MAX revisions and about HISTORY_CHANGES_MAX changes. A revision that changed nothing is none.
   */
  history(homeId: string, registries: readonly IndexedRows[]): Promise<readonly RevisionChanges[]>;
  /** The highest complete revision of each of these; default: of Home Assistant's registries. */
  revisions(homeId: string, of?: readonly IndexedRows[]): Promise<Partial<Record<IndexedRows, number>>>;
}

/** What is known of a home beside its registries: what its entities have said that they can do, and when Zigbee2MQTT was asked. */
export interface HomeAbilities {
  /** By entity id; each once. */
  readonly entities: readonly EntityAbilities[];
  /** When the relay was asked last to read Zigbee2MQTT's devices, in milliseconds since 1970. */
  readonly askedAtMs?: number;
  /** Addresses of which nothing was known then: of those that the answer did not bring, none will. */
  readonly missing: readonly string[];
}

/** Key: the home. @throws fate-`retry` service errors, from every method: safe to repeat */
export interface AbilityStore {
  get(homeId: string): Promise<HomeAbilities | undefined>;
  /** Replaces all of it. @throws `conflict` when others were always first */
  put(homeId: string, abilities: HomeAbilities): Promise<void>;
}

/**
 * Where two sources say something different about one row, and how that was settled. Bounded by home: at most CONFLICTS_MAX and 380,000 bytes, beyond which those that are over
 * go first, then those that a strategy settled, then the others, of these those found last; what is over is kept for CONFLICT_KEPT_MS.
 * @throws `conflict` and fate-`retry` service errors, from every method: safe to repeat
 */
export interface ConflictStore {
  /** Takes what a whole comparison of two sources found; what it does not find any more is over. The same again changes and writes nothing. */
  note(homeId: string, comparison: Comparison): Promise<ComparisonTally>;
  /** In the order of their ids. */
  list(homeId: string, query: ConflictQuery): Promise<ConflictPage>;
  /** undefined: there is none. @throws `request_invalid` when it is over, or both are wanted of what are no lists */
  settle(homeId: string, id: string, choice: ConflictChoice): Promise<Conflict | undefined>;
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
