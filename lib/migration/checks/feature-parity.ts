import * as z from "zod";
import type { Microseconds } from "../../base/time.ts";
import { FEATURES, type FeatureParts } from "../features/features.ts";
import { type Tried, tryFeature } from "../features/tried.ts";
import type { Check, CheckContext, CheckOutcome, CheckResult, State } from "../ports.ts";
import { failed, passed, someOf, undecided } from "./results.ts";

const NAME = "feature-parity";
const STATES: ReadonlySet<State> = new Set(["shadow", "stabilise", "final_validation"]);
/** Tried anew in a new state and when it is older: trying asks both sides some thirty times. */
const AGAIN_US: Microseconds = 3_600_000_000;

const triedSchema = z.object({ answer: z.enum(["yes", "no", "unknown"]), evidence: z.string() });
const memorySchema = z.object({
  version: z.literal(1),
  state: z.string(),
  atUs: z.number(),
  features: z.array(z.object({ name: z.string(), title: z.string(), old: triedSchema, new: triedSchema })),
});

/** One row of the table, as the check's memory has it under `features`. */
export interface FeatureRow {
  readonly name: string;
  readonly title: string;
  readonly old: Tried;
  readonly new: Tried;
}

/** `feature-parity`: what each side offers, by trying it. Fails when OLD has something that NEW has not; inconclusive while NEW could not be tried in something that OLD has. */
export const createFeatureParity = (parts: FeatureParts): Check => ({
  name: NAME,
  states: STATES,
  run: (context) => run(parts, context),
});

async function run(parts: FeatureParts, { migration, memory, nowUs, signal }: CheckContext): Promise<CheckOutcome> {
  const before = memorySchema.safeParse(memory).data;
  if (
    before &&
    before.state === migration.state &&
    nowUs - before.atUs < AGAIN_US &&
    judge(before.features).verdict === "pass"
  )
    return { results: [judge(before.features)] };
  const features: FeatureRow[] = [];
  const about = { homeId: migration.homeId, nowUs, settleUs: migration.plan.settleSeconds * 1e6 };
  for (const feature of FEATURES) {
    if (signal.aborted)
      return { results: [undecided(NAME, "There was no time to try everything.", { sampleSize: features.length })] };
    const [old, fresh] = [
      await tryFeature(() => feature.old(parts, about)),
      await tryFeature(() => feature.new(parts, about)),
    ];
    features.push({ name: feature.name, title: feature.title, old, new: fresh });
  }
  const kept = { version: 1, state: migration.state, atUs: nowUs, features };
  return { results: [judge(features)], memory: kept };
}

function judge(features: readonly FeatureRow[]): CheckResult {
  const list = features.map(({ name, old, new: fresh }) => `${name} ${old.answer}/${fresh.answer}`).join(", ");
  const table = `OLD/NEW: ${list}.`;
  const sampleSize = features.length;
  const lacks = features.filter(({ old, new: fresh }) => old.answer === "yes" && fresh.answer === "no");
  const open = features.filter(({ old, new: fresh }) => old.answer === "yes" && fresh.answer === "unknown");
  const why = (rows: readonly FeatureRow[]) =>
    someOf(
      rows.map(({ title, new: fresh }) => `${title} (${fresh.evidence})`),
      3,
    );
  if (lacks.length > 0)
    return failed(NAME, `OLD offers what NEW does not: ${why(lacks)}. ${table}`, {
      sampleSize,
      observed: lacks.length,
      limit: 0,
    });
  if (open.length > 0)
    return undecided(NAME, `Of what OLD offers NEW could not be tried in: ${why(open)}. ${table}`, { sampleSize });
  return passed(NAME, `NEW offers everything that OLD does. ${table}`, { sampleSize, observed: 0, limit: 0 });
}
