import { createDynamodbLedger } from "../adapters/dynamodb/ledger.ts";
import { createDynamodbMigrationStore } from "../adapters/dynamodb/migrations.ts";
import { eventOfRow } from "../adapters/legacy/old-row.ts";
import { createOldSystem } from "../adapters/legacy/old-system.ts";
import { HearthlineError } from "../base/errors.ts";
import type { HomeEvent } from "../event/index.ts";
import { createLedgerFacts } from "../migration/consistency/ledger-facts.ts";
import { openDifferences } from "../migration/consistency/open-differences.ts";
import { type RefetchSpan, refetchSpans } from "../migration/consistency/refetch-spans.ts";
import { createRepair, type Repair, type RepairPlan } from "../migration/consistency/repair.ts";
import { newSide, oldSide, type Sides } from "../migration/consistency/sides.ts";
import type { Difference, DifferenceClass, Migration, MigrationStore } from "../migration/ports.ts";
import { createEntityFilter } from "../relay/index.ts";
import { type Cloud, type CloudOptions, createCloud } from "./aws.ts";
import { readConfig } from "./config.ts";
import { createEventStore } from "./event-store.ts";
import { oldSecretsOf } from "./migration-backfill.ts";
import { createHomeRecorder, type HomeRecorder, RECORDER } from "./migration-refetch.ts";
import { applyRepair, type OnRepairProgress, type RepairedRows } from "./migration-repair-apply.ts";
import { createRepairSources, createRepairWay } from "./migration-repair-way.ts";

export type { Difference, DifferenceClass, OnRepairProgress, RepairedRows };

export interface MigrationRepairOptions extends CloudOptions {
  readonly homeId: string;
  readonly id: string;
  readonly signal: AbortSignal;
  /** Who repairs, for the audit. Default: `migrate repair`. */
  readonly actor?: string;
  /** Ask Home Assistant's recorder before OLD, where a relay is there to ask it. Default: yes. */
  readonly hasRecorder?: boolean;
}

export interface PlannedRepair extends Omit<RepairPlan, "words"> {
  /** Told as differences, and none any more: somebody else has sent them, or they came late. */
  readonly there: readonly Difference[];
  /** False: there are more differences than one repair takes; run it again. */
  readonly isAll: boolean;
  /** What the recorder is asked for first, by the relay; what it does not have is then sent as `actions` says. Nobody knows before what it has. */
  readonly spans: readonly RefetchSpan[];
  /** For people: who was asked for what NEW lacks. */
  readonly tried: readonly string[];
}

/** Sends again what one side lacks, from this machine: OLD may be reached from nowhere else. */
export interface MigrationRepair {
  /** Reads both sides again, and changes nothing. Errors as of both sides. */
  plan(classes: ReadonlySet<DifferenceClass>, onProgress?: OnRepairProgress): Promise<PlannedRepair>;
  /** In bounded batches; what is there afterwards is marked as repaired. Errors as of both sides: what was sent before is safe to send again. */
  apply(planned: PlannedRepair, onProgress?: OnRepairProgress): Promise<RepairedRows>;
  close(): Promise<void>;
}

