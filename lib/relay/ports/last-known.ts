/** The newest that is known of an entity: times as Home Assistant wrote them, secrets left out. */
export interface LastKnownEntity {
  /** Of a removed entity: its last one. */
  readonly state: string;
  readonly lastChanged: string;
  /** Of a removed entity: when it was removed. */
  readonly lastUpdated: string;
  readonly isRemoved: boolean;
}

/** The last-known table as it is kept. */
export interface LastKnownImage {
  readonly homeId: string;
  /** Of the spool whose records it follows. */
  readonly relayId: string;
  /** Every record up to this number is in it. */
  readonly sequence: number;
  /** Since when the connection stood whose events these are. */
  readonly connectedSince?: string;
  /** When the last event came, by Home Assistant's clock. */
  readonly heard?: string;
  /** The same by our clock, in milliseconds: together they tell whether one of the two was set meanwhile. */
  readonly heardAtMs?: number;
  /** A gap that is not filled yet begins here: what came after it is not in the table. */
  readonly openSince?: string;
  /** The same by our clock, in milliseconds. */
  readonly openAtMs?: number;
  /** By how much Home Assistant's clock was set back in the open gap. */
  readonly setBackMs?: number;
  /** The oldest record that was not acknowledged: what is younger is lost when the spool is. */
  readonly unsentSince?: string;
  readonly entities: Iterable<readonly [entityId: string, entity: LastKnownEntity]>;
}

/** Keeps the last-known table over restarts. It may be old, but never newer than the spool. */
export interface LastKnownStore {
  /** undefined: there is none that can be used; one that is damaged is set aside and the log says so. @throws `spool_failed` when it cannot be read at all */
  load(): Promise<LastKnownImage | undefined>;
  /** Whole or not at all, and durable when it resolves. @throws `spool_failed`; the one before stays */
  save(image: LastKnownImage): Promise<void>;
}
