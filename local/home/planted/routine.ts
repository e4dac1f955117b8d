export type RoutineKind =
  | "time-of-day"
  | "co-occurrence"
  | "sequence"
  | "duration"
  | "anomaly"
  | "day-type"
  | "room"
  | "seasonal"
  | "frequency";

export interface Token {
  readonly entity_id: string;
  readonly state: string;
}

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export interface PlantedRoutine {
  readonly id: string;
  readonly kind: RoutineKind;
  readonly title: string;
  readonly target: Token;
  readonly trigger?: Token;
  readonly steps?: readonly Token[];
  /** Local wall clock, or minutes from the anchor. */
  readonly at?: string;
  readonly anchor?: "clock" | "sunrise" | "sunset";
  readonly offset_minutes?: number;
  /** Without it: every day. A public holiday counts as a Sunday. */
  readonly days?: readonly Weekday[];
  /** Standard deviation of the time of day. */
  readonly spread_minutes?: number;
  /** How likely it is to happen when its occasion comes. */
  readonly probability: number;
  /** From trigger to target, or from step to step: shortest and longest. */
  readonly delay_seconds?: readonly [number, number];
  readonly duration_seconds?: { readonly mean: number; readonly deviation: number };
  /** One of the home's own automations does it: never to be suggested. */
  readonly automated: boolean;
  readonly area_id?: string;
  /** Only in October to April. */
  readonly seasonal?: true;
  /** Only while it is dark outside. */
  readonly dark?: true;
  /** Later by this much every week, back to the start after 12 weeks. */
  readonly drift_minutes_per_week?: number;
  /** Comes and goes in blocks of this many days (counted from 1970-01-01): on in the even ones. */
  readonly block_days?: number;
  /** Days (counted from 1970-01-01) on which it happens first and last. */
  readonly first_day?: number;
  readonly last_day?: number;
  /** How often a day, of what has no time of its own. */
  readonly per_day?: number;
  /** Of `day-type` at weekends, of `frequency` from `changes_on` on: so many times as often. */
  readonly factor?: number;
  readonly changes_on?: number;
  /** Of `duration`: how likely it is to be forgotten for hours. */
  readonly forgets?: number;
  /** Of `room`: not before this minute of the day. */
  readonly from_minute?: number;
  /** Of an anomaly: the day, and what is out of the ordinary on it. */
  readonly odd_days?: readonly { readonly day: number; readonly what: "much" | "little" | "missing" }[];
}

export const WORKING: readonly Weekday[] = ["mon", "tue", "wed", "thu", "fri"];
export const token = (entity_id: string, state: string): Token => ({ entity_id, state });
