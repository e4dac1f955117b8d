import { createHash } from "node:crypto";
import type { Microseconds } from "../base/time.ts";
import { domainOf, isSwitched } from "../event/index.ts";
import type { HaSession, HistoryQuery, LogbookEntry } from "./ports.ts";

/** The members of a context as Home Assistant writes them. */
export interface PastContext {
  readonly id: string;
  readonly parent_id: string | null;
  readonly user_id: string | null;
}

export interface PastMoment {
  readonly entityId: string;
  readonly atUs: Microseconds;
  /** The state is as it was. */
  readonly isAttributes: boolean;
}

export type ContextsOf = (moment: PastMoment) => PastContext | undefined;

const RUNS: ReadonlySet<string> = new Set(["automation", "script"]);

/** Entities whose logbook tells something that their history does not. */
export const isRunEntity = (entityId: string): boolean => RUNS.has(domainOf(entityId));

/** Ids that are made here; Home Assistant's own have no hyphen. Entity ids may be longer than a context's id. */
const MADE = "logbook-";
const DIGITS = 28;
const made = (text: string): string => `${MADE}${createHash("sha256").update(text).digest("hex").slice(0, DIGITS)}`;

/** Changes of one call come one after the other, each so soon after the one before. */
const CALL_GAP_US: Microseconds = 1_000_000;

/**
 * Contexts for rows of a history that has none, by what the logbook says of them; undefined: it says nothing of this row. What one run did has the run's own id.
 * Its parent, which is not told, is a name made of the automation's: whoever reads the context knows by a parent without a user that it was none. What a
 * person did has an id of its own, and changes of one call (a scene, some lamps) have the same.
 */
export function contextsOf(entries: readonly LogbookEntry[]): ContextsOf {
  const states = new Map<string, LogbookEntry>();
  for (const entry of entries) {
    if (entry.state !== undefined) states.set(keyOf(entry), entry);
  }
  const runsOf = Map.groupBy(
    entries.filter(({ state }) => state === undefined).toSorted((a, b) => a.atUs - b.atUs),
    ({ entityId }) => entityId,
  );
  const callOf = callsOf(entries);
  /** The run that was the latest then. */
  const contextOfRun = (entityId: string | undefined, atUs: Microseconds): PastContext | undefined => {
    const id = latest(runsOf.get(entityId ?? "") ?? [], atUs)?.contextId;
    return id === undefined ? undefined : { id, parent_id: made(entityId ?? ""), user_id: null };
  };
  return (moment) => {
    const { entityId, atUs } = moment;
    // An automation writes down that it runs by its attributes; turning it on or off changes its state.
    if (moment.isAttributes) return isRunEntity(entityId) ? contextOfRun(entityId, atUs) : undefined;
    const entry = states.get(keyOf(moment));
    if (!entry) return undefined;
    const id = made(keyOf(callOf.get(entry) ?? entry));
    if (!entry.run) return { id, parent_id: null, user_id: entry.userId ?? null };
    const { entityId: runId } = entry.run;
    return contextOfRun(runId, atUs) ?? { id, parent_id: made(runId ?? ""), user_id: null };
  };
}

/** Of each change that a service was called for, the first change of that call. A context is told of no state, so that the same call soon after is the same. */
function callsOf(entries: readonly LogbookEntry[]): ReadonlyMap<LogbookEntry, LogbookEntry> {
  const firstOf = new Map<LogbookEntry, LogbookEntry>();
  const last = new Map<string, { readonly atUs: Microseconds; readonly first: LogbookEntry }>();
  const called = entries.filter(({ call }) => call !== undefined).toSorted((a, b) => a.atUs - b.atUs);
  for (const entry of called) {
    const who = `${entry.userId ?? ""} ${entry.call}`;
    const before = last.get(who);
    const first = before && entry.atUs - before.atUs <= CALL_GAP_US ? before.first : entry;
    firstOf.set(entry, first);
    last.set(who, { atUs: entry.atUs, first });
  }
  return firstOf;
}

/** Entities in one question. */
const ENTITIES_PER_QUESTION = 100;
/** So long before what is asked for runs are looked for: what they do they may do later. */
const RUN_US: Microseconds = 1_800_000_000;

/**
 * Asks for contexts of what is switched among these entities, in the window; those among them that run (automations, scripts) tell which run it was.
 * undefined: there is no logbook. Errors as `HaSession.getLogbook`.
 */
export async function askContexts(
  session: Pick<HaSession, "getLogbook">,
  { entityIds, fromUs, toUs }: HistoryQuery,
): Promise<ContextsOf | undefined> {
  const asked = entityIds.filter((id) => isRunEntity(id) || isSwitched(id));
  const entries: LogbookEntry[] = [];
  for (let at = 0; at < asked.length; at += ENTITIES_PER_QUESTION) {
    const group = asked.slice(at, at + ENTITIES_PER_QUESTION);
    const answer = await session.getLogbook({ entityIds: group, fromUs: fromUs - RUN_US, toUs });
    if (!answer) return undefined;
    for (const entry of answer) if (entry.state === undefined || entry.atUs >= fromUs) entries.push(entry);
  }
  return contextsOf(entries);
}

/** The last of these, ascending, at or before a moment: an automation may run at every motion. */
function latest(entries: readonly LogbookEntry[], atUs: Microseconds): LogbookEntry | undefined {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.atUs ?? 0) <= atUs) low = middle + 1;
    else high = middle;
  }
  return entries[low - 1];
}

const keyOf = ({ entityId, atUs }: Pick<PastMoment, "entityId" | "atUs">): string => `${entityId} ${atUs}`;
