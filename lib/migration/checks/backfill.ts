import { isHearthlineError, messageOf } from "../../base/errors.ts";
import type { Check, CheckContext, CheckOutcome, CheckResult } from "../ports.ts";
import { type BackfillMemory, readMemory } from "./backfill-memory.ts";
import type { BackfillOptions } from "./backfill-options.ts";
import { type Lane, type Slice, sendSlice } from "./backfill-slice.ts";

const NAME = "backfill";
const ROWS_PER_STEP = 500_000;
const MS_PER_STEP = 60_000;
const LOOK_MS = 500;
/** So often a step looks whether the queue is empty, once all is sent. */
const LOOKS = 10;
/** Numbers of so many homes go on from step to step; of others each step begins a relay of its own. */
const LANES_MAX = 100;

/**
 * `backfill`: OLD's past goes into NEW on the way of every import, from the plan's beginning (or OLD's oldest row) to the moment at which the state began: by then both had been written for a while, and what is brought
 * twice changes nothing, because a live event outranks an import of the same key.
 *
 * It goes on where the last committed step ended. What a step has sent that did not commit is sent again, under another relay's name: OLD may answer otherwise the second time, and no number ever has two
 * contents. A process that stays alive keeps counting under one name, so the ledger has one row for it and not one a step.
 */
export function createBackfillCheck(options: BackfillOptions): Check {
  const lanes = new Map<string, Lane>();
  return {
    name: NAME,
    states: new Set(["backfill"]),
    async run(context) {
      const { homeId } = context.migration;
      const lane = lanes.get(homeId) ?? { relayId: options.newRelayId(), sequence: 0 };
      // Of two steps at once only one has it.
      lanes.delete(homeId);
      const { outcome, lane: after } = await step(context, options, lane);
      if (after && lanes.size < LANES_MAX) lanes.set(homeId, after);
      return outcome;
    },
  };
}

interface Stepped {
  readonly outcome: CheckOutcome;
  /** undefined: nobody knows which of its numbers were taken. */
  readonly lane: Lane | undefined;
}

async function step(context: CheckContext, options: BackfillOptions, lane: Lane): Promise<Stepped> {
  const { migration } = context;
  const before = readMemory(context.memory, migration.sinceUs);
  if (before.isSent) return { outcome: await settle(before, context, options), lane };
  const waits = await unsettledWords(before, context, options);
  if (waits !== undefined)
    return { outcome: { results: [{ ...progress(before), verdict: "inconclusive", explanation: waits }] }, lane };
  const slice = await sendSlice(before, lane, {
    ...options,
    ...{ migration, signal: context.signal },
    rowsMax: options.rowsPerStep ?? ROWS_PER_STEP,
    msMax: options.msPerStep ?? MS_PER_STEP,
  });
  const { memory, thrown } = slice;
  if (memory.isSent) return { outcome: await settle(memory, context, options), lane: slice.lane };
  const result = thrown === undefined ? underWay(slice) : brokenOff(memory, thrown);
  return { outcome: { results: [result], memory }, lane: slice.lane };
}

/** Of an OLD with cut stamps: what NEW hears itself must be there before the same comes over, or the two would not be known as one. */
async function unsettledWords(
  { toUs }: BackfillMemory,
  { migration: { homeId, plan }, nowUs }: CheckContext,
  { settledUs }: BackfillOptions,
): Promise<string | undefined> {
  if ((plan.old.precision ?? "us") === "us" || !settledUs) return undefined;
  const until = `NEW has everything of its own up to ${new Date(toUs / 1000).toISOString()}, so that what comes over is known for the same`;
  if (nowUs < toUs + plan.settleSeconds * 1e6) return `OLD's past is brought over once ${until}.`;
  const heardUs = await settledUs(homeId);
  return heardUs === undefined || heardUs >= toUs
    ? undefined
    : `OLD's past is brought over once ${until}; its relay has sent what it heard up to ${new Date(heardUs / 1000).toISOString()}.`;
}

/** All is sent: it is done when nothing waits any more and NEW has the last row. */
async function settle(memory: BackfillMemory, context: CheckContext, options: BackfillOptions): Promise<CheckOutcome> {
  const { sink, clock, isInNew } = options;
  const { homeId } = context.migration;
  let waiting = 0;
  for (let look = 0; look < LOOKS && !context.signal.aborted; look++) {
    if (look > 0) await clock.sleep(LOOK_MS, context.signal);
    try {
      waiting = await sink.waiting();
      if (waiting === 0 && (memory.last === undefined || (await isInNew(homeId, memory.last))))
        return { results: [done(memory)], memory };
    } catch (thrown) {
      return { results: [brokenOff(memory, thrown)], memory };
    }
  }
  const lacks = waiting > 0 ? `${waiting} messages wait in front of the store` : "NEW has not got the last row yet";
  const explanation = `All of OLD's past is sent (${rowsIn(memory)}); ${lacks}.`;
  return { results: [{ ...progress(memory), verdict: "inconclusive", explanation }], memory };
}

const progress = ({ fraction, isSent, sent, rejected }: BackfillMemory) => ({
  name: NAME,
  observed: isSent ? 100 : Math.min(99, Math.floor(fraction * 100)),
  limit: 100,
  sampleSize: sent,
  ...(rejected > 0 && { isAlert: true }),
});

const rowsIn = ({ sent, rejected, why }: BackfillMemory): string =>
  `${sent} rows${rejected > 0 ? `, ${rejected} that are no events and were left out, the first because: ${why}` : ""}`;

const done = (memory: BackfillMemory): CheckResult => ({
  ...progress(memory),
  verdict: "pass",
  explanation: `OLD's past is in NEW: ${rowsIn(memory)}.`,
});

function underWay({ memory, waiting }: Slice): CheckResult {
  const held = waiting === undefined ? "" : `; it waits, because ${waiting} messages lie in front of the store`;
  const shown = progress(memory);
  const explanation = `${shown.observed} percent of OLD's past is sent: ${rowsIn(memory)}${held}.`;
  return { ...shown, verdict: "inconclusive", explanation };
}

function brokenOff(memory: BackfillMemory, thrown: unknown): CheckResult {
  const shown = progress(memory);
  const explanation = `${shown.observed} percent of OLD's past is sent (${rowsIn(memory)}) and the next step goes on there; this one was broken off: ${messageOf(thrown)}`;
  const needsPerson = isHearthlineError(thrown) && thrown.fate !== "retry";
  return { ...shown, verdict: "inconclusive", explanation, ...(needsPerson && { isAlert: true }) };
}
