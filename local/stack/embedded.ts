import { mkdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../lib/base/clock.ts";
import { HearthlineError, messageOf } from "../../lib/base/errors.ts";

/** A server in this process, on loopback. */
export interface EmbeddedServer {
  readonly port: number;
  readonly url: string;
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Where it keeps its data; made when missing. */
  readonly folder: string;
  /** 0: any free one. */
  readonly port: number;
  /** The region in which queues are, as long as a request names no other. Default us-east-1. */
  readonly region?: string;
  readonly clock: Clock;
}

const HOST = "127.0.0.1";
/** A predecessor that was cut off from its parent ends by itself; this long it is waited for. */
const LOCK_WAIT_MS = 15_000;

/**
 * SQS, kept in a SQLite file. What was in flight when it stopped is visible again at once: whoever had it is gone.
 * @throws HearthlineError `already_running` while another process has this folder
 */
export async function startQueues(options: EmbeddedOptions): Promise<EmbeddedServer & { release(): void }> {
  const unlock = await lockFolder(options);
  const { createFauxqs } = await import("./fauxqs.ts");
  const { folder, region = "us-east-1" } = options;
  const { app, store } = await createFauxqs({ folder, host: HOST, region });
  const release = () => {
    for (const queue of store.allQueues())
      for (const receiptHandle of [...queue.inflightMessages.keys()]) queue.changeVisibility(receiptHandle, 0);
  };
  release();
  await app.listen({ port: options.port, host: HOST });
  const { port } = app.server.address() as AddressInfo;
  return {
    port,
    url: `http://${HOST}:${port}`,
    release,
    stop: async () => {
      store.shutdown();
      await app.close();
      unlock();
    },
  };
}

/** DynamoDB, kept in a LevelDB folder. */
export async function startTables(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const unlock = await lockFolder(options);
  const { default: dynalite } = await import("dynalite");
  const server = dynalite({
    path: join(options.folder, "level"),
    createTableMs: 0,
    deleteTableMs: 0,
    updateTableMs: 0,
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, HOST, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${HOST}:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          unlock();
          resolve();
        });
        // Clients keep their connections open for the next request; without this the server would wait for them.
        server.closeAllConnections();
      }),
  };
}

/** Two servers on one folder would write over each other: the operating system's own lock on a file keeps the second out, and ends with the first, however that ends. */
async function lockFolder({ folder, clock }: EmbeddedOptions): Promise<() => void> {
  mkdirSync(folder, { recursive: true });
  const until = clock.monotonicMs() + LOCK_WAIT_MS;
  for (;;) {
    try {
      return takeLock(join(folder, "lock.db"));
    } catch (thrown) {
      if (!/locked/.test(messageOf(thrown))) throw thrown;
      if (clock.monotonicMs() >= until)
        throw new HearthlineError("already_running", `The folder "${folder}" is in use by another process.`);
      await clock.sleep(100);
    }
  }
}

/**
 * Holds a file for as long as this process lives, or until the returned function is called.
 * @throws Error "database is locked" while another process holds it
 */
export function takeLock(file: string): () => void {
  const database = new DatabaseSync(file);
  try {
    database.exec(
      "PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE",
    );
  } catch (thrown) {
    database.close();
    throw thrown;
  }
  return () => database.close();
}
