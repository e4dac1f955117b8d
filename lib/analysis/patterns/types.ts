/** A state of an entity, as patterns speak of it: `light.kitchen` = `on`. */
export interface Token {
  readonly entityId: string;
  readonly state: string;
}

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export const PATTERN_KINDS = [
  "time-of-day",
  "co-occurrence",
  "sequence",
  "duration",
  "anomaly",
  "day-type",
  "room",
  "seasonal",
  "frequency",
] as const;
export type PatternKind = (typeof PATTERN_KINDS)[number];

/** How often a pattern could have happened on a day, and how often it did. `date` names the local day. */
export interface DayEvidence {
  readonly date: string;
  readonly hits: number;
  readonly opportunities: number;
}

/** Counts of what lies between edges: bin i holds [edges[i], edges[i + 1]). `unit`: minutes of the local day (0 to 1440), seconds, or the number of events of a day. */
export interface Histogram {
  readonly unit: "minute-of-day" | "seconds" | "count";
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

/** What a pattern says, whatever found it. Members as of the API's Pattern (contract, section 6), in camelCase. */
export interface PatternFacts {
  readonly kind: PatternKind;
  readonly target: Token;
  readonly trigger?: Token;
  /** Of a sequence in order; of a room its members, without order. */
  readonly steps?: readonly Token[];
  /** Local wall clock, `07:02`. */
  readonly at?: string;
  readonly anchor?: "clock" | "sunrise" | "sunset";
  /** From the sun's anchor; negative: before. */
  readonly offsetMinutes?: number;
  /** Absent: every day. */
  readonly days?: readonly Weekday[];
  readonly delaySeconds?: { readonly median: number; readonly p90: number };
  readonly durationSeconds?: { readonly median: number; readonly p90: number };
  /** Standard deviation of the time of day, robust (1.4826 times the median absolute deviation). */
  readonly spreadMinutes?: number;
  readonly areaId?: string;
  /** Days, or occasions, on which it happened; and on which it could have. */
  readonly hits: number;
  readonly opportunities: number;
  /** Wilson lower bound (90 %, two-sided) of hits over opportunities. */
  readonly reliability: number;
  /** p adjusted by Benjamini and Hochberg over every hypothesis of the detector's night. */
  readonly significance: number;
  /** One of the home's own automations or scripts does it already. */
  readonly automated: boolean;
  /** Ascending by date; at most the last 90 days. */
  readonly days90: readonly DayEvidence[];
  readonly histogram?: Histogram;
  /** What else the kind has to say, as JSON values: for people and for suggestions, e.g. `{ "expected": 3.2, "observed": 14 }`. */
  readonly details?: Readonly<Record<string, number | string | boolean>>;
}
