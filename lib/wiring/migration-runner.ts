import { createLogger } from "../base/log.ts";
import type { StepOutcome } from "../migration/step.ts";
import { createCloud } from "./aws.ts";
import { readConfig } from "./config.ts";
import { createMigrationStepper } from "./migration.ts";

/** The steps of migrations, done by a person's own machine: where OLD can be reached from nowhere else. */
export interface MigrationRunner {
  /** One step, as the function `validate-migration` does it; both at once do no harm. @throws fate-`retry` service errors, HearthlineError `store_incompatible` */
  step(homeId: string, id: string): Promise<StepOutcome>;
}

/** Nobody else waits for it: it may take as long as a call of the function. */
const BUDGET_MS = 240_000;

/** `write`: takes the lines of the log. @throws HearthlineError `setting_invalid` */
export function createMigrationRunner(
  env: Readonly<Record<string, string | undefined>>,
  write: (line: string) => void,
): MigrationRunner {
  const config = readConfig(env);
  const log = createLogger({ level: "warn", fields: { function: "migrate-run" }, write });
  const stepper = createMigrationStepper(createCloud(config, { env }), log);
  return { step: (homeId, id) => stepper.step(homeId, id, BUDGET_MS) };
}
