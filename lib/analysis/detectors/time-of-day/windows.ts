import { DAY_MINUTES, wrapped } from "../circle.ts";

export const STEP_MINUTES = 10;
export const STEPS = DAY_MINUTES / STEP_MINUTES;
export const HALF_WIDTHS = [10, 20, 40, 60] as const;
/** As half-widths in steps. */
const REACHES = HALF_WIDTHS.map((halfWidth) => halfWidth / STEP_MINUTES);
export const WINDOWS = HALF_WIDTHS.length * STEPS;

export interface Counts {
  /** By day class, half-width and centre: days with something in the window. */
  readonly hits: Uint16Array;
  /** By day class and ten minutes: days with something in them. */
  readonly steps: Uint16Array;
  /** By day class: days with anything. */
  readonly anyDays: Uint16Array;
}

export const at0 = (array: Uint16Array | Float64Array, index: number): number => array[index] ?? 0;
/** Of a step that is at most a day away. */
export const circular = (index: number): number => (index < 0 ? index + STEPS : index >= STEPS ? index - STEPS : index);

/** What counting writes on. */
export interface CountingSlate {
  readonly counts: Counts;
  /** Where the day that is counted has something already. */
  readonly marks: { readonly windows: Uint32Array; readonly steps: Uint32Array; last: number };
  /** What has been counted so far. */
  times: readonly (readonly number[])[];
}

export const newCountingSlate = (classes: number): CountingSlate => ({
  times: [],
  counts: {
    hits: new Uint16Array(classes * WINDOWS),
    steps: new Uint16Array(classes * STEPS),
    anyDays: new Uint16Array(classes),
  },
  marks: { windows: new Uint32Array(WINDOWS), steps: new Uint32Array(STEPS), last: 0 },
});

/** What of a day is counted, and how. */
interface Counting {
  readonly ofDay: Int16Array;
  readonly slate: CountingSlate;
  /** The times are those of before without some: only days whose times are other ones are counted again. */
  readonly isGoingOn?: boolean;
}

/** What lies in which window, on the slate: until it is counted on again. `shifts`: see ScanView; `ofDay`: each day's class, -1 of none. */
export function count(
  times: readonly (readonly number[])[],
  shifts: readonly (number | undefined)[],
  { ofDay, slate, isGoingOn = false }: Counting,
): Counts {
  const { counts } = slate;
  const before = isGoingOn ? slate.times : [];
  if (!isGoingOn) for (const array of [counts.hits, counts.steps, counts.anyDays]) array.fill(0);
  for (let day = 0; day < times.length; day++) {
    const shift = shifts[day];
    const at = ofDay[day] ?? -1;
    const [minutes, counted] = [times[day], before[day]];
    if (shift === undefined || at < 0 || minutes === counted) continue;
    if (counted) countDay(counted, shift, { slate, at, by: -1 });
    if (minutes) countDay(minutes, shift, { slate, at, by: 1 });
  }
  slate.times = times;
  return counts;
}

interface DayCount {
  readonly slate: CountingSlate;
  /** The day's class. */
  readonly at: number;
  /** Taken away, or added. */
  readonly by: -1 | 1;
}

/** The minutes ascend, so that what the one before has marked is passed over. */
function countDay(minutes: readonly number[], shift: number, { slate, at, by }: DayCount): void {
  if (minutes.length === 0) return;
  const { counts, marks } = slate;
  const { hits, steps } = counts;
  counts.anyDays[at] = at0(counts.anyDays, at) + by;
  const mark = ++marks.last;
  let before = -1;
  for (const minute of minutes) {
    const place = wrapped(minute - shift) / STEP_MINUTES;
    const step = Math.floor(place);
    // All of one step lie in the same windows; its first moment lies in one more.
    const isFirst = place === step;
    if (step === before && !isFirst) continue;
    if (marks.steps[step] !== mark) {
      marks.steps[step] = mark;
      steps[at * STEPS + step] = at0(steps, at * STEPS + step) + by;
    }
    for (let w = 0; w < REACHES.length; w++) {
      const reach = REACHES[w] ?? 0;
      const from = isFirst ? step - reach : step + 1 - reach;
      for (
        let next = step > before && before >= 0 ? Math.max(from, before + reach + 1) : from;
        next <= step + reach;
        next++
      ) {
        const cell = w * STEPS + circular(next);
        if (marks.windows[cell] === mark) continue;
        marks.windows[cell] = mark;
        hits[at * WINDOWS + cell] = at0(hits, at * WINDOWS + cell) + by;
      }
    }
    before = step;
  }
}

/** What was counted on a set of days. */
export interface Counted extends Omit<Counts, "anyDays"> {
  size: number;
  /** Ten minutes with something in them. */
  withAny: number;
  /** Of any window. */
  most: number;
}

export const newCounted = (): Counted => ({
  hits: new Uint16Array(WINDOWS),
  steps: new Uint16Array(STEPS),
  size: 0,
  withAny: 0,
  most: 0,
});

/** Which days are summed. */
interface Summing {
  readonly classes: readonly number[];
  readonly sizes: readonly number[];
  readonly has: (bits: number) => boolean;
  /** Only these windows: the others count as empty. Absent: all. */
  readonly cells?: Uint16Array;
}

/** Writes over `sum`: the days of the classes that are meant. */
export function sumOver(sum: Counted, counts: Counts, { classes, sizes, has, cells }: Summing): Counted {
  sum.hits.fill(0);
  sum.steps.fill(0);
  sum.size = 0;
  for (let at = 0; at < classes.length; at++) {
    if (!has(classes[at] ?? 0)) continue;
    sum.size += sizes[at] ?? 0;
    if (at0(counts.anyDays, at) === 0) continue;
    if (cells) addAt(sum.hits, cells, counts.hits.subarray(at * WINDOWS, (at + 1) * WINDOWS));
    else addAll(sum.hits, counts.hits.subarray(at * WINDOWS, (at + 1) * WINDOWS));
    addAll(sum.steps, counts.steps.subarray(at * STEPS, (at + 1) * STEPS));
  }
  sum.withAny = 0;
  for (let step = 0; step < STEPS; step++) sum.withAny += at0(sum.steps, step);
  sum.most = 0;
  for (let cell = 0; cell < WINDOWS; cell++) if (at0(sum.hits, cell) > sum.most) sum.most = at0(sum.hits, cell);
  return sum;
}

function addAll(sums: Uint16Array, values: Uint16Array): void {
  for (let i = 0; i < values.length; i++) sums[i] = at0(sums, i) + at0(values, i);
}

function addAt(sums: Uint16Array, places: Uint16Array, values: Uint16Array): void {
  for (let i = 0; i < places.length; i++) {
    const place = at0(places, i);
    sums[place] = at0(sums, place) + at0(values, place);
  }
}
