import { type Decision, goodSince, judge, type Look, unsettled } from "./judge.ts";
import { answersFor, type Place, placeBelow, REQUIRED, REQUIRED_STEPWISE, soakSecondsOf } from "./places.ts";

export const START_OF_RETURN: Place = { state: "rolling_back", stage: 0, stagePercent: 0 };

/** Stepwise: a stage down after each soak in which OLD was well, or at once when NEW fails meanwhile. Then until OLD has and can do everything. */
export function decideOnTheWayBack(look: Look): Decision {
  const { migration, results } = look;
  const isStepwise = migration.stagePercent > 0;
  const required = isStepwise ? REQUIRED_STEPWISE : REQUIRED.rolling_back;
  const own = results.filter((result) => required.some((name) => answersFor(name, result)));
  const verdict = judge(required, own);
  const goodSinceUs = goodSince(look, verdict);
  const failed = own.filter((result) => result.verdict === "fail");
  const alerts = own.filter((result) => result.verdict === "fail" || result.isAlert === true);
  const said = { verdict, evidence: results, alerts, ...(goodSinceUs !== undefined && { goodSinceUs }) };
  const worse =
    isStepwise &&
    results.find(
      (result) =>
        result.verdict === "fail" &&
        result.trigger !== undefined &&
        migration.plan.triggers[result.trigger] &&
        !REQUIRED.rolling_back.some((name) => answersFor(name, result)),
    );
  if (worse)
    return {
      ...said,
      action: "rollback",
      to: START_OF_RETURN,
      ...(worse.trigger && { trigger: worse.trigger }),
      reason: `${worse.name} failed on the way back, so the rest goes at once: ${worse.explanation}`,
    };
  const goodUs = look.nowUs - (goodSinceUs ?? look.nowUs);
  const wantedSeconds = soakSecondsOf(migration);
  if (verdict !== "pass" || goodUs < wantedSeconds * 1e6) {
    const open = unsettled(required, own).join(", ");
    const reason =
      verdict === "fail"
        ? `Going back; ${failed.map(({ name, explanation }) => `${name} failed: ${explanation}`).join(" ")}`
        : verdict === "inconclusive"
          ? `Going back; not settled yet: ${open}.`
          : `Going back; OLD is well for ${Math.floor(goodUs / 1e6)} of ${wantedSeconds} seconds at ${migration.stagePercent} %.`;
    return { ...said, action: alerts.length > 0 ? "alert" : "hold", reason };
  }
  const to: Place = isStepwise ? placeBelow(migration) : { state: "rolled_back", stage: 0, stagePercent: 0 };
  const reason = isStepwise
    ? `OLD is well at ${migration.stagePercent} %: down to ${to.stagePercent} %.`
    : "OLD has everything that NEW got, is well and agrees: rolled back.";
  return { ...said, action: "next", to, reason };
}
