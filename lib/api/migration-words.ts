/** Words of a migration that stand on the wire: routes, metrics and the control plane have them from here. */

/**
 * Where a migration is. In this order, but for the last three: `paused` keeps the state it came from, `rolling_back` and `rolled_back` are reached from everything before `cleanup`.
 */
export const MIGRATION_STATES = [
  "prepared",
  "dual_write",
  "backfill",
  "shadow",
  "ramp",
  "stabilise",
  "final_validation",
  "rampdown",
  "cleanup",
  "complete",
  "paused",
  "rolling_back",
  "rolled_back",
] as const;

/** What takes a migration back by itself. */
export const MIGRATION_TRIGGERS = ["performance", "errors", "loss", "part-down", "inconsistency"] as const;
