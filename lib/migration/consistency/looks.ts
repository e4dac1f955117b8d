import type { Microseconds } from "../../base/time.ts";
import type { Difference } from "../ports.ts";
import { classify, type LossAccount } from "./classify.ts";
import { type Comparison, compare, countedOf } from "./compare.ts";
import { keep, TILE_US } from "./kept-tiles.ts";
import { type Memory, withPending } from "./memory.ts";
import { type Crowd, countOpen, ROWS_A_LOOK, reconcile } from "./open-list.ts";
import { type Sides, type Span, Stopped } from "./sides.ts";

/** What a step may still do. */
export interface Budget {
  rows: number;
  readonly signal: AbortSignal;
}

/** What a step's looks have found so far. */
export interface Progress {
  memory: Memory;
  /** To be told of: confirmed, repaired, late, and some limits. */
  readonly told: Difference[];
  /** Rows read in this step. */
  read: number;
}

export interface LookOptions {
  readonly sides: Sides;
  readonly account: LossAccount;
  readonly nowUs: Microseconds;
  readonly recheckUs: Microseconds;
  /** Up to when OLD was given everything; absent: nobody knows, or it makes no difference. */
  readonly oldGivenUs?: Microseconds | undefined;
  /** No crowd is looked at across it: what lies before it and what lies behind are counted apart. */
  readonly splitUs?: Microseconds;
}

/** A stretch shall hold about so many rows of both sides together. */
const STRETCH_ROWS = 50_000;
export const STRETCH_MAX_US = 64 * TILE_US;
/** Below it the time of one request is all that there is. */
const STRETCH_MIN_US = 1_000_000;
const TOLD_LIMITS_MAX = 20;

/** Looks at one span whole; what it finds takes the place of what was known of it. @throws as `compare` does, with nothing changed */
async function look(progress: Progress, span: Span, { budget, ...options }: LookOptions & { readonly budget: Budget }) {
  const { sides, nowUs, recheckUs, account, oldGivenUs } = options;
  const found = await compare(sides, span, { tileUs: TILE_US, examplesMax: ROWS_A_LOOK, signal: budget.signal });
  const rows = found.read.old.rows + found.read.new.rows + found.read.again.rows;
  budget.rows -= rows;
  progress.read += rows;
  const named = (findings: Comparison["findings"]) =>
    findings.map((finding) => classify(finding, { limits: sides.limits, account, foundUs: nowUs }));
  const { memory } = progress;
  const { open, confirmed, late, repaired } = reconcile(
    memory.open,
    {
      ...{ ...span, atUs: nowUs, found: named(found.findings), oldGivenUs },
      ...{ count: countedOf(found.counts), lackedByOld: found.counts["missing-in-old"] },
      lackedByNew: found.counts["missing-in-new"],
    },
    recheckUs,
  );
  progress.told.push(
    ...confirmed,
    ...repaired.map((difference): Difference => ({ ...difference, isRepaired: true })),
    ...late.map(lateOf),
    ...named(found.limits.slice(0, Math.max(0, TOLD_LIMITS_MAX - progress.told.length))),
  );
  // Of a crowd some counts are estimates: only that nothing is left of it is certain.
  const isGone = countedOf(found.counts) === 0 && allOf(open) < allOf(memory.open);
  const isLess = late.length + repaired.length > 0 || isGone;
  progress.memory = {
    ...memory,
    ...(isLess && changedAt(memory, span)),
    open,
    late: memory.late + late.length,
    repaired: memory.repaired + repaired.length,
  };
  return found;
}

function allOf(open: Memory["open"]): number {
  const { counted, waiting } = countOpen(open);
  return counted + waiting;
}

/**
 * What differed does no more: one side has changed there, and what is known of its tiles may not be so any more. Should it change back, an equal count would hide it.
 */
function changedAt({ tiles, pending, fromUs, doneUs }: Memory, span: Span): Pick<Memory, "tiles" | "pending"> {
  return {
    tiles: tiles.map((tile) => {
      if (tile.fromUs >= span.toUs || tile.fromUs + tile.widthUs <= span.fromUs) return tile;
      const { oldCount: _, ...read } = tile;
      return read;
    }),
    pending: withPending(pending, [[span.fromUs, span.toUs]], { fromUs, toUs: doneUs }),
  };
}

const lateOf = (difference: Difference): Difference => ({
  ...difference,
  class: "late",
  explanation: `${difference.explanation} At the second look both had it: it came late to one of them.`,
});

/** Compares what is new, stretch by stretch, up to `untilUs`, as long as the budget lasts. */
export async function goOn(
  progress: Progress,
  untilUs: Microseconds,
  options: LookOptions & { readonly budget: Budget },
) {
  while (progress.memory.doneUs < untilUs && options.budget.rows > 0 && !options.budget.signal.aborted) {
    const { doneUs: fromUs, stretchUs } = progress.memory;
    const toUs = Math.min(untilUs, fromUs + stretchUs);
    const found = await unlessStopped(() => look(progress, { fromUs, toUs }, options));
    if (!found) {
      // So dense, or so slow, that not even one was done in time: at the next step less is asked for.
      const isFirst = progress.read === 0;
      if (isFirst) progress.memory = { ...progress.memory, stretchUs: Math.max(STRETCH_MIN_US, stretchUs / 4) };
      return;
    }
    const { memory } = progress;
    const limits = { ...memory.limits };
    for (const kind of ["duplicate", "one-stamp", "secret", "start"] as const)
      if (found.counts[kind] > 0) limits[kind] = (limits[kind] ?? 0) + found.counts[kind];
    const leftOut = found.read.new.leftOut;
    if (leftOut > 0) limits["left-out"] = (limits["left-out"] ?? 0) + leftOut;
    progress.memory = {
      ...memory,
      limits,
      doneUs: toUs,
      tiles: keep(memory.tiles, { fromUs, toUs, isNew: true }, found.tiles),
      stretchUs: nextStretchUs(stretchUs, (toUs - fromUs) / stretchUs, found.read.old.rows + found.read.new.rows),
    };
  }
}

