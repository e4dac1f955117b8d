import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { createDynamodbHomeTable } from "../adapters/dynamodb/home-table.ts";
import { createDynamodbHomeDirectory } from "../adapters/dynamodb/homes.ts";
import { createBackupFile, openBackupFile } from "../adapters/file/backup-file.ts";
import {
  type BackupContents,
  type BackupCreated,
  type BackupProgress,
  type BackupRestored,
  createBackup,
  restoreBackup,
  type SealedContents,
  type Settling,
  verifyBackup,
} from "../backup/index.ts";
import { HearthlineError } from "../base/errors.ts";
import { keyIdOf } from "../event/index.ts";
import { type Cloud, type CloudOptions, createCloud, isLoopback } from "./aws.ts";
import { type Config, readConfig, SETTING_NAMES } from "./config.ts";
import { createEventStore } from "./event-store.ts";

export type { BackupContents, BackupProgress, SealedContents };

type Env = Readonly<Record<string, string | undefined>>;

export interface BackupOptions extends CloudOptions {
  readonly path: string;
  /** What seals the file, or has sealed it. */
  readonly passphrase?: string | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: BackupProgress) => void;
}

export interface BackupCreateOptions extends BackupOptions {
  /** Default: HEARTHLINE_HOME_ID. */
  readonly homeId?: string | undefined;
  /** Of this Hearthline; stands in the file. */
  readonly version: string;
  /** How long what is under way to the store is waited for; 0: not at all. */
  readonly waitSeconds: number;
  /** Takes the place of a file that is there. */
  readonly isReplacing: boolean;
}

export interface HomeBackup extends BackupCreated {
  readonly homeId: string;
}

export interface HomeRestored extends BackupRestored {
  /** The key in base64, when one was made. */
  readonly key?: string;
  /** By the setting as it is here: so many days the store keeps raw events. */
  readonly rawDays: number;
}

/** Emulators count exactly. SQS's counts lag by up to a minute. Source: SQS API reference, GetQueueAttributes; read 2026-12. */
const settlingOf = (config: Config, waitSeconds: number): Settling => {
  const endpoint = config.AWS_ENDPOINT_URL_SQS ?? config.AWS_ENDPOINT_URL;
  const maxMs = waitSeconds * 1000;
  return endpoint !== undefined && isLoopback(endpoint)
    ? { looks: 2, everyMs: 100, minMs: 0, maxMs }
    : { looks: 3, everyMs: 5_000, minMs: 60_000, maxMs };
};

/** @throws HearthlineError `not_found` (no such home), `setting_invalid`, `backup_unsettled`, `backup_unwritable`, and what table, queues and store throw */
export async function createHomeBackup(env: Env, options: BackupCreateOptions): Promise<HomeBackup> {
  const config = readConfig(env);
  const homeId = options.homeId ?? config.HEARTHLINE_HOME_ID;
  refuseMemory(config);
  refuseMissing(config);
  const cloud = createCloud(config, { ...options, env });
  if (!(await createDynamodbHomeDirectory(cloud.table).get(homeId)))
    throw new HearthlineError("not_found", `A backup of the home "${homeId}" was asked for, which does not exist.`);
  const store = createEventStore(config, cloud);
  try {
    const { path, isReplacing, passphrase, signal, onProgress, version, waitSeconds } = options;
    const unique = randomBytes(4).toString("hex");
    const sink = await createBackupFile({ path, isReplacing, unique, nowMs: cloud.clock.nowMs() });
    const ports = { table: createDynamodbHomeTable(cloud.table), store, sink, clock: cloud.clock };
    const created = await createBackup(
      { ...ports, deliveries: deliveriesOf(cloud) },
      {
        ...{ homeId, passphrase, signal, hearthline: version, storeKind: config.HEARTHLINE_STORE },
        ...(onProgress && { onProgress }),
        settings: keptSettings(env),
        settling: settlingOf(config, waitSeconds),
      },
    );
    return { ...created, homeId };
  } finally {
    await store.close();
  }
}

/** Needs no cloud. @throws HearthlineError `backup_damaged`, `backup_version_unknown`, `backup_unreadable` */
export async function verifyHomeBackup(options: BackupOptions): Promise<BackupContents | SealedContents> {
  const source = await openBackupFile(options.path);
  try {
    return await verifyBackup(source, options);
  } finally {
    await source.close();
  }
}

/** @throws HearthlineError as `verifyHomeBackup`, `backup_target_not_empty`, `setting_invalid`, and what table and store throw */
export async function restoreHomeBackup(
  env: Env,
  options: BackupOptions & { readonly isIntoExisting: boolean },
): Promise<HomeRestored> {
  const config = readConfig(env);
  refuseMemory(config);
  const cloud = createCloud(config, { ...options, env });
  const { table, clock, random } = cloud;
  const source = await openBackupFile(options.path);
  const store = createEventStore(config, cloud);
  try {
    const ports = { table: createDynamodbHomeTable(table), store, source, clock, random };
    const { HEARTHLINE_RAW_DAYS: rawDays } = config;
    const restored = await restoreBackup(ports, { ...options, rawDays, newKey });
    const key = restored.newKey && Buffer.from(restored.newKey.secret).toString("base64");
    return { ...restored, rawDays, ...(key !== undefined && { key }) };
  } finally {
    await source.close();
    await store.close();
  }
}

function newKey() {
  const secret = randomBytes(32);
  return { id: keyIdOf(secret), secret };
}

function deliveriesOf({ queues }: Cloud) {
  const depth = async () => (await queues.depths()).find(({ name }) => name === "store");
  return {
    waiting: async () => {
      const { visible = 0, inFlight = 0 } = (await depth()) ?? {};
      return visible + inFlight;
    },
    setAside: async () => (await depth())?.dead ?? 0,
  };
}

function refuseMemory({ HEARTHLINE_STORE }: Config): void {
  if (HEARTHLINE_STORE === "memory")
    throw new HearthlineError(
      "setting_invalid",
      'HEARTHLINE_STORE is "memory": a store in another process\'s memory cannot be reached; wanted is the store of the running system.',
    );
}

/** Opened, it would be made: an empty one, of which an empty backup would be taken. */
function refuseMissing({ HEARTHLINE_STORE, HEARTHLINE_SQLITE_PATH: path }: Config): void {
  if (HEARTHLINE_STORE === "sqlite" && !existsSync(path))
    throw new HearthlineError(
      "setting_invalid",
      `HEARTHLINE_SQLITE_PATH is "${path}", where no file is; wanted is the store's file, or the data folder that it lies in (--data).`,
    );
}

/** Settings that Hearthline knows; of those, by their names, whatever is added later: addresses, accounts and secrets stay out. */
const NOT_KEPT = /TOKEN|KEY|PASS|SECRET|URL|USER|PATH|DATA$|HOST|PORT|ALLOW/;

const keptSettings = (env: Env): Record<string, string> =>
  Object.fromEntries(
    SETTING_NAMES.flatMap((name) => {
      const value = NOT_KEPT.test(name) ? undefined : env[name];
      return value ? [[name, value]] : [];
    }),
  );
