import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { createDynamodbDeviceIndex } from "../adapters/dynamodb/device-index.ts";
import { createDynamodbLedger } from "../adapters/dynamodb/ledger.ts";
import { createDynamodbMigrationStore } from "../adapters/dynamodb/migrations.ts";
import { createJsonFile } from "../adapters/file/json-file.ts";
import { createOldSystem } from "../adapters/legacy/old-system.ts";
import { HearthlineError } from "../base/errors.ts";
import { createCanaryCheck } from "../migration/checks/canary.ts";
import { createCleanupCheck } from "../migration/checks/cleanup.ts";
import { createHandoverCheck } from "../migration/checks/handover.ts";
import { createHealthNewCheck, createHealthOldCheck } from "../migration/checks/health.ts";
import { isStarted } from "../migration/places.ts";
import type { Migration, MigrationStore } from "../migration/ports.ts";
import { SILENCE_MS } from "../migration/reads/pointer-cache.ts";
import {
  createSimplePorts,
  moveSimple,
  runSimple,
  type SimpleJournalStore,
  type SimpleOutcome,
  type SimplePorts,
  simpleJournalSchema,
} from "../migration/simple/index.ts";
import { type Cloud, type CloudOptions, createCloud } from "./aws.ts";
import { createHomeBackup, verifyHomeBackup } from "./backup.ts";
import { readConfig } from "./config.ts";
import { createEventStore } from "./event-store.ts";
import { oldSecretsOf } from "./migration-backfill.ts";
import { createCanaryWay } from "./migration-canary.ts";
import { createGatherHealth, createNewParts, createSinkTurner } from "./migration-watch.ts";

type Env = Readonly<Record<string, string | undefined>>;

export type { SimpleOutcome };

export interface SimpleMigrationOptions extends CloudOptions {
  readonly homeId: string;
  /** Of a plan whose way is `simple`, not started. */
  readonly id: string;
  /** The backup's file; one that is there is replaced. */
  readonly path: string;
  readonly passphrase?: string | undefined;
  /** How long anything is waited for that a relay or a person does. */
  readonly withinSeconds: number;
  readonly signal: AbortSignal;
  readonly onWords: (words: string) => void;
}

const { version } = packageJson;
const DAY_US = 86_400_000_000;
/** The nightly prune is at work at the edge. */
const PRUNE_US = 3_600_000_000;

/**
 * The simple way (row A9) from this machine, which needs the settings of the functions and reaches OLD. Interrupted, the same call goes on, forwards or back.
 * @throws HearthlineError `not_found`, `migration_state_wrong`, `migration_exists`, `setting_invalid`, `data_folder_unusable`; what the way back throws
 */
export async function runSimpleMigration(env: Env, options: SimpleMigrationOptions): Promise<SimpleOutcome> {
  const config = readConfig(env);
  const cloud = createCloud(config, { ...options, env });
  const { homeId, id, signal, onWords } = options;
  const migrations = createDynamodbMigrationStore(cloud.table);
  const migration = simpleOf(await migrations.get(homeId, id), options);
  const events = createEventStore(config, cloud);
  const old = createOldSystem(migration.plan.old, oldSecretsOf(config), { clock: cloud.clock });
  try {
    const ports = portsOf(env, options, { cloud, migrations, migration, events, old });
    const journal = journalIn(join(config.HEARTHLINE_DATA, "migration-simple.json"));
    return await runSimple({
      ...{ migrationId: id, homeId, ports, journal, signal, clock: cloud.clock },
      onProgress: onWords,
    });
  } finally {
    await old.close();
    await events.close();
  }
}

function simpleOf(there: Migration | undefined, { homeId, id }: SimpleMigrationOptions): Migration {
  if (!there)
    throw new HearthlineError("not_found", `The migration "${id}" was to be run, which the home "${homeId}" has not.`);
  if (there.plan.way === "simple" && !isStarted(there)) return there;
  const how = there.plan.way === "simple" ? "was started, so its steps are done by the control plane" : "is staged";
  throw new HearthlineError(
    "migration_state_wrong",
    `The migration "${id}" was to be run the simple way, but it ${how}; wanted is one of migrate plan --simple that was not started.`,
  );
}

interface Joined {
  readonly cloud: Cloud;
  readonly migrations: MigrationStore;
  readonly migration: Migration;
  readonly events: ReturnType<typeof createEventStore>;
  readonly old: ReturnType<typeof createOldSystem>;
}

function portsOf(env: Env, options: SimpleMigrationOptions, joined: Joined): SimplePorts {
  const { cloud, migration, events, old } = joined;
  const { config, clock, table } = cloud;
  const index = createDynamodbDeviceIndex(table);
  const relays = { of: (homeId: string) => index.relayStatuses(homeId) };
  const watch = { cloud, events, index, ledger: createDynamodbLedger(table), version };
  const shared = { clock, old, relays, store: events, sinks: createSinkTurner(cloud) };
  return createSimplePorts({
    ...{ ...shared, migration, signal: options.signal, onWords: options.onWords },
    checks: {
      healthOld: createHealthOldCheck(shared),
      healthNew: createHealthNewCheck({ clock, parts: createNewParts(createGatherHealth(watch), watch) }),
      canary: createCanaryCheck({ ...shared, way: createCanaryWay(cloud, events) }),
      cleanup: createCleanupCheck(shared),
      handover: createHandoverCheck(shared),
    },
    keptFromUs: clock.nowMs() * 1000 - config.HEARTHLINE_RAW_DAYS * DAY_US + PRUNE_US,
    pointerMs: SILENCE_MS,
    withinMs: options.withinSeconds * 1000,
    backUp: () => backUp(env, options),
    move: (state, stagePercent, reason) =>
      moveSimple(
        {
          migrations: joined.migrations,
          homeId: migration.homeId,
          id: migration.id,
          nowUs: () => clock.nowMs() * 1000,
        },
        { state, stagePercent, reason },
      ),
  });
}

async function backUp(env: Env, options: SimpleMigrationOptions): Promise<string> {
  const { path, passphrase } = options;
  await createHomeBackup(env, { ...options, version, isReplacing: true, waitSeconds: options.withinSeconds });
  await verifyHomeBackup({ path, passphrase, signal: options.signal });
  return path;
}

function journalIn(path: string): SimpleJournalStore {
  const file = createJsonFile(path);
  return {
    async read() {
      const there = await file.read();
      return there === undefined ? undefined : simpleJournalSchema.parse(there);
    },
    write: (journal) => file.write(journal),
  };
}
