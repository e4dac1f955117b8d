import { HearthlineError, isHearthlineError, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { parseIsoUs } from "../base/time.ts";
import {
  type BatchOrigin,
  deadMessage,
  type HomePresence,
  type IndexEntry,
  indexEntrySchema,
  packBatch,
  presenceOfBatch,
  type Queue,
  type QueueMessage,
  unpackBatch,
} from "../ingest/index.ts";
import { addChange, type HomeChanges, latestRegistries, noChanges } from "./changes.ts";
import { parseRows } from "./parse.ts";
import type { DeviceIndex, HomeDirectory, IndexedRows, Seen } from "./ports.ts";

/** A message of the index queue. */
export interface IndexMessage {
  readonly messageId: string;
  readonly body: string;
}

export interface IndexBatchPorts {
  readonly index: DeviceIndex;
  readonly homes: Pick<HomeDirectory, "update">;
  readonly presence: HomePresence;
  /** Compares what the home's sources say of its devices (`compareDevices`); called when one of them has brought rows. */
  readonly compare: (homeId: string) => Promise<unknown>;
  /** Called when something of a home has been applied that people may have done (or Home Assistant's coming back): when it throws, the messages come again. */
  readonly noticed?: (
    homeId: string,
    news: { readonly seen: ReadonlyMap<string, Seen>; readonly isBack: boolean },
  ) => Promise<void>;
  /** Takes what can never be applied, with its reason. */
  readonly dead: Queue;
  readonly log: Logger;
}

export interface IndexBatchResult {
  /** Messages that shall come again. */
  readonly failedIds: readonly string[];
  readonly homes: number;
  readonly entries: number;
  readonly deadLettered: number;
  /** Messages of homes that were removed: they are of nobody, and done with. */
  readonly dropped: number;
}

interface HomeWork {
  readonly changes: HomeChanges;
  readonly messageIds: Set<string>;
}

/**
 * Applies a batch: entries of all messages are gathered by home first, so that a home costs a few writes whatever the number of its entries.
 * An entry that is malformed is set aside alone, a body that cannot be unpacked as it came; both are then done with. A home whose writes fail makes its
 * messages come again, other homes' do not; applying again changes nothing.
 */
export async function indexBatch(messages: readonly IndexMessage[], ports: IndexBatchPorts): Promise<IndexBatchResult> {
  const homes = new Map<string, HomeWork>();
  const failed = new Set<string>();
  let entries = 0;
  let deadLettered = 0;
  let dropped = 0;
  const presence = presenceOfBatch(ports.presence);
  const reads = messages.map(({ messageId, body }) => ({ messageId, ...readMessage(body) }));
  // All are asked for at once; who cannot be asked for is met again below.
  await Promise.allSettled(reads.map(({ origin }) => origin && presence.of(origin)));
  for (const { messageId, ...read } of reads) {
    try {
      if (read.origin && !(await presence.of(read.origin))) {
        dropped++;
        continue;
      }
      // Set aside before anything else: when that fails, the message comes again whole.
      if (read.dead.length > 0) await ports.dead.send(read.dead);
    } catch (thrown) {
      fail([messageId], thrown);
      continue;
    }
    deadLettered += read.dead.length;
    entries += read.entries.length;
    if (read.origin === undefined) continue;
    const { homeId } = read.origin;
    const work = homes.get(homeId) ?? { changes: noChanges(), messageIds: new Set<string>() };
    homes.set(homeId, work);
    work.messageIds.add(messageId);
    for (const entry of read.entries) addChange(work.changes, entry);
  }

  function fail(messageIds: Iterable<string>, thrown: unknown, homeId?: string): void {
    for (const messageId of messageIds) failed.add(messageId);
    const code = isHearthlineError(thrown) ? thrown.code : "unexpected";
    ports.log.warn("index entries were not applied and come again", { homeId, code, error: messageOf(thrown) });
  }

  await Promise.all(
    [...homes].map(async ([homeId, { changes, messageIds }]) => {
      try {
        await applyChanges(homeId, changes, ports);
      } catch (thrown) {
        fail(messageIds, thrown, homeId);
      }
    }),
  );
  return { failedIds: [...failed], homes: homes.size, entries, deadLettered, dropped };
}

/** What conflicts are made of. */
const COMPARED: ReadonlySet<IndexedRows> = new Set<IndexedRows>(["devices", "capabilities"]);

async function applyChanges(
  homeId: string,
  changes: HomeChanges,
  { index, homes, compare, noticed }: IndexBatchPorts,
): Promise<void> {
  const { home, seen, relays, weather } = changes;
  // Registries one after the other; the rest at once.
  const registries = async () => {
    const latest = latestRegistries(changes);
    for (const [registry, some] of Map.groupBy(latest, (part) => part.registry)) {
      const { revision, parts } = some[0] ?? { revision: 0, parts: 0 };
      const rowsByPart = new Map(some.map(({ part, rows }) => [part, parseRows(registry, rows)]));
      await index.applyRegistryParts(homeId, { registry, revision, parts, rowsByPart });
    }
    if (latest.some(({ registry }) => COMPARED.has(registry))) await compare(homeId);
  };
  await Promise.all([
    registries(),
    seen.size > 0 && index.applySeen(homeId, seen),
    weather && index.applyWeather(homeId, weather.weather, weather.atUs),
    ...[...relays.values()].map((status) => index.applyRelayStatus(homeId, status)),
    home &&
      homes.update(homeId, {
        name: home.location_name,
        timeZone: home.time_zone,
        revision: home.revision,
        haVersion: home.version,
      }),
  ]);
  await noticed?.(homeId, { seen, isBack: home !== undefined });
}

interface ReadMessage {
  readonly origin?: BatchOrigin;
  readonly entries: readonly IndexEntry[];
  readonly dead: readonly QueueMessage[];
}

function readMessage(body: string): ReadMessage {
  let batch: ReturnType<typeof unpackBatch>;
  try {
    batch = unpackBatch(body);
  } catch (thrown) {
    return { entries: [], dead: [deadMessage(body, asOurs(thrown))] };
  }
  const { lines, ...origin } = batch;
  const entries: IndexEntry[] = [];
  const dead: QueueMessage[] = [];
  for (const line of lines) {
    let value: unknown = line;
    try {
      value = JSON.parse(line);
      entries.push(readEntry(value));
    } catch (thrown) {
      for (const alone of packBatch(origin, [value])) {
        const { attributes } = deadMessage(alone, asOurs(thrown));
        dead.push({ body: alone, attributes: { ...attributes, home_id: origin.homeId } });
      }
    }
  }
  return { origin, entries, dead };
}

function readEntry(value: unknown): IndexEntry {
  const parsed = indexEntrySchema.safeParse(value);
  if (parsed.success) {
    // Its time is looked at here, so that gathering cannot fail later.
    if (parsed.data.t === "relay") parseIsoUs(parsed.data.at);
    return parsed.data;
  }
  const [issue] = parsed.error.issues;
  throw new HearthlineError(
    "record_malformed",
    `The index entry is malformed at "${issue?.path.join(".") ?? ""}": ${issue?.message ?? "unknown"}.`,
  );
}

const asOurs = (thrown: unknown): HearthlineError =>
  isHearthlineError(thrown)
    ? (thrown as HearthlineError)
    : new HearthlineError("record_malformed", `The index entry cannot be read: ${messageOf(thrown)}`, {
        cause: thrown,
      });
