import type { Detector, HomeDay } from "../detectors/types.ts";
import type { Aggregate } from "../ports.ts";

/** The kind of aggregate that says which days were learned from, and how they were lived in. */
export const DAY = "day";
/** Of what detectors are given; another one: days are read again while their raw events exist. */
const FACTS_VERSION = 1;

/** What one detector has of a day, a week or a month. */
export interface Learned {
  /** Of the detector whose rows they are. */
  readonly version: number;
  /** The days of which the rows are the sum. */
  readonly dates: readonly string[];
  readonly rows: readonly unknown[];
}

/** Which detectors have learned from a day, or from the days of a week or a month. */
export interface LearnedDays {
  /** `facts` and each detector's kind. */
  readonly versions: Readonly<Record<string, number>>;
  readonly dates: readonly string[];
  /** Read from the store; of sums none. */
  readonly events: number;
  /** Of a single day. */
  readonly day?: HomeDay;
  /** Of a single day: the time zone in which it was lived. */
  readonly timeZone?: string;
}

type Shape = Readonly<Record<string, unknown>>;
const isShape = (value: unknown): value is Shape =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const datesOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((date) => typeof date === "string") : [];

export const packLearned = ({ version, dates, rows }: Learned): unknown[] => [{ version, dates }, ...rows];

/** What cannot be read counts as of another version: -1. */
export function unpackLearned({ rows: [head, ...rows] }: Pick<Aggregate, "rows">): Learned {
  const { version, dates } = isShape(head) ? head : {};
  return { version: typeof version === "number" ? version : -1, dates: datesOf(dates), rows };
}

export const packDays = ({ versions, dates, events, day, timeZone }: LearnedDays): unknown[] => [
  { versions, dates, events, ...(timeZone !== undefined && { timeZone }) },
  ...(day ? [day] : []),
];

/** What cannot be read counts as of no version. */
export function unpackDays({ rows: [head, day] }: Pick<Aggregate, "rows">): LearnedDays {
  const { versions, dates, events, timeZone } = isShape(head) ? head : {};
  return {
    versions: isShape(versions) ? (versions as Record<string, number>) : {},
    dates: datesOf(dates),
    events: typeof events === "number" ? events : 0,
    ...(isShape(day) && { day: day as unknown as HomeDay }),
    ...(typeof timeZone === "string" && { timeZone }),
  };
}

/** Of these detectors as they are now. */
export const versionsOf = (detectors: readonly Pick<Detector, "kind" | "version">[]): Record<string, number> => ({
  facts: FACTS_VERSION,
  ...Object.fromEntries(detectors.map(({ kind, version }) => [kind, version])),
});

/** Whether all that is wanted was learned, by the detectors as they are now. */
export const hasVersions = ({ versions }: LearnedDays, wanted: Readonly<Record<string, number>>): boolean =>
  Object.entries(wanted).every(([kind, version]) => versions[kind] === version);
