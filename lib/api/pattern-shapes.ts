import * as z from "zod";
import { PATTERN_KINDS, WEEKDAYS } from "../analysis/index.ts";

export const PATTERN_STATUSES = ["active", "fading", "ended"] as const;

const tokenShape = z.object({ entity_id: z.string(), state: z.string() }).meta({ id: "Token" });
const secondsShape = z.object({ median: z.number(), p90: z.number() });
const count = z.int().nonnegative();

/** As of the contract; `/patterns/{id}` has the evidence too. */
const members = {
  id: z.string(),
  home_id: z.string(),
  kind: z.enum(PATTERN_KINDS),
  target: tokenShape,
  trigger: tokenShape.optional(),
  steps: z.array(tokenShape).optional().meta({ description: "In order; of a room its members, without order." }),
  at: z.string().optional().meta({ description: "Local wall clock: `07:02`." }),
  anchor: z.enum(["clock", "sunrise", "sunset"]).optional(),
  offset_minutes: z.number().optional().meta({ description: "From sunrise or sunset; negative: before." }),
  days: z.array(z.enum(WEEKDAYS)).optional().meta({ description: "Absent: every day." }),
  delay_seconds: secondsShape.optional(),
  duration_seconds: secondsShape.optional(),
  spread_minutes: z.number().optional(),
  area_id: z.string().optional(),
  hits: count.meta({ description: "Days, or occasions, on which it happened." }),
  opportunities: count.meta({ description: "And on which it could have." }),
  reliability: z.number().meta({ description: "Wilson's lower bound (90 %) of hits over opportunities." }),
  expected_share: z.number().optional().meta({
    description:
      "On how many of the coming occasions it is to be expected, 0 to 1: hits over opportunities, drawn towards what is usual, for what is told was chosen by them. Of time-of-day and co-occurrence, while they are active and no automation does it.",
  }),
  significance: z.number().meta({ description: "p adjusted for everything that was looked at in the night." }),
  automated: z.boolean().meta({ description: "One of the home's own automations does it already." }),
  status: z.enum(PATTERN_STATUSES),
  first_seen: z.iso.date(),
  last_seen: z.iso.date().meta({ description: "Of an anomaly the day on which it happened." }),
  title: z.string(),
} as const;

export const patternShape = z.object(members).meta({ id: "Pattern" });

export const patternPageShape = z
  .object({
    patterns: z.array(patternShape),
    next: z.string().nullable().meta({ description: "The cursor of the next page; null when this is the last one." }),
  })
  .meta({ id: "PatternPage" });

const evidenceShape = z
  .object({
    days: z
      .array(z.object({ date: z.iso.date(), hits: count, opportunities: count }))
      .meta({ description: "Ascending; of the last 90 days." }),
    histogram: z
      .object({
        unit: z.enum(["minute-of-day", "seconds", "count"]),
        edges: z.array(z.number()),
        counts: z.array(z.number()),
      })
      .optional()
      .meta({ description: "`counts[i]` lies between `edges[i]` and `edges[i + 1]`." }),
    details: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])).optional(),
  })
  .meta({ id: "PatternEvidence" });

export const patternDetailShape = z
  .object({
    ...members,
    told_on: z.iso.date().meta({ description: "The day whose night told it first." }),
    confirmed_on: z.iso.date().meta({ description: "The last day whose night found it." }),
    evidence: evidenceShape,
  })
  .meta({ id: "PatternDetail" });
