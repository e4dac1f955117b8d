import { createValidateMigration } from "../lib/wiring/validate-migration.ts";

/** The schedule, every 5 minutes: one step of each migration under way. */
export const handler = createValidateMigration();