/** Twice as much or half as much, as the rows were few or many. A short one at the end says nothing. */
function nextStretchUs(stretchUs: Microseconds, share: number, rows: number): Microseconds {
  if (rows > STRETCH_ROWS) return Math.max(STRETCH_MIN_US, Math.floor(stretchUs / 2 / STRETCH_MIN_US) * STRETCH_MIN_US);
  return share === 1 && rows < STRETCH_ROWS / 2 ? Math.min(STRETCH_MAX_US, stretchUs * 2) : stretchUs;
}

/** Reads again what has changed, whole tiles at a time. */
export async function readAgain(progress: Progress, options: LookOptions & { readonly budget: Budget }): Promise<void> {
  const { budget } = options;
  while (progress.memory.pending.length > 0 && budget.rows > 0 && !budget.signal.aborted) {
    const { pending, fromUs: firstUs, doneUs, stretchUs } = progress.memory;
    const [start, end] = pending[0] ?? [0, 0];
    const tiles = Math.max(1, Math.floor(stretchUs / TILE_US));
    const startUs = Math.floor(start / TILE_US) * TILE_US;
    const endUs = Math.min(Math.ceil(end / TILE_US) * TILE_US, startUs + tiles * TILE_US);
    const span = { fromUs: Math.max(firstUs, startUs), toUs: Math.min(doneUs, endUs) };
    const found = await unlessStopped(() => look(progress, span, options));
    if (!found) return;
    const { memory } = progress;
    progress.memory = {
      ...memory,
      tiles: keep(memory.tiles, { ...span, isNew: false }, found.tiles),
      pending: withPending([], [[endUs, end], ...pending.slice(1)], { fromUs: firstUs, toUs: doneUs }),
    };
  }
}

/** So many looks at single rows a step; the others have their turn at the next one. */
const SECOND_LOOKS_MAX = 64;
/** Rows that lie so close together are looked at together. */
const NEAR_US = TILE_US / 32;

/** Looks again at what is open: rows whose time has come, then crowds that do not count yet. */
export async function lookAgain(progress: Progress, options: LookOptions & { readonly budget: Budget }): Promise<void> {
  const { budget, nowUs, recheckUs, sides } = options;
  const { rows } = progress.memory.open;
  const due = rows.filter(({ difference, isCounted }) => isCounted || nowUs - difference.foundUs >= recheckUs);
  const groups = Map.groupBy(due, ({ difference: { atUs } }) => Math.floor(atUs / NEAR_US));
  const waiting = (group: typeof due) => Number(group.every(({ isCounted }) => isCounted));
  for (const group of [...groups.values()].sort((a, b) => waiting(a) - waiting(b)).slice(0, SECOND_LOOKS_MAX)) {
    if (budget.rows <= 0 || budget.signal.aborted) return;
    const times = group.map(({ difference }) => difference.atUs);
    const { precisionUs } = sides.limits;
    const span = {
      fromUs: Math.floor(Math.min(...times) / precisionUs) * precisionUs,
      toUs: (Math.floor(Math.max(...times) / precisionUs) + 1) * precisionUs,
      entityIds: [...new Set(group.map(({ difference }) => difference.entityId))],
    };
    if (!(await unlessStopped(() => look(progress, span, options)))) return;
  }
  await lookAtCrowds(progress, options, (crowd) => !crowd.isCounted && nowUs - crowd.foundUs >= recheckUs);
}

/** Looks at crowds again, those first that were not looked at for the longest time; each piece by piece to its end, or most of a wide one would have to wait for as many steps as it has pieces. */
export async function lookAtCrowds(
  progress: Progress,
  options: LookOptions & { readonly budget: Budget },
  isWanted: (crowd: Crowd) => boolean,
): Promise<void> {
  const { budget, splitUs = 0 } = options;
  for (const crowd of progress.memory.open.crowds.filter(isWanted).sort((a, b) => a.lookedUs - b.lookedUs)) {
    for (let { fromUs } = crowd; fromUs < crowd.toUs; ) {
      if (budget.rows <= 0 || budget.signal.aborted) return;
      const endUs = splitUs > fromUs ? Math.min(crowd.toUs, splitUs) : crowd.toUs;
      const toUs = Math.min(endUs, fromUs + Math.max(progress.memory.stretchUs, TILE_US));
      const span = { fromUs, toUs };
      if (!(await unlessStopped(() => look(progress, span, options)))) return;
      fromUs = toUs;
    }
  }
}

async function unlessStopped<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof Stopped) return undefined;
    throw thrown;
  }
}

/** True while nothing waits: everything up to `untilUs` was compared, nothing is to be read again. */
export const isSettled = ({ memory }: Progress, untilUs: Microseconds): boolean =>
  memory.doneUs >= untilUs && memory.pending.length === 0 && countOpen(memory.open).waiting === 0;
