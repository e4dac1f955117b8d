import * as z from "zod";
import type { Clock } from "../../base/clock.ts";
import type { RelayStatus, SinkStatus } from "../../devices/ports.ts";
import { CLOUD_SINK } from "../../event/index.ts";
import type { EventStore } from "../../store/ports.ts";
import type { Check, CheckContext, CheckOutcome, CheckResult, OldSystem, Plan, State } from "../ports.ts";
import { newestOfBoth } from "./newest.ts";
import { failed, passed, secondsText, undecided } from "./results.ts";

/** The name of the relay's sink that feeds OLD. */
export const OLD_SINK = "old";

/** What the relays of a home say of themselves; a home that was moved has one more that says nothing any more. @throws fate-`retry` service errors */
export interface RelayStatuses {
  of(homeId: string): Promise<readonly RelayStatus[]>;
}

/** What is asked of the relay, through its outbox. */
export interface SinkTurner {
  /** While the same waits already, nothing is added. @throws `outbox_full`, fate-`retry` service errors */
  turn(homeId: string, state: "on" | "off"): Promise<{ readonly itemId: string }>;
  /** What has become of it; undefined: it is forgotten. */
  outcome(homeId: string, itemId: string): Promise<{ readonly status: string; readonly error?: string } | undefined>;
}

export interface DualWriteDeps {
  readonly relays: RelayStatuses;
  readonly sinks: Pick<SinkTurner, "turn">;
  readonly store: Pick<EventStore, "range">;
  readonly old: Pick<OldSystem, "scan" | "range" | "limits">;
  readonly clock: Pick<Clock, "nowMs">;
}

const STATES: ReadonlySet<State> = new Set([
  ...(["dual_write", "backfill", "shadow", "ramp"] as const),
  ...(["stabilise", "final_validation", "rampdown"] as const),
]);

/** A relay of which nothing was heard for longer says nothing of now: it speaks every minute while it has two sinks, and its messages wait for their flush. */
const STATUS_OLD_SECONDS = 420;

const memorySchema = z.object({
  lost: z.record(z.string(), z.number()).default({}),
  /** Since when one of the sinks has taken nothing. */
  refusingSinceUs: z.number().optional(),
});

/**
 * `dual-write`: both pipelines take everything. Fed by the relay: the lag of each of its sinks; fed by Home Assistant: the newest rows of both sides. A lag holds; NEW that stays behind OLD is a part that is down.
 */
export const createDualWriteCheck = (deps: DualWriteDeps): Check => ({
  name: "dual-write",
  states: STATES,
  run: (context) =>
    context.migration.plan.old.fedBy === "relay" ? byRelay(context, deps) : byHomeAssistant(context, deps),
});

/** The relay that lives: of several the one that spoke last. */
export const liveRelay = (statuses: readonly RelayStatus[]): RelayStatus | undefined =>
  statuses.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at))[0];

/** How far OLD is behind now, by the last word of the relay, which may be minutes old: what has come since then may not have reached OLD. */
export function oldLagSecondsNow(statuses: readonly RelayStatus[], nowMs: number): number | undefined {
  const status = liveRelay(statuses);
  const old = sinkOf(status, OLD_SINK);
  return status && old && old.lagSeconds + Math.max(0, (nowMs - Date.parse(status.at)) / 1000);
}

export const sinkOf = (status: RelayStatus | undefined, name: string): SinkStatus | undefined =>
  status?.sinks?.find((sink) => sink.name === name);

/** Why a sink takes nothing; undefined: it does. */
export function refusalOf({ acknowledged, messages, breaker, lost }: SinkStatus): string | undefined {
  if (breaker !== "closed") return `its breaker is ${breaker}`;
  if (acknowledged === 0) return "it has never taken anything";
  return messages === 0 && lost > 0 ? `it has refused all that it was given, ${lost} events` : undefined;
}

