import type { Clock } from "../../base/clock.ts";
import { HearthlineError } from "../../base/errors.ts";
import type { EventStore } from "../../store/ports.ts";
import { createInfluxClient, type InfluxClient, type InfluxClientOptions } from "./client.ts";
import { aggregate, events, oldestUs, stats, tiles } from "./figures.ts";
import { readPage } from "./pages.ts";
import { pruneByDelete, pruneByMark } from "./prune.ts";
import type { Reader } from "./scan.ts";
import { DAY_SECONDS, type Server, versionOf } from "./server.ts";
import { createServer1 } from "./server-1.ts";
import { createServer2 } from "./server-2.ts";
import { createServer3 } from "./server-3.ts";
import { writeEvents } from "./write.ts";

export type InfluxdbEventStoreOptions = InfluxClientOptions;

/** The store keeps events longer than the nightly prune by so much: it must never be the one that decides about an event of a home's last day. */
const MARGIN_DAYS = 2;
/** How long an answer about the retention is believed, where each write needs it. */
const RETENTION_KNOWN_MS = 600_000;

const SERVERS = { 1: createServer1, 2: createServer2, 3: createServer3 } as const;

/**
 * Events in InfluxDB 1.x, 2.x or 3.x, by line protocol and InfluxQL, which all three serve. What the versions do each in its own way is in server-*.ts.
 * Nothing is remembered here but the server's version: any number of processes may use one database.
 */
export function createInfluxdbEventStore(options: InfluxdbEventStoreOptions): EventStore {
  const client = createInfluxClient(options);
  const server = once(() => openServer(client));
  const reader = async (): Promise<Reader> => ({ client, retentionPolicy: (await server()).retentionPolicy });
  const oldest = createOldest(options.clock);

  async function writing() {
    const { retentionPolicy } = await server();
    return { client, retentionPolicy, oldestUs: await oldest(await server()) };
  }

  return {
    write: async (events) => {
      if (events.length > 0) await writeEvents(events, await writing());
    },
    range: async (query) => readPage(await reader(), query),
    scan: async function* (query) {
      yield* events(await reader(), query);
    },
    stats: async (query) => stats(await reader(), query),
    aggregate: async (query) => aggregate(await reader(), query),
    tiles: async (query) => tiles(await reader(), query),
    prune: async (homeId, beforeUs) =>
      (await server()).canDelete
        ? pruneByDelete(await reader(), homeId, beforeUs)
        : pruneByMark(await reader(), homeId, { ...(await writing()), beforeUs }),
    compact: async () => {},
    setUp: async ({ rawDays }) => (await server()).setUp((rawDays + MARGIN_DAYS) * DAY_SECONDS),
    retention: async (homeId) => {
      const seconds = await (await server()).keepsSeconds();
      if (seconds === undefined) throw notSetUp(client);
      const first = await oldestUs(await reader(), homeId);
      return {
        ...(Number.isFinite(seconds)
          ? { means: ["job", "retention-policy"] as const, storeDays: Math.floor(seconds / DAY_SECONDS) }
          : { means: ["job"] as const }),
        ...(first !== undefined && { oldestUs: first }),
      };
    },
    drop: async () => (await server()).drop(),
    check: async () => {
      if ((await (await server()).keepsSeconds()) === undefined) throw notSetUp(client);
    },
    close: async () => {},
  };
}

async function openServer(client: InfluxClient): Promise<Server> {
  const version = await versionOf(client);
  const [, major = "", minor = ""] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  const create = SERVERS[Number(major) as 1];
  if (create && !(major === "1" && Number(minor) < 6)) return create(client);
  const what = `InfluxDB at "${client.base}" is version "${version.slice(0, 40)}"`;
  throw new HearthlineError("store_incompatible", `${what}; wanted is 1.x (1.6 or later), 2.x or 3.x.`);
}

const notSetUp = ({ base, database }: InfluxClient) =>
  new HearthlineError(
    "store_incompatible",
    `InfluxDB at "${base}" has no database "${database}" set up for Hearthline; wanted is the set-up (the next start makes it).`,
  );

/** The moment before which the server takes events and never shows them; undefined where it says so itself. */
function createOldest(clock: Clock): (server: Server) => Promise<number | undefined> {
  let known: { readonly seconds: number | undefined; readonly untilMs: number } | undefined;
  return async (server) => {
    if (server.tellsTooOld) return undefined;
    if (!known || clock.monotonicMs() >= known.untilMs)
      known = { seconds: await server.keepsSeconds(), untilMs: clock.monotonicMs() + RETENTION_KNOWN_MS };
    const { seconds = Number.POSITIVE_INFINITY } = known;
    return Number.isFinite(seconds) ? (clock.nowMs() - seconds * 1000) * 1000 : undefined;
  };
}

/** Made at the first call; when that fails, at the next one again. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((thrown: unknown) => {
      made = undefined;
      throw thrown;
    });
    return made;
  };
}
