import { randomBytes } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { HearthlineError } from "../base/errors.ts";
import type { Microseconds } from "../base/time.ts";
import { createTiles } from "../series/index.ts";
import type { EventStore } from "../store/ports.ts";
import * as contents from "./contents.ts";
import type { BackupSink, Deliveries, HomeTable } from "./ports.ts";
import { createSeal, NEW_SCRYPT, type Seal } from "./seal.ts";
import type { PassOptions } from "./verify.ts";
import { type BackupWriter, createBackupWriter } from "./writer.ts";

export interface CreatePorts {
  readonly table: HomeTable;
  readonly store: Pick<EventStore, "range" | "scan">;
  readonly deliveries: Deliveries;
  readonly sink: BackupSink;
  readonly clock: Clock;
}

/** When what is under way to the store counts as arrived. */
export interface Settling {
  /** Looks in a row that find nothing waiting. Counts of SQS on AWS are approximate: one is not enough. */
  readonly looks: number;
  readonly everyMs: number;
  /** Not earlier than so long after the ledger was read. */
  readonly minMs: number;
  /** Then it is given up; 0: nothing is waited for, and the file says so. */
  readonly maxMs: number;
}

export interface CreateOptions extends PassOptions {
  readonly homeId: string;
  /** Kept for people; a restore does not set them. No secrets. */
  readonly settings: Readonly<Record<string, string>>;
  /** Kept for people: which Hearthline and which kind of store wrote it. */
  readonly hearthline: string;
  readonly storeKind: string;
  /** Seals the whole file; then, and only then, keys and tokens are in it. */
  readonly passphrase?: string | undefined;
  readonly settling: Settling;
}

export interface BackupCreated {
  readonly id: string;
  readonly bytes: number;
  readonly events: { readonly count: number; readonly firstUs?: Microseconds; readonly lastUs?: Microseconds };
  readonly kinds: Readonly<Record<string, number>>;
  /** Keys and tokens that were left out, because the file is not sealed. */
  readonly secretsLeftOut: number;
  readonly settled: boolean;
  readonly setAside: number;
}

/** So many are made text together. */
const EVENTS_A_CALL = 1_000;

/**
 * Writes a home to a file while its events flow. The table is read first, its ledger with it; then what was under way to the store by then is waited for; then the
 * events are read, up to the newest that is there. So every event that the file's ledger calls arrived is in the file (and some later ones).
 * Holds one chunk and one page in memory. The sink is committed, or aborted.
 * @throws HearthlineError `backup_unsettled`, `backup_unwritable`, and what table, queues and store throw
 */
export async function createBackup(ports: CreatePorts, options: CreateOptions): Promise<BackupCreated> {
  try {
    const created = await write(ports, options);
    options.signal?.throwIfAborted();
    await ports.sink.commit();
    return created;
  } catch (thrown) {
    await ports.sink.abort();
    throw thrown;
  }
}

async function write(ports: CreatePorts, options: CreateOptions): Promise<BackupCreated> {
  const { table, deliveries, sink, clock } = ports;
  const { homeId, passphrase, settings } = options;
  const seal = passphrase === undefined ? undefined : await newSeal(passphrase);
  const writer = createBackupWriter({ sink, seal });
  const manifest: contents.Manifest = {
    format: "hearthline-backup",
    home_id: homeId,
    created_at: new Date(clock.nowMs()).toISOString(),
    hearthline: options.hearthline,
    store: options.storeKind,
    table_layout: table.layout,
    has_secrets: seal !== undefined,
  };
  await writer.add(contents.MANIFEST, [JSON.stringify(manifest)]);
  await writer.add(contents.SETTINGS, [JSON.stringify(settings)]);
  const { kinds, secretsLeftOut } = await writeItems(writer, ports, options);
  const { settled, waitedMs } = await settle(deliveries, clock, options);
  const setAside = await deliveries.setAside();
  const events = await writeEvents(writer, ports, options);
  const { firstUs, lastUs } = events;
  const { id, bytes } = await writer.finish({
    ...{ settled, waited_seconds: Math.round(waitedMs) / 1000, set_aside: setAside, kinds },
    ...(firstUs !== undefined && { first_us: firstUs }),
    ...(lastUs !== undefined && { last_us: lastUs }),
  });
  return { id, bytes, events, kinds, settled, setAside, secretsLeftOut };
}

