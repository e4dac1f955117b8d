import * as z from "zod";
import type { Clock } from "../../base/clock.ts";
import { pointerOf } from "../pointer.ts";
import type { Check, CheckContext, CheckOutcome, CheckResult, OldDescription, OldSystem, State } from "../ports.ts";
import { type Look, type Looked, lookAgain } from "./look-again.ts";
import { failed, passed, someOf, undecided } from "./results.ts";

/** One part of NEW, as it was found. */
export interface PartOfNew {
  /** `store`, `queue:events`, `relay`. */
  readonly name: string;
  /** Absent: it is well. */
  readonly problem?: string;
}

/** NEW as a whole. */
export interface NewParts {
  /** Asks each part. What it throws counts as a problem of NEW. */
  look(homeId: string): Promise<readonly PartOfNew[]>;
}

export interface HealthOldDeps {
  readonly old: Pick<OldSystem, "describe" | "name">;
  readonly clock: Pick<Clock, "nowMs" | "sleep">;
  /** Told what is wrong with OLD, or (undefined) that it answers, for the checks that come after it. */
  readonly onLooked?: (problem: string | undefined) => void;
}

export interface HealthNewDeps {
  readonly parts: NewParts;
  readonly clock: Pick<Clock, "nowMs" | "sleep">;
}

/** While readers may be sent to OLD; from rampdown on nobody is, and it may go. */
const OLD_STATES: ReadonlySet<State> = new Set([
  "prepared",
  "dual_write",
  "backfill",
  "shadow",
  "ramp",
  "stabilise",
  "final_validation",
  "rolling_back",
]);
const NEW_STATES: ReadonlySet<State> = new Set([...OLD_STATES, "rampdown", "cleanup"]);

/** A clock that is further off is told: rows of both are then compared at other times than people think. */
const SKEW_TOLD_MS = 5_000;

const oldMemory = z.object({ schema: z.string().optional(), failingSinceUs: z.number().optional() });
const newMemory = z.object({ failingSinceUs: z.number().optional() });

/**
 * `health.old`: OLD answers, and is what it was. What fails is looked at again before it counts. It holds the migration and takes nothing back: readers would be sent to what does not answer, or to another
 * schema than the one they know.
 */
export const createHealthOldCheck = ({ old, clock, onLooked }: HealthOldDeps): Check => ({
  name: "health.old",
  states: OLD_STATES,
  async run(context) {
    const before = oldMemory.safeParse(context.memory).data ?? {};
    const looked = await lookAgain(async () => sane(await old.describe()), recheckOf(context, clock, before));
    const { well, problem, failingSinceUs } = looked;
    onLooked?.(problem);
    const schema = context.migration.state === "prepared" ? well?.schema : (before.schema ?? well?.schema);
    const memory = {
      ...((schema ?? before.schema) !== undefined && { schema: schema ?? before.schema }),
      ...(failingSinceUs !== undefined && { failingSinceUs }),
    };
    if (problem !== undefined || !well) return { results: [oldAway(old.name, looked, context.migration)], memory };
    return { results: [described(well, schema, context.migration)], memory };
  },
});

function oldAway(who: string, looked: Looked<unknown>, migration: CheckContext["migration"]) {
  const result = away("health.old", who, looked);
  if (result.verdict !== "fail" || migration.state === "prepared") return result;
  const readers = pointerOf(migration).isNewComplete
    ? "NEW answers its readers meanwhile, and nothing is taken back to it"
    : "Its readers have no answer until it is back, since NEW may not answer for it here";
  return { ...result, isAlert: true, explanation: `${result.explanation} ${readers}.` };
}

function described(
  well: OldDescription,
  schema: string | undefined,
  { state, stagePercent }: CheckContext["migration"],
) {
  const { product, clockSkewMs = 0, newestUs } = well;
  // Where all readers are at OLD already, nothing is won by holding them there.
  if (schema !== undefined && well.schema !== schema && state === "rolling_back" && stagePercent === 0)
    return passed(
      "health.old",
      `${product} answers; its schema is another than when the migration was prepared: it was "${schema.slice(0, 200)}" and is "${well.schema.slice(0, 200)}".`,
      { isAlert: true },
    );
  if (schema !== undefined && well.schema !== schema)
    return failed(
      "health.old",
      `OLD's schema has changed since the migration was prepared: it was "${schema.slice(0, 200)}" and is "${well.schema.slice(0, 200)}". What is compared and brought over rests on the first; roll back, or abort and plan anew.`,
      { isAlert: true },
    );
  const isOff = Math.abs(clockSkewMs) > SKEW_TOLD_MS;
  const way = clockSkewMs > 0 ? "ahead of" : "behind";
  const words = [
    `${product} answers`,
    newestUs === undefined ? "it holds no rows" : `its newest row is of ${new Date(newestUs / 1000).toISOString()}`,
    ...(isOff ? [`its clock is ${(Math.abs(clockSkewMs) / 1000).toFixed(1)} s ${way} ours`] : []),
  ];
  return passed("health.old", `${words.join("; ")}.`, { ...(isOff && { isAlert: true, observed: clockSkewMs }) });
}

function sane(found: OldDescription): Look<OldDescription> {
  const { product, schema, oldestUs, newestUs } = found;
  if (product === "" || schema === "")
    return { problem: "OLD answers, but says neither what it is nor what it holds." };
  if (oldestUs !== undefined && newestUs !== undefined && oldestUs > newestUs)
    return { problem: `OLD says that its oldest row (${oldestUs}) is younger than its newest one (${newestUs}).` };
  return { well: found };
}

/** `health.new`: every part of NEW is well, looked at again as OLD is. */
export const createHealthNewCheck = ({ parts, clock }: HealthNewDeps): Check => ({
  name: "health.new",
  states: NEW_STATES,
  async run(context): Promise<CheckOutcome> {
    const before = newMemory.safeParse(context.memory).data ?? {};
    const look = async (): Promise<Look<readonly PartOfNew[]>> => {
      const well = await parts.look(context.migration.homeId);
      const ill = well.flatMap(({ name, problem }) => (problem === undefined ? [] : [`${name}: ${problem}`]));
      return ill.length === 0 ? { well } : { well, problem: someOf(ill) };
    };
    const looked = await lookAgain(look, recheckOf(context, clock, before));
    const { well = [], problem, failingSinceUs } = looked;
    const result =
      problem === undefined
        ? passed(
            "health.new",
            `${someOf(
              well.map(({ name }) => name),
              12,
            )}: all well.`,
            { sampleSize: well.length },
          )
        : newAway(looked);
    return { results: [result], memory: failingSinceUs === undefined ? {} : { failingSinceUs } };
  },
});

const recheckOf = (
  { migration, signal }: CheckContext,
  clock: HealthOldDeps["clock"],
  { failingSinceUs }: { readonly failingSinceUs?: number | undefined },
) => ({ clock, seconds: migration.plan.recheckSeconds, failingSinceUs, signal });

function newAway(looked: Looked<unknown>): CheckResult {
  const result = away("health.new", "NEW", looked);
  return result.verdict === "fail" ? { ...result, trigger: "part-down" } : result;
}

function away(
  name: string,
  who: string,
  { problem = "it says nothing", isCertain, looks }: Looked<unknown>,
): CheckResult {
  const words = problem.replace(/[.]$/, "");
  if (isCertain)
    return failed(name, `${who} is not well, also at the last of ${looks} looks: ${words}.`, { sampleSize: looks });
  return undecided(name, `${who} is not well and is looked at again: ${words}.`, { sampleSize: looks });
}
