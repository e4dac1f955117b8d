import type { Microseconds } from "../../base/time.ts";
import type { PatternFacts, PatternKind, Weekday } from "../patterns/types.ts";

/**
 * Who made a state change.
 * - `person`: a user of Home Assistant (`context.user_id`), or somebody at a switch, a lock, a remote control; also what sensors see.
 * - `automation`: an automation or a script of the home: its context, or one whose parent is another's change.
 */
export type Actor = "person" | "automation";

/**
 * A change of an entity from one meaningful state to another, as detectors see it: no restarts, no attributes, no numbers, no `unavailable`, no bouncing.
 * What takes its time (`opening`, then `open`) is one change to the last state, at the time at which it set out. What is no state but a moment has the one state
 * `on` (scene), `pressed` (button) or its `event_type` (event), and no old state.
 */
export interface Occurrence {
  readonly atUs: Microseconds;
  readonly entityId: string;
  readonly state: string;
  readonly oldState?: string;
  /** How long the old state had lasted, if that is known. */
  readonly secondsInOldState?: number;
  readonly domain: string;
  readonly deviceClass?: string;
  readonly areaId?: string;
  readonly deviceId?: string;
  readonly actor: Actor;
  /** Changes of one context, each within two seconds of the one before, are one act (a group, a scene, a script): the same number, ascending in the day. */
  readonly act: number;
  /** Local wall clock: minutes since local midnight, 0 to 1440 (not included), with fractions. */
  readonly minute: number;
  /** `target`: an actuator that an automation can switch. `sensor`: what happens (motion, a door, a person, a button). Both may be triggers. */
  readonly role: "target" | "sensor";
}

/** What is known of one local day (03:00 to 03:00) of a home, read once from its raw events. */
export interface DayFacts {
  readonly homeId: string;
  /** The local date on which the day begins. */
  readonly date: string;
  readonly weekday: Weekday;
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
  readonly timeZone: string;
  /** Ascending by time. */
  readonly occurrences: readonly Occurrence[];
  /** Entities of which the home has said that they cannot be asked now, and when: `[entityId, fromUs, toUs]`. */
  readonly unavailable: readonly (readonly [string, Microseconds, Microseconds])[];
  /** Entities that changed too often or had too many states to learn from: none of their changes is among the occurrences. Ascending. */
  readonly muted: readonly string[];
  /** Sunrise and sunset of the day, from `sun.sun`, in minutes of the local day; absent: the home does not tell. */
  readonly sunriseMinute?: number;
  readonly sunsetMinute?: number;
  /** Of `binary_sensor.workday*`, where the home has one: a holiday on a weekday is a day off. */
  readonly isWorkday?: boolean;
  /** The same sensor at the end of the day: it changes at midnight, inside the day, and stays silent where nothing changes. */
  readonly isWorkdayNext?: boolean;
  /** Of most changes of actuators Home Assistant has said in which context they happened. Otherwise (an imported past) automations look like persons. */
  readonly hasContexts: boolean;
  /** Times in which nothing was heard (the relay was down, Home Assistant restarted): no opportunity lies there. */
  readonly silent: readonly (readonly [Microseconds, Microseconds])[];
}

/** A day as detectors look back at it; small, and kept as the daily aggregate `day`. */
export interface HomeDay {
  readonly date: string;
  readonly weekday: Weekday;
  /** 23, 24 or 25 on the days of a clock change; others on a day on which the home moved to another time zone. */
  readonly hours: number;
  /** Local wall clock at its beginning, in minutes; absent: 180, as days begin at 03:00 unless a home is set to another time. */
  readonly beginMinute?: number;
  /** What persons did and sensors saw, by hour of the local wall clock (24 counts): each entity once in ten minutes. */
  readonly activityByHour: readonly number[];
  readonly sunriseMinute?: number;
  readonly sunsetMinute?: number;
  readonly isWorkday?: boolean;
  /** What the next day's `DayInfo.isWorkday` is. */
  readonly isWorkdayNext?: boolean;
  /** As of DayFacts: what was done on this day by persons was surely not done by automations. */
  readonly hasContexts: boolean;
  /** Seconds of the day in which nothing was heard. */
  readonly silentSeconds: number;
  /**
   * Somebody lived there: activity above a fifth of the median of all days, not silent for more than half the day, and a day as long as days are. Days that are not eligible are no
   * opportunity and no miss. As kept, of one day alone, without that median; what a detector is given has been through `eligible`.
   */
  readonly isEligible: boolean;
}

/** A detector's rows of one day, by date. */
export interface DetectorDay<Row> {
  readonly day: HomeDay;
  readonly rows: readonly Row[];
}

/** A detector's rows summed over a week or a month. */
export interface DetectorPeriod<Row> {
  readonly layer: "weekly" | "monthly";
  /** Its first local day. */
  readonly date: string;
  /** Its days of which there are aggregates. */
  readonly dates: readonly string[];
  readonly rows: readonly Row[];
}

export interface DetectorHistory<Row> {
  readonly homeId: string;
  /** The day that has ended; nothing later is looked at. */
  readonly date: string;
  /** Ascending, at most 90, `date` the last of them if it has an aggregate. Days without an aggregate are missing. */
  readonly days: readonly DetectorDay<Row>[];
  /** Ascending, at most 52. Only for detectors that ask for them. */
  readonly weeks: readonly DetectorPeriod<Row>[];
  /** Of a history that is the beginning of one that the same night looks at: that one. What was worked out of its days may be taken; it changes no finding. */
  readonly whole?: DetectorHistory<Row>;
  /** Only whether the findings of these keys are there is asked: others may be missing or there, and nothing counts of a finding but its key. A detector need not heed it. */
  readonly asked?: ReadonlySet<string>;
}

/** What a detector has found in one night. `key`: the same thing found again has the same key, although its time, spread or counts have moved. */
export interface Finding extends PatternFacts {
  readonly key: string;
}

/**
 * One kind of pattern. Pure: the same facts give the same rows, the same history the same findings, in the same order.
 * Rows are JSON values, and merging is addition: exact, associative, in any order (tests/conformance/detector.ts).
 */
export interface Detector<Row = unknown> {
  readonly kind: PatternKind;
  /** Of the rows. Rows of another version are made again while the day's raw events exist, else they are left out and counted. */
  readonly version: number;
  /** The day's rows. Bounded: a home of 2,000 events leaves at most 20 KB for all detectors together, a very large one at most about 300 KB for each. */
  aggregate(facts: DayFacts): readonly Row[];
  /** Sums of rows of several days. Complexity: O(rows). */
  merge(rows: Iterable<readonly Row[]>): readonly Row[];
  /** For how many nights running a finding must hold before it is told (the history cut by a day each): against chance in looking every night. 1 for what is of one day, or strict enough by itself. */
  readonly nightsToHold: number;
  readonly needsWeeks?: boolean;
  find(history: DetectorHistory<Row>): readonly Finding[];
}
