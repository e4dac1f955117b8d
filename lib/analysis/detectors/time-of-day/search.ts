import { behind, wrapped } from "../circle.ts";
import { medianOf } from "../statistics.ts";
import { type Anchor, SUN_ANCHORS, SUN_MOVED_MINUTES, SUN_REACH_MINUTES, shiftOf, sunMoved } from "./anchor.ts";
import { type Profile, profileOf } from "./profile.ts";
import { MIN_CONTRAST, type Routine, refine } from "./refine.ts";
import { type Candidate, classesOf, HYPOTHESES_OF_SERIES, type ScanView, scan, type ViewClasses } from "./scan.ts";
import type { Series, TimeHistory } from "./series.ts";

/** Of one token: breakfast, lunch, dinner and bed. */
const ROUTINES_MAX = 4;
/** A routine that began of late is looked for by itself, once there is much more than that. */
const LATE_DAYS = 28;
const LATE_FROM_DAYS = 42;
const MIN_DAYS_WITH = 4;
/** The clock explains it unless the sun does so much better. */
const SUN_PENALTY = 100;
const MACHINE_HOURS = 12;
/** Beyond the tolerance: its tail is no routine of its own. */
const EXPLAINED_MINUTES = 15;
/** Of the days on which it could have: then the automation is there, even if it does not run on all of them. */
const AUTOMATED_SHARE = 0.5;

interface Lens {
  readonly anchor: Anchor;
  readonly fromDay: number;
  readonly view: ScanView;
  readonly classes: ViewClasses;
  readonly shift: number;
}

/** Everything that was found, whatever its chance; and how many hypotheses that were. */
export function search(history: TimeHistory): { readonly routines: Routine[]; readonly hypotheses: number } {
  const lenses = lensesOf(history);
  const profile = profileOf(history.series);
  const routines = history.series.flatMap((series) => routinesOf(series, { history, lenses, profile }));
  const hypotheses = history.series.length * HYPOTHESES_OF_SERIES * lenses.length;
  const byAutomation = routines.filter(({ series }) => series.who === "automation");
  return {
    // What an automation does and people sometimes do at the same time is told once.
    routines: routines.filter(
      (routine) => routine.series.who === "automation" || !byAutomation.some((other) => isSame(routine, other)),
    ),
    hypotheses,
  };
}

function lensesOf({ days }: TimeHistory): Lens[] {
  const from = days.length >= LATE_FROM_DAYS ? [0, days.length - LATE_DAYS] : [0];
  return from.flatMap((fromDay) => {
    const anchors: Anchor[] = [
      "clock",
      ...SUN_ANCHORS.filter((sun) => sunMoved(days.slice(fromDay), sun) >= SUN_MOVED_MINUTES),
    ];
    return anchors.map((anchor) => {
      const shifts = days.map((day, index) => (index < fromDay ? undefined : shiftOf(anchor, day)));
      const known = shifts.filter((shift) => shift !== undefined);
      const view = { days, shifts };
      const classes = classesOf(view);
      return { anchor, fromDay, view, classes, shift: known.length === 0 ? 0 : medianOf(known) };
    });
  });
}

interface SearchOptions {
  readonly history: TimeHistory;
  readonly lenses: readonly Lens[];
  readonly profile: Profile;
}

function routinesOf(series: Series, { history, lenses, profile }: SearchOptions): Routine[] {
  if (series.times.filter((minutes) => minutes.length > 0).length < MIN_DAYS_WITH || isOfMachine(series)) return [];
  const found: Routine[] = [];
  const profileAt = profile.without(series);
  let times = series.times;
  // What stands out is judged with all that is not told beside it: else a wide hump, cut to pieces, would have one sharp piece.
  let around = series.times;
  for (let turn = 0; turn < ROUTINES_MAX; turn++) {
    let best: { readonly candidate: Candidate; readonly lens: Lens } | undefined;
    for (const lens of lenses) {
      const candidate = scan(times, lens.view, {
        view: lens.classes,
        profile: () => profileAt(lens.shift),
        isGoingOn: turn > 0,
      });
      if (candidate && lens.anchor !== "clock" && Math.abs(behind(candidate.centre, 0)) > SUN_REACH_MINUTES) continue;
      const penalty = lens.anchor === "clock" ? 1 : SUN_PENALTY;
      if (candidate && (!best || candidate.p * penalty < best.candidate.p)) best = { candidate, lens };
    }
    if (!best) break;
    const { candidate, lens } = best;
    const routine = refine({ series, times, around, candidate, anchor: lens.anchor, fromDay: lens.fromDay, history });
    if (routine) found.push(routine);
    times = withoutExplained(times, best, history);
    if (routine) times = withoutRoutine(times, routine, history);
    if (routine && routine.contrast >= MIN_CONTRAST) around = withoutRoutine(around, routine, history);
  }
  return found;
}

