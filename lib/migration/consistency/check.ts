import type { Clock } from "../../base/clock.ts";
import type { Microseconds } from "../../base/time.ts";
import type { EventStore, LateDays } from "../../store/ports.ts";
import type { Check, CheckContext, CheckOutcome, MigrationStore, OldLimits, OldSystem, State } from "../ports.ts";
import { changedTiles, lateSpans } from "./changed.ts";
import type { LossFacts } from "./classify.ts";
import { TILE_US } from "./kept-tiles.ts";
import { type Budget, goOn, type LookOptions, lookAgain, lookAtCrowds, type Progress, readAgain } from "./looks.ts";
import { coldRunOf, type Memory, newMemory, readMemory, withPending, writeMemory } from "./memory.ts";
import { type Crowd, openFrom } from "./open-list.ts";
import { nothingYet, resultOf } from "./result.ts";
import { newSide, oldSide, type Sides } from "./sides.ts";

export interface ConsistencyCheckOptions {
  readonly old: OldSystem;
  readonly events: EventStore;
  readonly facts: LossFacts;
  readonly store: Pick<MigrationStore, "addDifferences">;
  readonly clock: Clock;
  /** NEW's days to which events came after they had ended; they are read again. */
  readonly lateDays?: LateDays;
  /** What NEW keeps begins here: what is older was deleted on purpose. */
  readonly keptFromUs?: () => Promise<Microseconds | undefined>;
  /** Entities that the relay is told to leave out. */
  readonly isLeftOut?: (entityId: string) => boolean;
  /** Rows of both sides that one step may read. */
  readonly rowsPerStep?: number;
}

const STATES: ReadonlySet<State> = new Set(["shadow", "ramp", "stabilise", "final_validation", "rolling_back"]);
const ROWS_PER_STEP = 6_000_000;
/** OLD's oldest row may be later than at the last step because OLD deletes old ones by the day, of which the first rows seldom lie a whole day apart; by less than half of one it has lost some. */
const DELETED_US = 43_200_000_000;

/**
 * Whether OLD and NEW hold the same rows, to the row, over the whole past and up to now but for what may still be under way. Each row is read once; later both sides are asked how many they
 * have, and only what has changed is read again. In `final_validation` everything is read anew. Never more at a step than its time and its budget allow: `inconclusive` until all is compared.
 */
export function createConsistencyCheck(options: ConsistencyCheckOptions): Check {
  const { old, events, facts, store } = options;

  async function run(context: CheckContext): Promise<CheckOutcome> {
    const { migration, nowUs, signal } = context;
    const { homeId, plan } = migration;
    const described = await old.describe();
    const oldestUs = described.oldestUs;
    if (oldestUs === undefined && plan.fromUs === undefined) return { results: [nothingYet(migration)] };
    const sides: Sides = {
      old: oldSide(old),
      new: newSide(events, homeId),
      limits: { ...old.limits, isStartWhole: plan.old.fedBy === "relay" },
      ...(options.isLeftOut && { isLeftOut: options.isLeftOut }),
    };
    const [account, settled] = await Promise.all([facts.account(homeId), facts.settledUs(homeId)]);
    const newestUs = Math.max(described.newestUs ?? 0, await newestOf(events, homeId));
    const keptFromUs = (await options.keptFromUs?.()) ?? 0;
    const { precisionUs } = old.limits;
    const splitUs = Math.floor(migration.createdUs / precisionUs) * precisionUs;
    const grid = { precisionUs, settleUs: plan.settleSeconds * 1e6 };
    const memory = advanced(begun(context, old.limits, { oldestUs, keptFromUs }), newestUs, nowUs);
    // On the way back `handover` does what OLD's feeder is behind with; later rows are the feeder's, as they were before.
    const sidesUs = migration.state === "rolling_back" ? [migration.sinceUs] : Object.values(settled);
    const untilUs = settledUntil(memory, { ...grid, nowUs, sidesUs });
    const progress: Progress = { memory, told: [], read: 0 };
    const rows = options.rowsPerStep ?? ROWS_PER_STEP;
    const budget: Budget = { rows, signal };
    // So that many differences never keep the rest from being compared.
    const half: Budget = { rows: Math.ceil(rows / 2), signal };
    const looks: LookOptions = {
      ...{ sides, account, nowUs, recheckUs: plan.recheckSeconds * 1e6, splitUs },
      // Of Home Assistant's own writer nobody knows more than its newest row.
      ...(migration.state !== "rolling_back" && plan.old.fedBy === "relay" && { oldGivenUs: settled.old }),
    };
    await noteChanges(progress, options, homeId);
    await lookAgain(progress, { ...looks, budget: half });
    await readAgain(progress, { ...looks, budget });
    await goOn(progress, untilUs, { ...looks, budget });
    // Without a time to wait the second look follows at once.
    if (plan.recheckSeconds === 0) await lookAgain(progress, { ...looks, nowUs: nowUs + 1, budget });
    // With what the step has left: first those that wait, then those that may have been repaired.
    const isOld = ({ lookedUs, foundUs }: Crowd) => lookedUs < nowUs && nowUs - foundUs >= looks.recheckUs;
    for (const isWaiting of [true, false])
      await lookAtCrowds(progress, { ...looks, budget }, (crowd) => crowd.isCounted !== isWaiting && isOld(crowd));
    if (progress.told.length > 0) await store.addDifferences(homeId, migration.id, progress.told);
    return { results: [resultOf(progress, untilUs, context)], memory: writeMemory(progress.memory) };
  }

  return { name: "consistency", states: STATES, run };
}

