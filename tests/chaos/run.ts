import type { LedgerRow } from "../../lib/ingest/ports.ts";
import type { Happened } from "../support/recorder.ts";
import { judge, nameOf, type Verdict } from "./judge.ts";
import { isNumbered, startNumbers } from "./numbers.ts";
import type { Rig } from "./rig.ts";
import { type Fault, faultText } from "./schedule.ts";

export interface RunOptions {
  readonly rig: Rig;
  readonly schedule: readonly (readonly Fault[])[];
  /** Numbered changes a second. */
  readonly ratePerSecond: number;
  readonly onNumbers?: (numbers: Awaited<ReturnType<typeof startNumbers>>) => void;
  readonly say: (line: string) => void;
}

export interface Outcome {
  readonly verdict: Verdict;
  readonly roundsDone: number;
  /** Of the lost ones that are named: those that the home's recorder had. */
  readonly lostThoughRecorded: readonly string[];
  readonly longestRecoverySeconds: number;
  readonly redriven: number;
  /** Of each relay (a new spool is a new one). Undefined: its ledger did not become whole. */
  readonly ledgers: readonly { readonly relayId: string; readonly completeUpTo: number | undefined }[];
}

/** How long everything may take to be accounted for once all is whole again. */
const RECOVERY_MS = 60_000;
const LOOK_EVERY_MS = 250;
/** What is missing and named is waited for so long: it may be on its way. */
const NAMED_PATIENCE_MS = 2_000;
const REDRIVE_EVERY_MS = 3_000;
const PAGE = 1_000;

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Round after round: faults, then everything whole again, until each event that had happened is stored or named. Ends early when one is neither. */
export async function runChaos(options: RunOptions): Promise<Outcome> {
  const { rig, schedule, ratePerSecond, say } = options;
  await untilListening(rig);
  const first = await dueNow(rig);
  const numbers = await startNumbers({
    url: `http://127.0.0.1:${rig.home.port()}`,
    token: rig.home.token,
    ratePerSecond,
  });
  options.onNumbers?.(numbers);
  const sinceUs = numbers.confirmed[0]?.atUs ?? 0;
  let longestRecoverySeconds = 0;
  let redriven = 0;
  let roundsDone = 0;
  let dueBefore = first;
  const settle = async () => {
    const startedMs = performance.now();
    const settled = await settleRound(rig, { dueBefore, sinceUs });
    redriven += settled.redriven;
    dueBefore = settled.due;
    const seconds = (performance.now() - startedMs) / 1000;
    longestRecoverySeconds = Math.max(longestRecoverySeconds, seconds);
    return { ...settled, seconds };
  };
  // The relay has seen every entity of the numbers once before anything breaks.
  let isWhole = (await settle()).isSettled;
  for (const [index, round] of isWhole ? schedule.entries() : []) {
    say(`round ${index + 1}/${schedule.length}: ${round.map(faultText).join(", ")}`);
    const startedMs = performance.now();
    for (const fault of round) {
      await sleep(Math.max(0, startedMs + fault.atMs - performance.now()));
      rig.apply(fault);
    }
    await rig.heal();
    const { due, open, isSettled, seconds } = await settle();
    roundsDone = index + 1;
    say(
      `  ${due - first} events so far, ${rig.tap.recovered()} recovered, ${open.length} of this round lost and ${isSettled ? "named" : "NOT ALL NAMED"}, recovery ${seconds.toFixed(1)} s`,
    );
    isWhole = isSettled;
    if (!isWhole) break;
  }
  await numbers.stop();
  if (isWhole) await settle();
  const verdict = await fullVerdict(rig, { sinceUs, first, due: dueBefore });
  const ledgers = await wholeLedgers(rig);
  const lostThoughRecorded = verdict.named.filter((event) => rig.home.isRecorded(event)).map(nameOf);
  return { verdict, roundsDone, lostThoughRecorded, longestRecoverySeconds, redriven, ledgers };
}

interface Settled {
  readonly due: number;
  /** What is not in the store. */
  readonly open: readonly Happened[];
  readonly isSettled: boolean;
  readonly redriven: number;
}