async function byRelay({ migration, memory }: CheckContext, deps: DualWriteDeps): Promise<CheckOutcome> {
  const { plan, homeId } = migration;
  const before = memorySchema.safeParse(memory).data ?? { lost: {} };
  const status = liveRelay(await deps.relays.of(homeId));
  if (!status) return { results: [undecided("dual-write", "No relay of this home has said anything yet.")] };
  const [cloud, old] = [sinkOf(status, CLOUD_SINK), sinkOf(status, OLD_SINK)];
  const ageSeconds = Math.max(0, (deps.clock.nowMs() - Date.parse(status.at)) / 1000);
  if (ageSeconds > Math.max(STATUS_OLD_SECONDS, plan.thresholds.lagSeconds))
    return { results: [undecided("dual-write", `The relay has said nothing for ${secondsText(ageSeconds)}.`)] };
  if (!cloud || !old)
    return {
      results: [
        failed(
          "dual-write",
          `The relay does not write to OLD: it has ${status.sinks?.map(({ name }) => `"${name}"`).join(", ") ?? "never said to which sinks it writes"}. Wanted are HEARTHLINE_OLD_SINK and HEARTHLINE_OLD_URL in its settings, or a plan that OLD is fed by "home-assistant".`,
          { isAlert: true },
        ),
      ],
    };
  if (old.isOff) {
    await deps.sinks.turn(homeId, "on");
    return {
      results: [
        undecided("dual-write", "An earlier migration has stopped dual write; the relay is asked to begin again."),
      ],
    };
  }
  // Counts begin anew with the relay: what is less than before is all new.
  const known = before.lost[status.relayId] ?? old.lost;
  const lost = old.lost < known ? old.lost : old.lost - known;
  const nowUs = deps.clock.nowMs() * 1000;
  const isRefusing = [cloud, old].some((sink) => refusalOf(sink) !== undefined);
  const refusingSinceUs = isRefusing ? (before.refusingSinceUs ?? nowUs) : undefined;
  const refusingSeconds = isRefusing ? (nowUs - (refusingSinceUs ?? nowUs)) / 1e6 : undefined;
  return {
    results: [inStep({ plan, cloud, old, lost, refusingSeconds })],
    memory: { lost: { [status.relayId]: old.lost }, ...(isRefusing && { refusingSinceUs }) },
  };
}

interface Sinks {
  readonly plan: Plan;
  readonly cloud: SinkStatus;
  readonly old: SinkStatus;
  /** By OLD, since the last look. */
  readonly lost: number;
  /** For how long one of them has taken nothing; absent: both take. */
  readonly refusingSeconds: number | undefined;
}

function inStep({ plan, cloud, old, lost, refusingSeconds }: Sinks): CheckResult {
  const limit = plan.thresholds.lagSeconds;
  const observed = Math.max(cloud.lagSeconds, old.lagSeconds);
  const words = [cloud, old].map((sink) => {
    const refusal = refusalOf(sink);
    const behind = `"${sink.name}" is ${sink.lagRecords} records (${secondsText(sink.lagSeconds)}) behind`;
    return refusal === undefined ? behind : `${behind} and ${refusal}`;
  });
  const refused = lost > 0 ? [`OLD has refused ${lost} events since the last look; that is OLD's loss`] : [];
  const text = `${[...words, ...refused].join("; ")}.`;
  const more = { observed, limit, ...(lost > 0 && { isAlert: true }) };
  // A sink that takes nothing lags by little while it is young.
  const isYoung = refusingSeconds !== undefined && refusingSeconds <= limit;
  if (observed > limit || (refusingSeconds !== undefined && !isYoung))
    return failed("dual-write", text, { ...more, isAlert: true });
  return isYoung ? undecided("dual-write", text, more) : passed("dual-write", text, more);
}

async function byHomeAssistant({ migration }: CheckContext, deps: DualWriteDeps): Promise<CheckOutcome> {
  const { plan, homeId } = migration;
  const limit = plan.thresholds.lagSeconds;
  const nowUs = deps.clock.nowMs() * 1000;
  const { newUs, oldUs, side, seconds } = await newestOfBoth(homeId, deps, { nowUs, lagUs: limit * 1e6 });
  const said = (verdict: typeof passed, words: string, more = {}) => ({
    results: [verdict("dual-write", words, { limit, observed: seconds, ...more })],
  });
  if (newUs === undefined && oldUs === undefined)
    return said(undecided, "Neither side has a row of the last time that the other could hold: nothing happens there.");
  const words = `NEW's newest row that OLD can hold is of ${isoOf(newUs)}, OLD's of ${isoOf(oldUs)}`;
  if (side === "together") return said(passed, `${words}: ${secondsText(seconds)} apart.`);
  // What has just come the other may still be writing.
  if (nowUs - Math.max(newUs ?? 0, oldUs ?? 0) < limit * 1e6)
    return said(undecided, `${words}, and may be on its way.`);
  return side === "old-behind"
    ? said(failed, `OLD is not fed any more: ${words}.`, { isAlert: true })
    : said(failed, `NEW is behind OLD: ${words}.`, { isAlert: true, trigger: "part-down" });
}

const isoOf = (atUs: number | undefined): string =>
  atUs === undefined ? "no time" : new Date(atUs / 1000).toISOString();
