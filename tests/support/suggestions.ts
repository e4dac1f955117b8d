import type { Suggestion } from "../../lib/suggestions/ports.ts";

/** A suggestion among the best of a home. */
export const suggestion = (more: Partial<Suggestion> = {}): Suggestion => ({
  homeId: "home",
  id: "p-abc",
  source: "pattern",
  rank: 1,
  score: 0.7,
  title: "Turn on Lamp when Hall is on",
  description: "When Hall is on, you turn on Lamp. Home Assistant can do it at once.",
  evidence: "18 of 20 times",
  automation: {
    alias: "Turn on Lamp when Hall is on",
    description: "When Hall is on, you turn on Lamp.",
    mode: "single",
    triggers: [{ trigger: "state", entity_id: "input_boolean.hall", to: "on", not_from: ["unavailable", "unknown"] }],
    conditions: [],
    actions: [{ action: "input_boolean.turn_on", target: { entity_id: "input_boolean.lamp" } }],
  },
  status: "new",
  createdAt: "2026-11-20T02:00:00.000Z",
  updatedAt: "2026-11-20T02:00:00.000Z",
  history: [{ at: "2026-11-20T02:00:00.000Z", what: "suggested", by: "night" }],
  ...more,
});