/** The memory of this run, with what OLD or NEW have deleted on purpose left out. */
function begun(
  { migration, memory }: CheckContext,
  limits: OldLimits,
  { oldestUs, keptFromUs }: { readonly oldestUs: Microseconds | undefined; readonly keptFromUs: number },
): Memory {
  const run = migration.state === "final_validation" ? coldRunOf(migration.sinceUs) : "ordinary";
  const known = readMemory(memory);
  const wantedUs = Math.max(migration.plan.fromUs ?? oldestUs ?? 0, keptFromUs);
  const { precisionUs } = limits;
  const firstUs = Math.ceil(Math.max(wantedUs, oldestUs ?? 0) / precisionUs) * precisionUs;
  if (known?.run !== run) {
    const fresh = newMemory(run, firstUs, TILE_US);
    return known ? { ...fresh, open: known.open, lateDays: known.lateDays, stretchUs: known.stretchUs } : fresh;
  }
  if (firstUs < known.fromUs + DELETED_US) return known;
  const doneUs = Math.max(known.doneUs, firstUs);
  return {
    ...known,
    ...{ fromUs: firstUs, doneUs },
    tiles: known.tiles.filter((tile) => tile.fromUs >= firstUs),
    pending: withPending(known.pending, [], { fromUs: firstUs, toUs: doneUs }),
    open: openFrom(known.open, firstUs),
  };
}

const advanced = (memory: Memory, newestUs: Microseconds, nowUs: Microseconds): Memory =>
  newestUs === memory.newestUs ? memory : { ...memory, newestUs, newestSinceUs: nowUs };

async function newestOf(events: EventStore, homeId: string): Promise<Microseconds> {
  const { events: found } = await events.range({ homeId, order: "desc", limit: 1 });
  return found[0]?.atUs ?? 0;
}

const floor = (us: number, unit: number): number => Math.floor(us / unit) * unit;

interface Settling {
  readonly nowUs: Microseconds;
  readonly settleUs: Microseconds;
  readonly precisionUs: number;
  /** Up to when each side has been given everything. */
  readonly sidesUs: readonly (Microseconds | undefined)[];
}

/**
 * Up to when rows are compared. Stamps are Home Assistant's, whose clock may be behind ours: while rows still come, those of the last seconds before the newest one are left alone too; once nothing
 * new has come for the settling time, the newest are as settled as the others.
 */
function settledUntil(memory: Memory, { nowUs, settleUs, precisionUs, sidesUs }: Settling): Microseconds {
  const isQuiet = memory.newestUs > nowUs || nowUs - memory.newestSinceUs >= settleUs;
  const limits = [nowUs - settleUs, ...(isQuiet ? [] : [memory.newestUs - settleUs])];
  for (const us of sidesUs) if (us !== undefined) limits.push(us);
  return Math.max(memory.doneUs, floor(Math.min(...limits), Math.max(precisionUs, 1_000_000)));
}

async function noteChanges(progress: Progress, options: ConsistencyCheckOptions, homeId: string): Promise<void> {
  const { memory } = progress;
  const { tiles, pending, sliceUs } = await changedTiles(memory, {
    old: (query) => options.old.counts(query),
    isRead: options.old.limits.isCountRead === true,
  });
  const late = lateSpans(memory.lateDays, (await options.lateDays?.list(homeId)) ?? []);
  const span = { fromUs: memory.fromUs, toUs: memory.doneUs };
  progress.memory = {
    ...memory,
    ...{ tiles, sliceUs, lateDays: late.seen },
    pending: withPending(memory.pending, [...pending, ...late.pending], span),
  };
}
