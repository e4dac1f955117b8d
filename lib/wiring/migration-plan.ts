import { createOldSystem } from "../adapters/legacy/old-system.ts";
import { systemClock } from "../base/clock.ts";
import { isCanary } from "../migration/canary-entity.ts";
import { explainPlan, type LookedAtOld, SIMPLE_COMMAND } from "../migration/explain.ts";
import type { Plan } from "../migration/plan.ts";
import { shownPrecision } from "../migration/precision.ts";
import { isReportWhole } from "../migration/report.ts";
import { wirePlan } from "../migration/wire.ts";
import { type Config, readConfig } from "./config.ts";
import { readPlan } from "./read-plan.ts";

/** Plans as whoever writes one meets them: read, explained, and OLD looked at from here. */

export { explainPlan, isReportWhole, type LookedAtOld, type Plan, readPlan, SIMPLE_COMMAND, wirePlan };

/** A person waits for the answer. */
const LOOK_WITHIN_MS = 15_000;
/** Of these OLD's precision shows. */
const ROWS_SEEN = 500;

export interface OldUser {
  readonly user: string;
  readonly password: string;
}

/**
 * Asks OLD what it is, from this machine, and looks at its newest rows. `user`: instead of the settings.
 * @throws HearthlineError as `OldSystem.describe` and `range` do
 */
export async function lookAtOld(
  old: Plan["old"],
  env: Readonly<Record<string, string | undefined>>,
  user?: OldUser,
): Promise<LookedAtOld> {
  const system = createOldSystem(old, user ?? secretsOf(readConfig(env)), {
    clock: systemClock,
    timeoutMs: LOOK_WITHIN_MS,
  });
  try {
    const described = await system.describe();
    const { events } = await system.range({ homeId: "", order: "desc", limit: ROWS_SEEN });
    const stamps = events.filter(({ entityId }) => !isCanary(entityId)).map(({ atUs }) => atUs);
    const shown = shownPrecision(stamps);
    return { ...described, ...(shown && { shown }) };
  } finally {
    await system.close();
  }
}

const secretsOf = (config: Config) => ({
  token: config.HEARTHLINE_OLD_TOKEN,
  user: config.HEARTHLINE_OLD_USER,
  password: config.HEARTHLINE_OLD_PASSWORD,
});
