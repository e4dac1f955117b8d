import * as z from "zod";
import type { Microseconds } from "../../base/time.ts";
import { CLOUD_SINK } from "../../event/index.ts";
import { isCanary } from "../canary-entity.ts";
import type { Check, CheckContext, CheckOutcome, CheckResult, OldSystem, State } from "../ports.ts";
import { liveRelay, OLD_SINK, type RelayStatuses, type SinkTurner, sinkOf } from "./dual-write.ts";
import { type BothSides, newestByEntity } from "./newest.ts";
import { failed, passed, secondsText, undecided } from "./results.ts";

export interface CleanupDeps {
  readonly relays: RelayStatuses;
  readonly sinks: SinkTurner;
  readonly store: BothSides["store"];
  readonly old: Pick<OldSystem, "scan" | "name" | "kind">;
}

const STATES: ReadonlySet<State> = new Set(["cleanup"]);
const ASKED_MAX = 5;
/** With one sink the relay says at least so often that it is alive. */
const STATUS_SECONDS = 300;
/** Among so many of NEW's newest there is one that came through the relay. */
const NEWEST_MAX = 50;

const memorySchema = z.object({
  /** Of the item that asks the relay. */
  itemId: z.string().optional(),
  asked: z.number().default(0),
  /** Since when OLD gets nothing any more; what NEW had taken then. */
  stoppedUs: z.number().optional(),
  atStop: z.number().optional(),
  /** Fed by Home Assistant: OLD's newest row, and since when it stands still. */
  newestUs: z.number().optional(),
  standsSinceUs: z.number().optional(),
});
type Memory = z.infer<typeof memorySchema>;

/**
 * `cleanup`: dual write is stopped, by the relay or, where Home Assistant feeds OLD, by a person; then it is looked whether NEW takes everything on as before. Comes after the gate: nothing is taken back from here on.
 */
export const createCleanupCheck = (deps: CleanupDeps): Check => ({
  name: "cleanup",
  states: STATES,
  async run(context): Promise<CheckOutcome> {
    const known = memorySchema.safeParse(context.memory).data ?? { asked: 0 };
    const isByRelay = context.migration.plan.old.fedBy === "relay";
    const stop = isByRelay ? await stopRelay(known, context, deps) : await awaitPerson(known, context, deps);
    if (stop.result) return { results: [stop.result], memory: stop.memory };
    return noticed(stop.memory, context, deps);
  },
});

interface Stop {
  readonly memory: Memory;
  /** Absent: OLD gets nothing any more. */
  readonly result?: CheckResult;
}

async function stopRelay(memory: Memory, context: CheckContext, { relays, sinks }: CleanupDeps): Promise<Stop> {
  if (memory.stoppedUs !== undefined) return { memory };
  const { homeId } = context.migration;
  const status = liveRelay(await relays.of(homeId));
  const old = sinkOf(status, OLD_SINK);
  // A relay that says its sinks and has none of that name writes to OLD no more, whoever has seen to it.
  if (status?.sinks && (!old || old.isOff)) return { memory: { ...memory, stoppedUs: context.nowUs } };
  const outcome = memory.itemId === undefined ? undefined : await sinks.outcome(homeId, memory.itemId);
  const waits = (words: string): CheckResult => undecided("cleanup", words);
  if (outcome?.status === "pending")
    return { memory, result: waits("The relay is asked to stop dual write and has not looked yet.") };
  if (outcome?.status === "delivered")
    return { memory, result: waits("The relay has stopped dual write; its status that says so is on its way.") };
  if (memory.asked >= ASKED_MAX)
    return {
      memory: { ...memory, asked: 0 },
      result: failed(
        "cleanup",
        `The relay was asked ${memory.asked} times to stop dual write and did not${outcome?.error ? `: ${outcome.error}` : ""}. Set HEARTHLINE_OLD_SINK=none in its settings and start it again.`,
        { isAlert: true },
      ),
    };
  const { itemId } = await sinks.turn(homeId, "off");
  const again = outcome === undefined ? "" : ` again (the last time: ${outcome.error ?? outcome.status})`;
  return {
    memory: { ...memory, itemId, asked: memory.asked + 1 },
    result: waits(`The relay is asked${again} to stop dual write.`),
  };
}

