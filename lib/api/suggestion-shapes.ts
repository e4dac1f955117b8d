import * as z from "zod";
import { SUGGESTION_STATUSES } from "../suggestions/index.ts";

const time = z.iso.datetime({ offset: true });
const steps = z.array(z.record(z.string(), z.unknown()));

export const suggestionShape = z
  .object({
    id: z.string(),
    home_id: z.string(),
    source: z.enum(["pattern", "feature"]),
    rank: z.int().optional().meta({ description: "From 1; absent: not among the best at the moment." }),
    score: z.number().meta({ description: "0 to 1: what it saves times how sure it is." }),
    title: z.string(),
    description: z.string(),
    evidence: z.string(),
    automation: z
      .object({
        alias: z.string(),
        description: z.string(),
        mode: z.string(),
        triggers: steps,
        conditions: steps,
        actions: steps,
      })
      .optional()
      .meta({ description: "As Home Assistant 2024.10 and later takes it; absent: a person has to do it." }),
    status: z.enum(SUGGESTION_STATUSES),
    created_at: time,
    updated_at: time,
    snoozed_until: time.optional(),
    pattern_id: z.string().optional(),
    device_id: z.string().optional(),
    feature: z.string().optional(),
    outcome: z
      .enum(["waiting", "written", "kept", "overridden", "turned-off", "removed", "refused"])
      .optional()
      .meta({ description: "Of an accepted one: how it fares in the house." }),
    outcome_detail: z.string().optional(),
    automation_id: z.string().optional(),
    history: z.array(z.object({ at: time, what: z.string(), by: z.string() })),
  })
  .meta({ id: "Suggestion" });

export const suggestionPageShape = z
  .object({ suggestions: z.array(suggestionShape), next: z.string().nullable() })
  .meta({ id: "SuggestionPage" });