async function writeItems(writer: BackupWriter, { table }: CreatePorts, { homeId, passphrase, signal }: CreateOptions) {
  const kinds: Record<string, number> = {};
  // By key: an item that was replaced while it was read comes again.
  const leftOut = new Set<string>();
  for await (const item of table.items(homeId)) {
    signal?.throwIfAborted();
    if (item.isSecret && passphrase === undefined) {
      leftOut.add(item.key);
      continue;
    }
    await writer.add(item.isSecret ? contents.SECRETS : contents.TABLE, [contents.itemLine(item)]);
    kinds[item.kind] = (kinds[item.kind] ?? 0) + 1;
  }
  return { kinds, secretsLeftOut: leftOut.size };
}

async function newSeal(
  passphrase: string,
): Promise<{ settings: typeof NEW_SCRYPT & { salt: Uint8Array }; seal: Seal }> {
  const settings = { ...NEW_SCRYPT, salt: randomBytes(16) };
  return { settings, seal: await createSeal(passphrase, settings, "") };
}

async function settle(
  deliveries: Deliveries,
  clock: Clock,
  { settling: { looks, everyMs, minMs, maxMs }, signal, onProgress }: CreateOptions,
): Promise<{ settled: boolean; waitedMs: number }> {
  if (maxMs === 0) return { settled: false, waitedMs: 0 };
  const startedMs = clock.monotonicMs();
  for (let quiet = 0; ; ) {
    const waiting = await deliveries.waiting();
    quiet = waiting === 0 ? quiet + 1 : 0;
    const waitedMs = clock.monotonicMs() - startedMs;
    if (quiet >= looks && waitedMs >= minMs) return { settled: true, waitedMs };
    if (waitedMs >= maxMs)
      throw new HearthlineError(
        "backup_unsettled",
        `Before a backup, what is under way to the store was waited for: after ${Math.round(waitedMs / 1000)} s ${waiting} messages still wait or are being stored. Nothing is kept of it. Wanted is an empty store queue, a longer --wait, or --no-wait: the file's ledger may then name events that are not in it.`,
      );
    onProgress?.({ step: "waiting", rows: 0, fraction: 0 });
    await clock.sleep(everyMs, signal);
    signal?.throwIfAborted();
  }
}

async function writeEvents(
  writer: BackupWriter,
  { store }: CreatePorts,
  { homeId, signal, onProgress }: CreateOptions,
): Promise<BackupCreated["events"]> {
  const tiles = createTiles(contents.TILE_WIDTH_US);
  // A bound by what is there, not by the clock: a home may be ahead of ours.
  const newest = (await store.range({ homeId, order: "desc", limit: 1 })).events[0];
  if (!newest) return { count: 0 };
  const toUs = newest.atUs + 1;
  let count = 0;
  let firstUs: Microseconds | undefined;
  let lastUs = newest.atUs;
  for await (const events of store.scan({ homeId, toUs })) {
    for (let start = 0; start < events.length; start += EVENTS_A_CALL) {
      const some = events.slice(start, start + EVENTS_A_CALL);
      await writer.add(contents.EVENTS, some.map(contents.eventLine));
      for (const event of some) tiles.add(event);
      count += some.length;
      firstUs ??= some[0]?.atUs;
      lastUs = some.at(-1)?.atUs ?? lastUs;
      signal?.throwIfAborted();
      const span = toUs - (firstUs ?? toUs);
      onProgress?.({ step: "writing", rows: count, fraction: span > 0 ? (lastUs - (firstUs ?? 0)) / span : 1 });
    }
  }
  // Pruned between the two looks.
  if (firstUs === undefined) return { count: 0 };
  await writer.add(contents.TILES, tiles.finish().map(contents.tileLine));
  return { count, firstUs, lastUs };
}
