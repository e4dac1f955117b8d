import type { Clock } from "../../base/clock.ts";
import { CLOUD_SINK } from "../../event/index.ts";
import type { EventStore } from "../../store/ports.ts";
import type { Check, CheckContext, CheckOutcome, CheckResult, OldSystem, State } from "../ports.ts";
import { liveRelay, OLD_SINK, type RelayStatuses, refusalOf, sinkOf } from "./dual-write.ts";
import { catchUp, type HandoverMemory, memorySchema, PASSES_MAX, shareOf, walk } from "./handover-walk.ts";
import { type Probed, probe } from "./probe-old.ts";
import { failed, passed, someOf, undecided } from "./results.ts";

export interface HandoverDeps {
  readonly store: Pick<EventStore, "scan" | "range">;
  readonly old: Pick<OldSystem, "scan" | "range" | "write" | "describe" | "limits" | "name">;
  readonly relays: RelayStatuses;
  readonly clock: Pick<Clock, "nowMs" | "monotonicMs" | "sleep">;
}

/** In `shadow` it only measures how fast OLD answers, so that it can be said afterwards whether it does so again. */
const STATES: ReadonlySet<State> = new Set(["shadow", "rolling_back"]);

/** After so many looks OLD's slowness is told and no longer waited for: it is OLD's own, and readers are there already. */
const SLOW_LOOKS_MAX = 5;
type Memory = HandoverMemory;

/**
 * `handover`: after a rollback OLD has everything that NEW got meanwhile. Fed by the relay: its cursor has passed what NEW had; then, and in any case, what NEW has since the migration began is looked up in OLD, slice by
 * slice over as many steps as that takes, and what is lacking is written; a second look finds nothing. Then OLD answers as fast as it did before. It ends whenever OLD can be read: what OLD refuses, or takes
 * again and again without keeping it, is named and no longer waited for.
 */
export const createHandoverCheck = (deps: HandoverDeps): Check => ({
  name: "handover",
  states: STATES,
  run: (context) => {
    const known = memorySchema.safeParse(context.memory).data ?? memorySchema.parse({});
    return context.migration.state === "shadow" ? measure(known, context, deps) : handOver(known, context, deps);
  },
});

async function measure(known: Memory, context: CheckContext, deps: HandoverDeps): Promise<CheckOutcome> {
  if (known.baseline) return { results: [] };
  const baseline = await probe(context, deps);
  return { results: [], ...(baseline && { memory: { ...known, baseline } }) };
}

async function handOver(known: Memory, context: CheckContext, deps: HandoverDeps): Promise<CheckOutcome> {
  const { migration } = context;
  const begun: Memory =
    known.epoch === migration.epoch
      ? known
      : memorySchema.parse({ baseline: known.baseline, epoch: migration.epoch, untilUs: migration.sinceUs });
  const drained = migration.plan.old.fedBy === "relay" ? await drain(begun, context, deps) : { memory: begun };
  if (drained.waits) return { results: [undecided("handover", drained.waits)], memory: drained.memory };
  const memory = drained.memory.isHanded ? drained.memory : await walk(drained.memory, context, deps);
  if (!memory.isHanded) return { results: [progressOf(memory, context)], memory };
  return validate(await catchUp(memory, context, deps), context, deps);
}

/** Until OLD's sink has passed what NEW had. A relay that is gone or has no such sink leaves it to the reading. */
async function drain(
  memory: Memory,
  { migration, nowUs }: CheckContext,
  { relays }: HandoverDeps,
): Promise<{ readonly memory: Memory; readonly waits?: string }> {
  const status = liveRelay(await relays.of(migration.homeId));
  const [old, cloud] = [sinkOf(status, OLD_SINK), sinkOf(status, CLOUD_SINK)];
  if (!status || !old || old.isOff) return { memory };
  const begun = memory.target ?? {
    relayId: status.relayId,
    sequence: Math.max(cloud?.acknowledged ?? 0, status.sequence ?? 0),
  };
  const isMoving = old.acknowledged !== begun.acknowledged;
  const movedUs = isMoving ? nowUs : (begun.movedUs ?? nowUs);
  const target = { ...begun, acknowledged: old.acknowledged, movedUs };
  const next = { ...memory, target };
  const isPassed = target.relayId !== status.relayId || old.acknowledged >= target.sequence;
  const lagUs = migration.plan.thresholds.lagSeconds * 1e6;
  // A spool that does not drain is no reason to wait for ever: reading brings the rest.
  const isStuck = refusalOf(old) !== undefined || nowUs - movedUs > lagUs;
  if (isPassed || isStuck || nowUs - migration.sinceUs > 2 * lagUs) return { memory: next };
  const left = target.sequence - old.acknowledged;
  return {
    memory: next,
    waits: `The relay still has ${left} records for OLD of those that NEW had when the rollback began.`,
  };
}

