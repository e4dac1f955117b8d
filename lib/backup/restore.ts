import type { Clock } from "../base/clock.ts";
import { HearthlineError, isHearthlineError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { retry } from "../base/retry.ts";
import { isEventsRefused } from "../event/index.ts";
import type { EventStore } from "../store/ports.ts";
import { type Comparison, compareWithStore, eventsOf, type ProvedFile } from "./compare.ts";
import * as contents from "./contents.ts";
import { damaged } from "./format.ts";
import type { BackupSource, HomeTable, ItemsRestored, TableItem } from "./ports.ts";
import { type OpenedBackup, openBackup } from "./reader.ts";
import { type BackupContents, type PassOptions, verifyOpened } from "./verify.ts";

export interface RestorePorts {
  readonly table: HomeTable;
  readonly store: Pick<EventStore, "range" | "write" | "tiles" | "setUp" | "retention">;
  readonly source: BackupSource;
  readonly clock: Clock;
  readonly random: Random;
}

export interface RestoreOptions extends PassOptions {
  readonly passphrase?: string | undefined;
  /** Also into a home that has something: what it has stays, events merge by natural key. */
  readonly isIntoExisting?: boolean;
  /** How long the store is to keep raw events. */
  readonly rawDays: number;
  /** For a home that gets none from the file. */
  readonly newKey: () => { readonly id: string; readonly secret: Uint8Array };
}

export interface BackupRestored {
  readonly contents: BackupContents;
  readonly items: ItemsRestored;
  readonly comparison: Comparison;
  /** Events that the store can never keep; `example` says which and why of the first. */
  readonly refused: { readonly count: number; readonly example?: string };
  /** A restore of this file had been interrupted. */
  readonly isContinued: boolean;
  /** The home had no key and the file brings none: this one was made. */
  readonly newKey?: { readonly id: string; readonly secret: Uint8Array };
}

const WRITE_ATTEMPTS = 8;

/**
 * Puts a home back from a file. The whole file is proved before anything is touched; the home must be empty (or `isIntoExisting`). Interrupted at any moment, it can be run again
 * with the same file: events are upserts, an item is put where none is. In the end the store is asked for the days' tiles, and what differs is compared event by event.
 * @throws HearthlineError `backup_damaged`, `backup_version_unknown`, `backup_unreadable`, `backup_target_not_empty`, and what table and store throw
 */
export async function restoreBackup(ports: RestorePorts, options: RestoreOptions): Promise<BackupRestored> {
  const { source, table } = ports;
  const opened = await openBackup(source, options.passphrase);
  if (!opened.isReadable)
    throw new HearthlineError(
      "backup_unreadable",
      `The backup "${source.name}" is sealed; wanted is its passphrase (--passphrase-file).`,
    );
  const found = await verifyOpened(source, opened, options);
  refuseUnknown(found, ports);
  const homeId = found.manifest.home_id;
  const items = await checkedItems({ opened, found, name: source.name }, ports, options.signal);
  await keepFor(options.rawDays, homeId, ports);
  const isContinued = (await table.restoring(homeId)) === opened.id;
  if (!isContinued && !options.isIntoExisting) await refuseOccupied(homeId, ports);
  await table.beginRestore(homeId, opened.id, { isForced: options.isIntoExisting === true });
  const rawDays = daysFor(found, ports.clock);
  // A store that lets old events go by itself would refuse them, and the comparison would miss them.
  if (rawDays > options.rawDays) await keepFor(rawDays, homeId, ports);
  const refused = await restoreEvents(opened, found, { ports, options });
  const restored = await table.restore(homeId, items());
  const key = options.newKey();
  const isNewKey = await table.ensureKey(homeId, key);
  const comparison = await compareWithStore({ opened, found, name: source.name, store: ports.store }, options);
  // What is missing is not done, and the same command goes on; but for what the store will never keep.
  if (comparison.missing + comparison.different <= refused.count) await table.endRestore(homeId);
  return { contents: found, items: restored, comparison, refused, isContinued, ...(isNewKey && { newKey: key }) };
}

function refuseUnknown({ manifest, unknownSections }: BackupContents, { source, table }: RestorePorts): void {
  const needed = unknownSections.filter((section) => !contents.isDerived(section));
  if (needed.length === 0 && manifest.table_layout <= table.layout) return;
  const what =
    needed.length > 0 ? `holds "${needed.join('", "')}"` : `has its table in arrangement ${manifest.table_layout}`;
  throw new HearthlineError(
    "backup_version_unknown",
    `The backup "${source.name}" of Hearthline ${manifest.hearthline} ${what}, which this program does not know: restored by it, something would be missing. Wanted is that Hearthline or a newer one.`,
  );
}

const DAY_MS = 86_400_000;
/** 200 years: no store can be asked for more. */
const DAYS_MAX = 73_000;

/** What the store must keep so that the oldest event of the file is kept. */
const daysFor = ({ events: { firstUs } }: BackupContents, clock: Clock): number =>
  firstUs === undefined ? 0 : Math.min(DAYS_MAX, Math.ceil((clock.nowMs() - firstUs / 1000) / DAY_MS) + 1);

/** Never less than the store keeps now, for other homes too: their events would go. */
async function keepFor(rawDays: number, homeId: string, { store }: RestorePorts): Promise<void> {
  const { storeDays = 0 } = await store.retention(homeId).catch((thrown: unknown) => {
    // A store that was not set up yet has nothing to tell.
    if (isHearthlineError(thrown) && thrown.fate === "stop") return { storeDays: 0 };
    throw thrown;
  });
  if (storeDays < rawDays) await store.setUp({ rawDays });
}

async function refuseOccupied(homeId: string, { table, store }: RestorePorts): Promise<void> {
  const kinds = await table.occupied(homeId);
  const { events } = await store.range({ homeId, order: "asc", limit: 1 });
  if (kinds.length === 0 && events.length === 0) return;
  const what = [...(events.length > 0 ? ["events"] : []), ...kinds].join(", ");
  throw new HearthlineError(
    "backup_target_not_empty",
    `The home "${homeId}" was to be restored and has something already (${what}). Nothing was changed. Wanted is an empty home, or --into-existing: what it has stays then, and events merge.`,
  );
}

interface Around {
  readonly ports: RestorePorts;
  readonly options: RestoreOptions;
}

const ONLY_ITEMS: ReadonlySet<string> = new Set([contents.TABLE, contents.SECRETS]);

/** Proves all items before one is put back; what gives them then gives each key once. Holds their keys in memory. */
async function checkedItems(
  { opened, found, name }: ProvedFile,
  { table }: RestorePorts,
  signal: AbortSignal | undefined,
): Promise<() => AsyncGenerator<TableItem>> {
  const keys = new Set<string>();
  const more = new Map<string, number>();
  for await (const item of itemsOf(opened, name)) {
    signal?.throwIfAborted();
    table.check(found.manifest.home_id, item);
    if (keys.has(item.key)) more.set(item.key, (more.get(item.key) ?? 0) + 1);
    keys.add(item.key);
  }
  return async function* lastOfEach() {
    for await (const item of itemsOf(opened, name)) {
      signal?.throwIfAborted();
      // Read again while the home changed: of two with one key the later counts.
      const later = more.get(item.key) ?? 0;
      if (later === 0) yield item;
      else more.set(item.key, later - 1);
    }
  };
}

async function* itemsOf(opened: OpenedBackup, name: string): AsyncGenerator<TableItem> {
  for await (const chunk of opened.chunks(ONLY_ITEMS)) {
    for (const line of chunk.lines().lines) {
      const item = contents.readItem(line, chunk.section === contents.SECRETS);
      if (!item) throw damaged(name, "it has changed since it was verified");
      yield item;
    }
  }
}

async function restoreEvents(
  opened: OpenedBackup,
  found: BackupContents,
  { ports, options }: Around,
): Promise<BackupRestored["refused"]> {
  const { store, clock, random, source } = ports;
  const { signal, onProgress } = options;
  let rows = 0;
  let refused: BackupRestored["refused"] = { count: 0 };
  for await (const events of eventsOf({ opened, found, name: source.name })) {
    signal?.throwIfAborted();
    try {
      await retry(() => store.write(events), { clock, random, attempts: WRITE_ATTEMPTS, ...(signal && { signal }) });
    } catch (thrown) {
      if (!isEventsRefused(thrown)) throw thrown;
      refused = { example: thrown.message, ...refused, count: refused.count + thrown.refused.length };
    }
    rows += events.length;
    onProgress?.({ step: "restoring", rows, fraction: rows / found.events.count });
  }
  return refused;
}
