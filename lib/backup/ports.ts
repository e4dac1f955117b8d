/** Where the bytes of a backup come from. They stay the same while it is open. */
export interface BackupSource {
  /** For messages: the file's name. */
  readonly name: string;
  readonly bytes: number;
  /** Exactly so many bytes, or fewer where the file ends. @throws HearthlineError `backup_unreadable` */
  read(position: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Where the bytes of a backup go. Nobody sees them before `commit`. */
export interface BackupSink {
  /** @throws HearthlineError `backup_unwritable` */
  write(bytes: Uint8Array): Promise<void>;
  /** All that was written is on the disk, and stands under its name. @throws HearthlineError `backup_unwritable` */
  commit(): Promise<void>;
  /** Nothing stays behind. */
  abort(): Promise<void>;
}

/** One item of a home, as the table keeps it. */
export interface TableItem {
  /** Its key within the home; the first part says its kind. */
  readonly key: string;
  /** `LEDGER`, `REGISTRY`, ... */
  readonly kind: string;
  /** Keys that sign, and what tokens are known by: never in a file that anybody can read. */
  readonly isSecret: boolean;
  /** JSON values. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Values that are bytes, in base64. */
  readonly bytes?: Readonly<Record<string, string>>;
}

/** What became of items that were put back. */
export interface ItemsRestored {
  readonly written: number;
  /** There already, and the same. */
  readonly same: number;
  /** There already and other: left as they are. */
  readonly kept: number;
}

/**
 * All that the table keeps of a home, item by item, so that nothing is forgotten that a later version adds.
 * @throws fate-`retry` service errors, from every method: safe to repeat
 */
export interface HomeTable {
  /** The arrangement of keys and values; a file with a higher one is not for this program. */
  readonly layout: number;
  /**
   * Every item of the home. An item that was replaced while it was read comes again, as it is then: the later one counts.
   * @throws `conflict` when a registry was replaced each time it was read
   */
  items(homeId: string): AsyncIterable<TableItem>;
  /** Kinds of items that a new home does not have; empty: nothing stands in the way of a restore. */
  occupied(homeId: string): Promise<readonly string[]>;
  /** Which backup is being restored into the home; undefined: none. */
  restoring(homeId: string): Promise<string | undefined>;
  /** @throws `backup_damaged` for an item that would reach into another home, or is a secret where none may be */
  check(homeId: string, item: TableItem): void;
  /** Notes that this backup is being restored; again is the same. @throws `backup_target_not_empty` when another one is, unless `isForced` */
  beginRestore(homeId: string, backupId: string, options?: { readonly isForced?: boolean }): Promise<void>;
  /**
   * Puts items back where there are none; what is there stays, but for the home's own record when it is not newer. The home exists when all others are there.
   * Each key once. @throws `backup_damaged` as `check`
   */
  restore(homeId: string, items: AsyncIterable<TableItem>): Promise<ItemsRestored>;
  /** Gives the home this key unless it has one; whether it did. */
  ensureKey(homeId: string, key: { readonly id: string; readonly secret: Uint8Array }): Promise<boolean>;
  endRestore(homeId: string): Promise<void>;
}

/** What is between the ledger and the store: events that the ledger knows and the store may not have yet. */
export interface Deliveries {
  /** How many messages wait for the store or are in its hands. */
  waiting(): Promise<number>;
  /** How many messages for the store were set aside. */
  setAside(): Promise<number>;
}