function progressOf(memory: Memory, { migration, nowUs }: CheckContext): CheckResult {
  const { pass, untilUs = 0, written, failures, failure = "" } = memory;
  const settledUs = untilUs + migration.plan.settleSeconds * 1e6;
  if (nowUs < settledUs)
    return undecided(
      "handover",
      `What NEW got last has ${Math.ceil((settledUs - nowUs) / 1e6)} s to settle before it is handed to OLD.`,
    );
  const share = Math.round(shareOf(memory, migration.createdUs) * 100);
  const why = failures > 0 ? ` OLD can be read and takes nothing, ${failures} times now: ${failure}` : "";
  const words = `Look ${pass} over what NEW got since the migration began: ${share} %; ${written} events that OLD lacked were written.${why}`;
  if (pass <= PASSES_MAX) return undecided("handover", words);
  return failed("handover", `OLD takes what it is given and does not have it afterwards. ${words}`, { isAlert: true });
}

/** Row C12: OLD answers, as fast as before, and lacks nothing. */
async function validate(memory: Memory, context: CheckContext, deps: HandoverDeps): Promise<CheckOutcome> {
  await deps.old.describe();
  const { baseline } = memory;
  const { words: has, isAlert } = await handedWords(memory, context, deps);
  const now = baseline && (await probe(context, deps));
  if (!baseline || !now)
    return { results: [passed("handover", `${has}. How fast it was before was never measured.`, { isAlert })], memory };
  const limit = slowestOf(baseline, context);
  const speed = `its p95 is ${now.p95Ms.toFixed(1)} ms and was ${baseline.p95Ms.toFixed(1)} ms`;
  const more = { observed: now.p95Ms, limit, sampleSize: now.samples, isAlert };
  if (now.p95Ms <= limit) return { results: [passed("handover", `${has}; ${speed}.`, more)], memory };
  const slowLooks = memory.slowLooks + 1;
  const result: CheckResult =
    slowLooks < SLOW_LOOKS_MAX
      ? undecided("handover", `${has}; ${speed}. It is looked at again.`, more)
      : passed("handover", `${has}; but ${speed}, at ${slowLooks} looks: OLD itself has become slower.`, {
          ...more,
          isAlert: true,
        });
  return { results: [result], memory: { ...memory, slowLooks } };
}

/** What was handed over, what OLD does not take, and whether it gets what comes from now on. */
async function handedWords(
  { written, refused, examples, notKept }: Memory,
  { migration }: CheckContext,
  { relays }: HandoverDeps,
): Promise<{ readonly words: string; readonly isAlert?: true }> {
  const isFedByRelay = migration.plan.old.fedBy === "relay";
  const sink = isFedByRelay ? sinkOf(liveRelay(await relays.of(migration.homeId)), OLD_SINK) : undefined;
  const unfed = sink && refusalOf(sink);
  const lacks = [
    ...(refused > 0 ? [`${refused} it cannot hold: ${someOf(examples)}`] : []),
    ...(notKept > 0 ? [`${notKept} it takes again and again and does not have afterwards`] : []),
    ...(unfed === undefined ? [] : [`but the relay does not feed it: ${unfed}`]),
  ];
  const has = notKept + refused > 0 ? "OLD was given everything that NEW got" : "OLD has everything that NEW got";
  const words = `${has} (${[`${written} events were handed over`, ...lacks].join("; ")})`;
  return { words, ...((notKept + refused > 0 || unfed !== undefined) && { isAlert: true as const }) };
}

/** Of a few dozen looks p95 is nearly the slowest; what takes milliseconds is not judged by one. */
const NOISE_MS = 25;
const slowestOf = ({ p95Ms }: Probed, { migration }: CheckContext): number =>
  p95Ms * (1 + migration.plan.thresholds.rollbackPercent / 100) + NOISE_MS;