async function settleRound(
  rig: Rig,
  { dueBefore, sinceUs }: { readonly dueBefore: number; readonly sinceUs: number },
): Promise<Settled> {
  await rig.heal();
  const due = await dueNow(rig);
  const untilMs = performance.now() + RECOVERY_MS;
  let redriven = 0;
  let redriveAtMs = performance.now() + REDRIVE_EVERY_MS;
  let namedSince = { count: -1, atMs: 0 };
  for (;;) {
    await rig.heal();
    const open = await notStored(rig, rig.home.truth().slice(dueBefore, due));
    if (open.length === 0) return { due, open, isSettled: true, redriven };
    const { unnamed, acknowledgedAndLost } = judge({ ...evidenceOf(rig, sinceUs), truth: open, stored: [] });
    const nowMs = performance.now();
    const isNamed = unnamed.length === 0 && acknowledgedAndLost.length === 0;
    if (!isNamed || namedSince.count !== open.length) namedSince = { count: isNamed ? open.length : -1, atMs: nowMs };
    if (isNamed && nowMs - namedSince.atMs >= NAMED_PATIENCE_MS && (await isListening(rig)))
      return { due, open, isSettled: true, redriven };
    if (nowMs > untilMs) return { due, open, isSettled: false, redriven };
    if (nowMs > redriveAtMs) {
      redriveAtMs = nowMs + REDRIVE_EVERY_MS;
      redriven += await redrive(rig);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** How many events stand in the home's account up to this moment. */
async function dueNow({ home }: Rig): Promise<number> {
  const mark = home.mark();
  for (;;) {
    const due = home.dueAt(mark);
    if (due !== undefined) return due;
    await sleep(LOOK_EVERY_MS);
  }
}

/** What the queues set aside because its function died on it too often, an operator sends back. */
async function redrive(rig: Rig): Promise<number> {
  let moved = 0;
  for (const name of ["events", "store"]) moved += (await rig.cloud.queues.redrive(name)).moved;
  return moved;
}

/** Home Assistant runs and the relay hears it. */
async function untilListening(rig: Rig): Promise<void> {
  const untilMs = performance.now() + RECOVERY_MS;
  while (!(await isListening(rig))) {
    if (performance.now() > untilMs) throw new Error(`The relay does not listen after ${RECOVERY_MS} ms.`);
    await sleep(LOOK_EVERY_MS);
  }
}

async function isListening(rig: Rig): Promise<boolean> {
  const looks = await rig.relayLooks();
  return looks?.connected === true && looks.ha_state === "RUNNING";
}

const evidenceOf = (rig: Rig, sinceUs: number) => ({
  acknowledged: rig.tap.acknowledged(),
  gaps: rig.tap.gaps,
  losses: rig.tap.losses,
  sinceUs,
  clockOffUs: rig.clock.mostOffMs * 1_000,
  isRecorded: rig.home.isRecorded,
  isNumbered,
});

async function storedBetween(rig: Rig, fromUs: number, toUs: number): Promise<Happened[]> {
  const stored: Happened[] = [];
  for (let after: Awaited<ReturnType<typeof rig.store.range>>["next"]; ; ) {
    const query = { homeId: rig.homeId, fromUs, toUs, order: "asc", limit: PAGE, ...(after && { after }) } as const;
    const { events, next } = await rig.store.range(query);
    for (const { entityId, atUs, state, kind } of events)
      stored.push({ entityId, atUs, state: kind === "removed" ? null : state });
    if (!next) return stored;
    after = next;
  }
}

async function notStored(rig: Rig, events: readonly Happened[]): Promise<Happened[]> {
  if (events.length === 0) return [];
  let [fromUs, toUs] = [Number.POSITIVE_INFINITY, 0];
  for (const { atUs } of events) [fromUs, toUs] = [Math.min(fromUs, atUs), Math.max(toUs, atUs)];
  const present = new Set((await storedBetween(rig, fromUs, toUs + 1)).map(nameOf));
  return events.filter((event) => !present.has(nameOf(event)));
}

interface Span {
  readonly sinceUs: number;
  /** From which event of the home's account on, and up to which. */
  readonly first: number;
  readonly due: number;
}

async function fullVerdict(rig: Rig, { sinceUs, first, due }: Span): Promise<Verdict> {
  // The store first: what happens meanwhile is in the truth, which is read after it.
  const stored = await storedBetween(rig, 0, Number.MAX_SAFE_INTEGER);
  const truth = rig.home.truth().slice(first);
  const verdict = judge({ ...evidenceOf(rig, sinceUs), truth, due: due - first, stored });
  const byName = new Map(stored.map((event) => [nameOf(event), event]));
  const invented = verdict.invented.filter((name) => {
    const event = byName.get(name);
    return !event || !rig.home.mayHaveHappened(event);
  });
  return { ...verdict, invented };
}

/** The ledger must come to say of each relay that nothing is missing. */
async function wholeLedgers(rig: Rig): Promise<Outcome["ledgers"]> {
  const untilMs = performance.now() + RECOVERY_MS / 2;
  for (;;) {
    const rows = await rig.ledger();
    const ledgers = rows.map((row) => ({ relayId: row.relayId, completeUpTo: completeUpTo(row) }));
    const isWhole = ledgers.length > 0 && ledgers.every(({ completeUpTo: upTo }) => upTo !== undefined);
    if (isWhole || performance.now() > untilMs) return ledgers;
    await sleep(LOOK_EVERY_MS);
  }
}

function completeUpTo({ ranges }: LedgerRow): number | undefined {
  const [first, ...others] = ranges;
  return first?.[0] === 1 && others.length === 0 ? first[1] : undefined;
}
