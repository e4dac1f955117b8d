import type { Server } from "node:http";

/** A message that somebody has received and not yet deleted, by its receipt handle. */
interface FauxqsQueue {
  readonly inflightMessages: ReadonlyMap<string, unknown>;
  changeVisibility(receiptHandle: string, seconds: number): void;
  persistence: FauxqsPersistence | undefined;
}

interface FauxqsStore {
  persistence: FauxqsPersistence | undefined;
  allQueues(): Iterable<FauxqsQueue>;
  shutdown(): void;
}

interface FauxqsPersistence {
  readonly db: { prepare(sql: string): { run(...values: string[]): unknown } };
  updateMessageReady(messageId: string): void;
  load(sqs: FauxqsStore, sns: object, s3: object): void;
  close(): void;
}

interface FauxqsApp {
  readonly server: Server;
  listen(options: { port: number; host: string }): Promise<string>;
  close(): Promise<void>;
}

interface FauxqsModules {
  readonly buildApp: (options: object) => FauxqsApp;
  readonly SqsStore: new () => FauxqsStore;
  readonly SnsStore: new () => object;
  readonly S3Store: new () => object;
  readonly PersistenceManager: new (folder: string) => FauxqsPersistence;
}

/**
 * fauxqs 2.4.1 put together from its own modules, because its `startFauxqs` listens on every address of the machine, whatever `host` says, and because with
 * persistence it answers 500 to a visibility time-out of 0 and forgets the message until it is started again (it sets a column to NULL that may not be).
 * Both are proved by tests/local/stack/embedded.test.ts.
 */
export async function createFauxqs(options: {
  folder: string;
  host: string;
  region: string;
}): Promise<{ app: FauxqsApp; store: FauxqsStore }> {
  const { buildApp, SqsStore, SnsStore, S3Store, PersistenceManager } = await loadModules();
  const persistence = new PersistenceManager(options.folder);
  persistence.updateMessageReady = (messageId) => {
    persistence.db
      .prepare("UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE message_id = ?")
      .run(messageId);
  };
  const store = new SqsStore();
  const snsStore = new SnsStore();
  const s3Store = new S3Store();
  // Loaded before it is joined to the stores, so that loading is not written again.
  persistence.load(store, snsStore, s3Store);
  store.persistence = persistence;
  for (const queue of store.allQueues()) queue.persistence = persistence;
  const stores = { sqsStore: store, snsStore, s3Store };
  const app = buildApp({ logger: false, host: options.host, defaultRegion: options.region, stores });
  const close = () => app.close().finally(() => persistence.close());
  return { app: { server: app.server, listen: (to) => app.listen(to), close }, store };
}

async function loadModules(): Promise<FauxqsModules> {
  const entry = import.meta.resolve("fauxqs");
  const names = ["./app.js", "./persistence.js", "./sqs/sqsStore.js", "./sns/snsStore.js", "./s3/s3Store.js"];
  const modules: object[] = await Promise.all(names.map((name) => import(new URL(name, entry).href)));
  return Object.assign({}, ...modules) as FauxqsModules;
}
