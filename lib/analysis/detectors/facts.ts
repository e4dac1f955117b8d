import { setImmediate as nextTurn } from "node:timers/promises";
import { type Microseconds, parseIsoUs } from "../../base/time.ts";
import { type HomeEvent, hasContext } from "../../event/index.ts";
import { createChanges } from "./facts/changes.ts";
import { occurrencesOf } from "./facts/occurrences.ts";
import { hear, isWorkdaySensor } from "./facts/roles.ts";
import { createRuns, isRunDomain } from "./facts/runs.ts";
import { createSilence } from "./facts/silence.ts";
import { localMinuteOf, weekdayOf } from "./local-time.ts";
import type { DayFacts } from "./types.ts";

/** Which day is read. */
export interface DayInfo {
  readonly homeId: string;
  readonly date: string;
  readonly fromUs: Microseconds;
  /** Not included. */
  readonly toUs: Microseconds;
  /** IANA */
  readonly timeZone: string;
  /** `isWorkdayNext` of the day before, if it is known: a workday sensor tells only changes. */
  readonly isWorkday?: boolean;
}

/** Reads one day's events, in order of time, once. */
export interface DayFactsBuilder {
  add(event: HomeEvent): void;
  finish(): DayFacts;
}

/** Then others get the thread. */
const EVENTS_A_TURN = 1000;
/** Further intervals of a day are not kept: an entity that flaps. */
const MAX_UNAVAILABLE = 20_000;

/** Memory: at most 150,000 changes (about 60 MB) and what is said once of each entity; see DayFacts.muted for what happens beyond. */
export function createDayFacts(info: DayInfo): DayFactsBuilder {
  const runs = createRuns();
  const changes = createChanges();
  const silence = createSilence(info.fromUs, info.toUs);
  const unavailable = createUnavailable(info);
  const surroundings = createSurroundings(info);
  const contexts = { known: 0, unknown: 0 };

  return {
    add(event) {
      // A clock that jumped, or a caller's wrong page: not of this day.
      if (event.atUs < info.fromUs || event.atUs >= info.toUs) return;
      silence.heard(event.atUs);
      if (isRunDomain(event.domain)) return runs.add(event);
      if (event.domain === "sun" || isWorkdaySensor(event.entityId)) return surroundings.add(event);
      if (event.kind === "restore") silence.restored(event.atUs, event.entityId);
      if (event.kind === "attributes") return;
      unavailable.add(event);
      if (event.kind !== "change" || event.quality !== "ok") return;
      const heard = hear(event);
      if (!heard) return;
      // Back from `unavailable` nobody knows when it really changed; `unknown` is what a button was that nobody had ever pressed.
      const isKnown = event.oldState !== undefined && event.oldState !== "unavailable";
      if (!isKnown || (event.oldState === "unknown" && !heard.isMoment)) return;
      silence.changed(event.atUs, event.entityId, event.context.id);
      if (heard.role === "target") contexts[hasContext(event) ? "known" : "unknown"]++;
      changes.add(event, heard);
    },
    finish() {
      const silent = silence.finish();
      const { changes: kept, muted } = changes.finish();
      const heard = kept.filter(({ event }) => !silent.some(([from, to]) => event.atUs >= from && event.atUs < to));
      return {
        homeId: info.homeId,
        date: info.date,
        weekday: weekdayOf(info.date),
        fromUs: info.fromUs,
        toUs: info.toUs,
        timeZone: info.timeZone,
        occurrences: occurrencesOf(heard, runs, info.timeZone),
        unavailable: unavailable.finish(),
        muted,
        ...surroundings.finish(),
        hasContexts: contexts.known > contexts.unknown,
        silent,
      };
    },
  };
}

/** `pages`: the day's events, ascending. */
export async function readDayFacts(info: DayInfo, pages: AsyncIterable<readonly HomeEvent[]>): Promise<DayFacts> {
  const builder = createDayFacts(info);
  for await (const page of pages) {
    for (const [index, event] of page.entries()) {
      builder.add(event);
      if (index % EVENTS_A_TURN === EVENTS_A_TURN - 1) await nextTurn();
    }
  }
  return builder.finish();
}

/** When entities could not be asked; open ones end with the day. */
function createUnavailable({ toUs }: DayInfo) {
  const since = new Map<string, Microseconds>();
  const spans: [string, Microseconds, Microseconds][] = [];
  const end = (entityId: string, fromUs: Microseconds, atUs: Microseconds) => {
    if (atUs > fromUs && spans.length < MAX_UNAVAILABLE) spans.push([entityId, fromUs, atUs]);
  };
  return {
    add({ entityId, quality, atUs }: HomeEvent): void {
      const fromUs = since.get(entityId);
      if (quality === "unavailable" && fromUs === undefined) since.set(entityId, atUs);
      if (quality === "unavailable" || fromUs === undefined) return;
      end(entityId, fromUs, atUs);
      since.delete(entityId);
    },
    finish(): DayFacts["unavailable"] {
      for (const [entityId, fromUs] of since) end(entityId, fromUs, toUs);
      return spans.sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1));
    },
  };
}

/** The sun and the calendar of the day. */
function createSurroundings({ fromUs, toUs, timeZone, isWorkday }: DayInfo) {
  const found: {
    sunriseMinute?: number | undefined;
    sunsetMinute?: number | undefined;
    isWorkday?: boolean;
    isWorkdayNext?: boolean;
  } = {};
  if (isWorkday !== undefined) found.isWorkday = isWorkday;
  if (isWorkday !== undefined) found.isWorkdayNext = isWorkday;

  /** A change says it exactly; a home that restarted then had told before when it would be. */
  function addSun({ kind, state, atUs, attributes }: HomeEvent): void {
    if (kind === "change" && state === "above_horizon") found.sunriseMinute = localMinuteOf(atUs, timeZone);
    if (kind === "change" && state === "below_horizon") found.sunsetMinute = localMinuteOf(atUs, timeZone);
    found.sunriseMinute ??= minuteWithin(attributes.next_rising);
    found.sunsetMinute ??= minuteWithin(attributes.next_setting);
  }

  function minuteWithin(text: unknown): number | undefined {
    if (typeof text !== "string") return undefined;
    try {
      const atUs = parseIsoUs(text);
      return atUs >= fromUs && atUs < toUs ? localMinuteOf(atUs, timeZone) : undefined;
    } catch {
      return undefined;
    }
  }

  return {
    add(event: HomeEvent): void {
      if (event.domain === "sun") addSun(event);
      if (event.domain === "sun" || event.quality !== "ok") return;
      if (event.kind === "change" && event.oldState !== undefined) found.isWorkday ??= event.oldState === "on";
      found.isWorkday ??= event.state === "on";
      found.isWorkdayNext = event.state === "on";
    },
    finish: (): Pick<DayFacts, "sunriseMinute" | "sunsetMinute" | "isWorkday" | "isWorkdayNext"> => ({
      ...(found.sunriseMinute !== undefined && { sunriseMinute: found.sunriseMinute }),
      ...(found.sunsetMinute !== undefined && { sunsetMinute: found.sunsetMinute }),
      ...(found.isWorkday !== undefined && { isWorkday: found.isWorkday }),
      ...(found.isWorkdayNext !== undefined && { isWorkdayNext: found.isWorkdayNext }),
    }),
  };
}
