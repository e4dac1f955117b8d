export type RoutineKind = "time-of-day" | "co-occurrence" | "sequence" | "duration" | "room" | "frequency";

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
}

export const WORKING: readonly Weekday[] = ["mon", "tue", "wed", "thu", "fri"];
export const token = (entity_id: string, state: string): Token => ({ entity_id, state });