/** Something that comes hour by hour, day and night, has no time of day: a clock that strikes. */
function isOfMachine({ times }: Series): boolean {
  const hours = new Array<number>(24).fill(0);
  let days = 0;
  for (const minutes of times) {
    if (minutes.length > 0) days++;
    // Minutes ascend, and so do their hours.
    let before = -1;
    for (const minute of minutes) {
      const hour = Math.floor(minute / 60);
      if (hour !== before) hours[hour] = (hours[hour] ?? 0) + 1;
      before = hour;
    }
  }
  return hours.filter((count) => count > days / 2).length >= MACHINE_HOURS;
}

/** The same array where nothing was left out: then nothing has to be counted again. */
function without(minutes: readonly number[], isLeftOut: (minute: number) => boolean): readonly number[] {
  const kept = minutes.filter((minute) => !isLeftOut(minute));
  return kept.length === minutes.length ? minutes : kept;
}

/** The window's own occurrences are looked at no more, so that the search goes on. */
function withoutExplained(
  times: Series["times"],
  { candidate, lens }: { readonly candidate: Candidate; readonly lens: Lens },
  { days }: TimeHistory,
): Series["times"] {
  return times.map((minutes, index) => {
    const [shift, day] = [lens.view.shifts[index], days[index]];
    if (shift === undefined || !day || !candidate.set.has(day)) return minutes;
    return without(
      minutes,
      (minute) => Math.abs(behind(wrapped(minute - shift), candidate.centre)) <= candidate.halfWidth,
    );
  });
}

function withoutRoutine(times: Series["times"], routine: Routine, { days }: TimeHistory): Series["times"] {
  const reach = routine.tolerance + EXPLAINED_MINUTES;
  return times.map((minutes, index) => {
    const day = days[index];
    if (!day || !routine.candidate.set.has(day)) return minutes;
    const expected = expectedOn(routine, index, days);
    return expected === undefined ? minutes : without(minutes, (minute) => Math.abs(behind(minute, expected)) <= reach);
  });
}

function expectedOn(
  { anchor, at, driftPerDay }: Routine,
  index: number,
  days: TimeHistory["days"],
): number | undefined {
  const day = days[index];
  const shift = day && shiftOf(anchor, day);
  return shift === undefined ? undefined : wrapped(at + shift - driftPerDay * (days.length - 1 - index));
}

const isSame = (a: Routine, b: Routine): boolean =>
  a.series.entityId === b.series.entityId &&
  a.series.state === b.series.state &&
  a.anchor === b.anchor &&
  Math.abs(behind(a.at, b.at)) <= a.tolerance + b.tolerance;

/** An automation does it already at that time, on half of the days or more. */
export function isDoneByAutomation(routine: Routine, history: TimeHistory): boolean {
  const { series, evidence, tolerance } = routine;
  if (series.who === "automation") return true;
  const twin = history.series.find(
    ({ entityId, state, who }) => who === "automation" && entityId === series.entityId && state === series.state,
  );
  if (!twin) return false;
  const done = evidence.filter(({ day }) => {
    const expected = expectedOn(routine, day, history.days);
    return expected !== undefined && twin.times[day]?.some((minute) => Math.abs(behind(minute, expected)) <= tolerance);
  });
  return done.length >= AUTOMATED_SHARE * evidence.length;
}
