import { type DoctorOptions, type Finding, failed, ok, warning } from "./finding.ts";
import { migrationUnderWay } from "./migrate-client.ts";
import { nameOf } from "./migrate-text.ts";

/** The scheduled step comes every five minutes: three of them missed is no chance. */
const STEP_LATE_MS = 15 * 60_000;

/** A migration under way: whether its steps are done, and what they found. */
export async function* migration({ api, clock }: DoctorOptions): AsyncGenerator<Finding> {
  const check = "migration";
  const found = await migrationUnderWay(api);
  if (!found) return;
  const { state, since, last_step_at: lastStep, verdict, situation, opened } = found;
  const is = `${nameOf(found)}: ${situation}`;
  const isDue = state !== "paused" && opened.includes("start");
  const quietMs = clock.nowMs() - Date.parse(lastStep ?? since);
  if (isDue && quietMs > STEP_LATE_MS)
    yield failed(
      check,
      `${is} No step has looked at it for ${Math.round(quietMs / 60_000)} minutes`,
      "The function validate-migration does the steps, every 5 minutes: look at its log. From this machine: hearthline migrate run",
    );
  else if (verdict === "fail") yield failed(check, is, "hearthline migrate status shows its checks.");
  else if (state === "paused")
    yield warning(check, is, "hearthline migrate resume goes on, hearthline migrate rollback takes it back.");
  else yield ok(check, is);
}