async function awaitPerson(
  memory: Memory,
  { migration, nowUs }: CheckContext,
  { old, store }: CleanupDeps,
): Promise<Stop> {
  if (memory.stoppedUs !== undefined) return { memory };
  const { plan, homeId, sinceUs } = migration;
  const lagUs = plan.thresholds.lagSeconds * 1e6;
  const before = memory.newestUs ?? sinceUs;
  const rows = await newestByEntity(old, before, nowUs + lagUs).catch(() => new Map<string, Microseconds>());
  // An OLD that was switched off stands still as well.
  const newestUs = [...rows.values()].reduce((latest, atUs) => Math.max(latest, atUs), before);
  const stands = newestUs === memory.newestUs ? (memory.standsSinceUs ?? nowUs) : nowUs;
  const next = { ...memory, newestUs, standsSinceUs: stands };
  const { events } = await store.range({ homeId, order: "desc", limit: 1 });
  // A home in which nothing happens writes nothing either: NEW must have gone on meanwhile.
  const hasGoneOn = (events[0]?.atUs ?? 0) > newestUs;
  if (hasGoneOn && nowUs - stands >= lagUs) return { memory: { ...next, stoppedUs: nowUs } };
  const what =
    old.kind === "influxdb"
      ? 'Remove the integration "influxdb" from Home Assistant (its entry under Settings, Devices & services, or the block `influxdb:` in configuration.yaml; then restart Home Assistant)'
      : "Remove from Home Assistant what sends events to OLD (its integration, or the rest_command and the automation that calls it)";
  const words = `${what}. OLD's newest row is of ${new Date(newestUs / 1000).toISOString()} and stands still for ${secondsText((nowUs - stands) / 1e6)} of ${secondsText(plan.thresholds.lagSeconds)}.`;
  return { memory: next, result: undecided("cleanup", words, { isAlert: true }) };
}

/** Nothing notices: NEW has taken more since then, and its relay is not behind. */
async function noticed(memory: Memory, { migration, nowUs }: CheckContext, deps: CleanupDeps): Promise<CheckOutcome> {
  const { plan, homeId } = migration;
  const status = liveRelay(await deps.relays.of(homeId));
  const cloud = sinkOf(status, CLOUD_SINK);
  const stoppedUs = memory.stoppedUs ?? nowUs;
  const next = { ...memory, stoppedUs, atStop: memory.atStop ?? cloud?.acknowledged ?? 0 };
  const seconds = (nowUs - stoppedUs) / 1e6;
  const isNews = status !== undefined && Date.parse(status.at) * 1000 > stoppedUs;
  const stopped = `Dual write is stopped for ${secondsText(seconds)}`;
  // With one sink the relay speaks rarely; what has come since says as much.
  const newestUs = seconds < plan.settleSeconds || isNews ? 0 : await newestOfNew(homeId, deps);
  if (seconds < plan.settleSeconds)
    return { results: [undecided("cleanup", `${stopped}; it is watched whether anything notices.`)], memory: next };
  if (!(isNews || newestUs > stoppedUs)) {
    const waits = `it waits for an event, or for the relay's next status, which comes every ${STATUS_SECONDS / 60} minutes. Nothing depends on that: NEW answers all and OLD gets nothing any more`;
    return { results: [undecided("cleanup", `${stopped}; ${waits}.`)], memory: next };
  }
  const lag = cloud?.lagSeconds ?? 0;
  if (lag > plan.thresholds.lagSeconds)
    return {
      results: [failed("cleanup", `${stopped}, and NEW is ${secondsText(lag)} behind.`, { isAlert: true })],
      memory: next,
    };
  const more = (cloud?.acknowledged ?? 0) - next.atStop;
  const goesOn = isNews
    ? `NEW has taken ${more} records since and is ${secondsText(lag)} behind`
    : `NEW has an event of ${new Date(newestUs / 1000).toISOString()}, so it goes on`;
  return {
    results: [passed("cleanup", `${stopped}; ${goesOn}: nothing has noticed. ${deps.old.name} can be switched off.`)],
    memory: next,
  };
}

/** Of the home, not of ours: canaries come past the relay. */
async function newestOfNew(homeId: string, { store }: Pick<CleanupDeps, "store">): Promise<Microseconds> {
  const { events } = await store.range({ homeId, order: "desc", limit: NEWEST_MAX });
  return events.find(({ entityId, source }) => !isCanary(entityId) && source === "live")?.atUs ?? 0;
}