/** One repair takes so many differences: as many as are kept by name. */
const DIFFERENCES_MAX = 10_000;
const PLAN_BATCH = 50;
/** @throws HearthlineError `not_found`, `migration_state_wrong` (it has ended, and OLD may be gone), `setting_invalid` */
export async function createMigrationRepair(
  env: Readonly<Record<string, string | undefined>>,
  options: MigrationRepairOptions,
): Promise<MigrationRepair> {
  const config = readConfig(env);
  const cloud = createCloud(config, { ...options, env });
  const store = createDynamodbMigrationStore(cloud.table);
  const migration = repairable(await store.get(options.homeId, options.id), options);
  const events = createEventStore(config, cloud);
  const old = createOldSystem(migration.plan.old, oldSecretsOf(config), { clock: cloud.clock });
  const refused = new Set<string>();
  const told = new WeakSet<HomeEvent>();
  const { signal, homeId } = options;
  const limits = { ...old.limits, isStartWhole: migration.plan.old.fedBy === "relay" };
  const isIncluded = createEntityFilter(config.HEARTHLINE_INCLUDE, config.HEARTHLINE_EXCLUDE);
  const sources = createRepairSources({ config, migration, old, signal });
  const repair = createRepair({
    ...{ homeId, old, events, limits, sources },
    eventOfRow(row) {
      const event = eventOfRow(row, homeId);
      if (row.lastChangedUs !== undefined) told.add(event);
      return event;
    },
    giveToNew: createRepairWay({
      ...{ cloud, homeId, events, signal, hasLastChanged: (event) => told.has(event) },
      onRefused: (why) => refused.add(why),
    }),
  });
  const sides: Sides = {
    ...{ old: oldSide(old), new: newSide(events, homeId), limits },
    isLeftOut: (entityId) => !isIncluded(entityId),
  };
  const recorder = options.hasRecorder === false ? undefined : createHomeRecorder(cloud, { homeId, signal });
  const { actor = "migrate repair" } = options;
  const joined: Joined = { cloud, store, migration, repair, sides, signal, recorder };
  return {
    async plan(classes, onProgress) {
      const planned = await planOf(joined, classes, onProgress);
      const first = planned.spans.length > 0 ? [RECORDER] : [];
      return { ...planned, tried: [...first, ...sources.map(({ name }) => name), `OLD (${old.name})`] };
    },
    async apply(planned, onProgress) {
      refused.clear();
      const done = await applyRepair({ ...joined, clock: cloud.clock, actor }, planned, onProgress ?? (() => {}));
      return { ...done, refused: [...refused] };
    },
    async close() {
      await old.close();
      await events.close();
    },
  };
}

function repairable(there: Migration | undefined, { homeId, id }: MigrationRepairOptions): Migration {
  if (!there)
    throw new HearthlineError(
      "not_found",
      `The migration "${id}" was to be repaired, which the home "${homeId}" has not.`,
    );
  if (there.state !== "complete") return there;
  throw new HearthlineError(
    "migration_state_wrong",
    `The migration "${id}" was to be repaired, but it is complete and OLD is not asked any more; wanted is one that is under way or was taken back.`,
  );
}

interface Joined {
  readonly cloud: Cloud;
  readonly store: MigrationStore;
  readonly migration: Migration;
  readonly repair: Repair;
  readonly sides: Sides;
  readonly signal: AbortSignal;
  readonly recorder: HomeRecorder | undefined;
}

async function planOf(
  { cloud, store, migration, repair, sides, signal, recorder }: Joined,
  classes: ReadonlySet<DifferenceClass>,
  onProgress: OnRepairProgress = () => {},
): Promise<Omit<PlannedRepair, "tried">> {
  const { homeId, id } = migration;
  const nowUs = () => cloud.clock.nowMs() * 1000;
  const facts = createLedgerFacts({ ledger: createDynamodbLedger(cloud.table), nowUs });
  const { differences, isAll } = await openDifferences({
    ...{ classes, sides, signal, nowUs: nowUs(), max: DIFFERENCES_MAX },
    memory: await store.memory(homeId, id, "consistency"),
    examples: (await store.differences(homeId, id)).examples,
    account: await facts.account(homeId),
  });
  const there: Difference[] = [];
  const still: Difference[] = [];
  const plans: RepairPlan[] = [];
  for (let at = 0; at < differences.length && !signal.aborted; at += PLAN_BATCH) {
    const looked = await repair.look(differences.slice(at, at + PLAN_BATCH));
    there.push(...looked.there);
    still.push(...looked.open);
    plans.push(await repair.plan(looked.open));
    onProgress(Math.min(at + PLAN_BATCH, differences.length), differences.length);
  }
  const actions = plans.flatMap((plan) => plan.actions);
  const left = plans.flatMap((plan) => plan.left);
  const spans = (await recorder?.isReachable()) ? refetchSpans(still) : [];
  return { actions, left, there, isAll, spans };
}
