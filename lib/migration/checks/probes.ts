import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import type { DeviceIndex } from "../../devices/ports.ts";
import type { EventStore } from "../../store/ports.ts";
import type { Check, CheckContext, CheckOutcome, MigrationStore, OldSystem, ReadPair, State } from "../ports.ts";
import { type Asked, pairOf, timed } from "../reads/asking.ts";
import { otherOf, type Side } from "../reads/authority.ts";
import { isEqualAtLast } from "../reads/second-look.ts";
import { type Sides, sidesOf } from "../reads/sides.ts";
import { drawn, KINDS, type Mix } from "./probe-mix.ts";

export interface ProbeParts {
  readonly old: OldSystem;
  readonly events: EventStore;
  /** Knows entities that have been quiet lately, too. */
  readonly index?: Pick<DeviceIndex, "seen">;
  readonly store: Pick<MigrationStore, "addPairs" | "pairs">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Pick<Logger, "info">;
}

const STATES: ReadonlySet<State> = new Set(["shadow", "ramp", "stabilise", "final_validation"]);
/** What a killed step has measured so far is not lost. */
const PAIRS_A_WRITE = 25;
/** Events in which entities are looked for. */
const RECENT_EVENTS = 1_000;
const DAY_US = 86_400_000_000;

/**
 * Asks both sides the same reads, one after the other in random order, so that neither always finds warm caches; the first pair of each kind is discarded. These pairs compare times fairly, which
 * those of users' reads do not: there the authority is always first.
 *
 * A step that is killed and run again measures only what is missing: its pairs lie behind the last one of the last commit, and are found again.
 */
export function createProbes(parts: ProbeParts): Check {
  return { name: "probes", states: STATES, run: (context) => run(parts, context) };
}

async function run(parts: ProbeParts, context: CheckContext): Promise<CheckOutcome> {
  const { migration, memory } = context;
  const { homeId, id, plan } = migration;
  const behindUs = lastOf(memory) ?? migration.createdUs;
  const there = (await parts.store.pairs(homeId, id, behindUs)).filter(({ by }) => by === "probe");
  const wanted = plan.probesPerStep - there.length;
  const mix = await mixOf(parts, context);
  const measured =
    mix && wanted > 0 ? await measure(parts, { context, mix, wanted, behindUs: there.at(-1)?.atUs }) : [];
  const all = [...there, ...measured];
  const lastUs = all.at(-1)?.atUs ?? behindUs;
  const observed = all.length;
  const failed = all.filter(({ oldError, newError }) => oldError !== undefined || newError !== undefined).length;
  const isEnough = observed >= plan.probesPerStep;
  return {
    memory: { lastUs },
    results: [
      {
        name: "probes",
        verdict: isEnough ? "pass" : "inconclusive",
        observed,
        limit: plan.probesPerStep,
        sampleSize: observed,
        ...(!isEnough && { samplesWanted: plan.probesPerStep - observed }),
        explanation: mix
          ? `${observed} of ${plan.probesPerStep} reads were asked of both sides; ${failed} of them had no answer from one of the two.`
          : `The home has no events of the last day that have settled (${plan.settleSeconds} s): there is nothing to read.`,
      },
    ],
  };
}

/** undefined: nothing has been kept, or by another version. */
const lastOf = (memory: unknown): number | undefined => {
  const lastUs = typeof memory === "object" && memory !== null && "lastUs" in memory ? memory.lastUs : undefined;
  return typeof lastUs === "number" ? lastUs : undefined;
};

/** What there is to read; undefined: nothing. */
async function mixOf({ events, index }: ProbeParts, { migration, nowUs }: CheckContext): Promise<Mix | undefined> {
  const { homeId, plan } = migration;
  const toUs = nowUs - plan.settleSeconds * 1_000_000;
  const span = { homeId, fromUs: toUs - DAY_US, toUs };
  const recent = await events.range({ ...span, order: "desc", limit: RECENT_EVENTS });
  const seen = index ? await index.seen(homeId) : new Map<string, { readonly atUs: number }>();
  const quiet = [...seen].filter(([, { atUs }]) => atUs >= span.fromUs && atUs < toUs).map(([entityId]) => entityId);
  const entityIds = [...new Set([...recent.events.map(({ entityId }) => entityId), ...quiet])];
  return entityIds.length === 0 ? undefined : { homeId, entityIds, toUs };
}

interface Measuring {
  readonly context: CheckContext;
  readonly mix: Mix;
  readonly wanted: number;
  /** Of the newest pair that is there: the next one is later. */
  readonly behindUs: number | undefined;
}

async function measure(parts: ProbeParts, { context, mix, wanted, behindUs = 0 }: Measuring): Promise<ReadPair[]> {
  const { clock, random, store, log } = parts;
  const { migration, signal } = context;
  const sides = await sidesOf(parts.events, () => parts.old, signal);
  const all: ReadPair[] = [];
  let unwritten: ReadPair[] = [];
  let atUs = behindUs;
  const write = async () => {
    if (unwritten.length > 0) await store.addPairs(migration.homeId, migration.id, unwritten);
    unwritten = [];
  };
  for (const kind of KINDS) {
    if (signal.aborted) break;
    await probe(drawn(kind, mix, random), { parts, sides, settledUs: mix.toUs });
  }
  while (all.length < wanted && !signal.aborted) {
    const pair = await probe(drawn(undefined, mix, random), { parts, sides, settledUs: mix.toUs });
    // A time-out of the step is nobody's failure.
    if (signal.aborted) break;
    atUs = Math.max(atUs + 1, clock.nowMs() * 1000);
    const timely = { ...pair, atUs };
    all.push(timely);
    unwritten.push(timely);
    if (unwritten.length >= PAIRS_A_WRITE) await write();
  }
  await write();
  log.info("reads were asked of both sides", { homeId: migration.homeId, migration: migration.id, pairs: all.length });
  return all;
}

async function probe(
  asked: Asked<unknown>,
  { parts, sides, settledUs }: { readonly parts: ProbeParts; readonly sides: Sides; readonly settledUs: number },
): Promise<ReadPair> {
  const { clock, random } = parts;
  const ask = (side: Side) => timed(clock, () => asked.ask(sides[side]));
  const side: Side = random() < 0.5 ? "old" : "new";
  const first = await ask(side);
  const second = await ask(otherOf(side));
  const seen = side === "old" ? { old: first, new: second } : { old: second, new: first };
  const isEqual = await isEqualAtLast(seen, { asked, sides, settledUs, ask });
  const rows = Math.max(...[first, second].map((given) => ("error" in given ? 0 : asked.rowsOf(given.answer))));
  const atUs = clock.nowMs() * 1000;
  return pairOf({ atUs, by: "probe", query: asked.query, rows, ...seen, ...(isEqual !== undefined && { isEqual }) });
}
