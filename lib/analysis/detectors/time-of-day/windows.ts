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
  readonly marks: { readonly windows: Uint16Array; readonly steps: Uint16Array };
}

export const newCountingSlate = (classes: number): CountingSlate => ({
  counts: {
    hits: new Uint16Array(classes * WINDOWS),
    steps: new Uint16Array(classes * STEPS),
    anyDays: new Uint16Array(classes),
  },
  marks: { windows: new Uint16Array(WINDOWS), steps: new Uint16Array(STEPS) },
});

/** What lies in which window, on the slate: until it is counted on again. `shifts`: see ScanView; `ofDay`: each day's class, -1 of none. */
export function count(
  times: readonly (readonly number[])[],
  shifts: readonly (number | undefined)[],
  { ofDay, slate }: { readonly ofDay: Int16Array; readonly slate: CountingSlate },
): Counts {
  const { counts, marks } = slate;
  for (const array of [counts.hits, counts.steps, counts.anyDays, marks.windows, marks.steps]) array.fill(0);
  for (const [day, minutes] of times.entries()) {
    const shift = shifts[day];
    const at = ofDay[day] ?? -1;
    if (shift === undefined || at < 0 || minutes.length === 0) continue;
    counts.anyDays[at] = (counts.anyDays[at] ?? 0) + 1;
    countDay(minutes, shift, { counts, marks, at, mark: day + 1 });
  }
  return counts;
}

interface DayCount extends CountingSlate {
  /** The day's class. */
  readonly at: number;
  readonly mark: number;
}

/** The minutes ascend, so that what the one before has marked is passed over. */
function countDay(minutes: readonly number[], shift: number, { counts, marks, at, mark }: DayCount): void {
  const { hits, steps } = counts;
  let before = -1;
  for (const minute of minutes) {
    const place = wrapped(minute - shift) / STEP_MINUTES;
    const step = Math.floor(place);
    // All of one step lie in the same windows; its first moment lies in one more.
    const isFirst = place === step;
    if (step === before && !isFirst) continue;
    if (marks.steps[step] !== mark) {
      marks.steps[step] = mark;
      steps[at * STEPS + step] = at0(steps, at * STEPS + step) + 1;
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
        hits[at * WINDOWS + cell] = at0(hits, at * WINDOWS + cell) + 1;
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

/** Writes over `sum`: the days of the classes that are meant. */
export function sumOver(
  sum: Counted,
  { hits, steps, sizes }: Counts & { readonly sizes: readonly number[] },
  { classes, has }: { readonly classes: readonly number[]; readonly has: (bits: number) => boolean },
): Counted {
  sum.hits.fill(0);
  sum.steps.fill(0);
  sum.size = 0;
  sum.withAny = 0;
  for (const [at, bits] of classes.entries()) {
    if (!has(bits)) continue;
    sum.size += sizes[at] ?? 0;
    for (let i = 0; i < WINDOWS; i++) sum.hits[i] = at0(sum.hits, i) + at0(hits, at * WINDOWS + i);
    for (let i = 0; i < STEPS; i++) {
      const withSomething = at0(steps, at * STEPS + i);
      sum.steps[i] = at0(sum.steps, i) + withSomething;
      sum.withAny += withSomething;
    }
  }
  sum.most = sum.hits.reduce((most, each) => Math.max(most, each), 0);
  return sum;
}
