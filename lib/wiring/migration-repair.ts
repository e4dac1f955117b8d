import { createDynamodbLedger } from "../adapters/dynamodb/ledger.ts";
import { createDynamodbMigrationStore } from "../adapters/dynamodb/migrations.ts";
import { eventOfRow } from "../adapters/legacy/old-row.ts";
import { createOldSystem } from "../adapters/legacy/old-system.ts";
import { HearthlineError } from "../base/errors.ts";
import type { HomeEvent } from "../event/index.ts";
import { createLedgerFacts } from "../migration/consistency/ledger-facts.ts";
import { openDifferences } from "../migration/consistency/open-differences.ts";
import { createRepair, type Repair, type RepairPlan } from "../migration/consistency/repair.ts";
import { newSide, oldSide, type Sides } from "../migration/consistency/sides.ts";
import type { Difference, DifferenceClass, Migration, MigrationStore } from "../migration/ports.ts";
import { createEntityFilter } from "../relay/index.ts";
import { type Cloud, type CloudOptions, createCloud } from "./aws.ts";
import { readConfig } from "./config.ts";
import { createEventStore } from "./event-store.ts";
import { oldSecretsOf } from "./migration-backfill.ts";
import { createRepairSources, createRepairWay } from "./migration-repair-way.ts";

export type { Difference, DifferenceClass };

export interface MigrationRepairOptions extends CloudOptions {
  readonly homeId: string;
  readonly id: string;
  readonly signal: AbortSignal;
}

/** How far it is: of so many differences, so many. */
export type OnRepairProgress = (done: number, of: number) => void;

export interface PlannedRepair extends Omit<RepairPlan, "words"> {
  /** Told as differences, and none any more: somebody else has sent them, or they came late. */
  readonly there: readonly Difference[];
  /** False: there are more differences than one repair takes; run it again. */
  readonly isAll: boolean;
  /** For people: who was asked for what NEW lacks. */
  readonly tried: readonly string[];
}

export interface RepairedRows {
  readonly repaired: readonly Difference[];
  /** Sent, and not there at the last look. */
  readonly open: readonly { readonly difference: Difference; readonly reason: string }[];
  /** Rows that NEW does not take, by its own rules. */
  readonly refused: readonly string[];
  /** False: it was stopped; the same call goes on. */
  readonly isFinished: boolean;
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
/** So long what was sent and is not there is looked at again. */
const LAST_LOOK_MS = 30_000;
const LOOK_EVERY_MS = 2_000;

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
  const joined = { cloud, store, migration, repair, sides, signal };
  return {
    async plan(classes, onProgress) {
      const tried = [...sources.map(({ name }) => name), `OLD (${old.name})`];
      return { ...(await planOf(joined, classes, onProgress)), tried };
    },
    async apply(planned, onProgress) {
      refused.clear();
      const done = await applyAll(joined, planned, onProgress);
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
}

async function planOf(
  { cloud, store, migration, repair, sides, signal }: Joined,
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
  return { actions, left, there, isAll };
}

async function applyAll(
  { cloud, store, migration, repair, signal }: Joined,
  planned: PlannedRepair,
  onProgress: OnRepairProgress = () => {},
): Promise<Omit<RepairedRows, "refused">> {
  const { clock } = cloud;
  const mark = (found: readonly Difference[]) => store.addDifferences(migration.homeId, migration.id, found);
  const repaired: Difference[] = [];
  let open: RepairedRows["open"] = [];
  await mark(planned.there);
  let next: number | undefined = planned.actions.length > 0 ? 0 : undefined;
  while (next !== undefined && !signal.aborted) {
    const outcome = await repair.apply(planned, next);
    await mark(outcome.repaired);
    repaired.push(...outcome.repaired);
    open = [...open, ...outcome.open];
    next = outcome.next;
    onProgress(next ?? planned.actions.length, planned.actions.length);
  }
  const untilMs = clock.monotonicMs() + LAST_LOOK_MS;
  while (open.length > 0 && !signal.aborted) {
    const { there } = await repair.look(open.map(({ difference }) => difference));
    await mark(there);
    repaired.push(...there);
    const gone = new Set(there.map(keyOf));
    open = open.filter(({ difference }) => !gone.has(keyOf(difference)));
    if (open.length === 0 || clock.monotonicMs() >= untilMs) break;
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
  return { repaired, open, isFinished: next === undefined };
}

const keyOf = ({ class: kind, entityId, atUs }: Difference): string => `${kind} ${atUs} ${entityId}`;
