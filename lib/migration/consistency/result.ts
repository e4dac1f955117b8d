import { formatIsoUs, type Microseconds } from "../../base/time.ts";
import type { CheckContext, CheckResult, Difference } from "../ports.ts";
import { PRECISION_US, PRECISION_WORDS, type Precision, tickOf } from "../precision.ts";
import { totalOf } from "./kept-tiles.ts";
import { isSettled, type Progress } from "./looks.ts";
import { coldSinceOf, type Memory } from "./memory.ts";
import { countClasses, countOpen } from "./open-list.ts";
import { digestOf } from "./sums.ts";

/** On the way back an OLD that is still empty when all was handed over has got all that there was. */
export function nothingYet({ state, checks }: CheckContext["migration"]): CheckResult {
  const isAll =
    state === "rolling_back" && checks.some(({ name, verdict }) => name === "handover" && verdict === "pass");
  return {
    name: "consistency",
    verdict: isAll ? "pass" : "inconclusive",
    sampleSize: 0,
    explanation: isAll
      ? "OLD has no rows, and NEW had none to hand over."
      : "OLD has no rows, so there is nothing to compare yet.",
  };
}

/** The verdict of a step, with its figures in words. Pure. */
export function resultOf(progress: Progress, untilUs: Microseconds, context: CheckContext): CheckResult {
  if (context.migration.state === "rolling_back") return resultOfReturn(progress, untilUs, context);
  const { memory } = progress;
  const { counted, waiting } = countOpen(memory.open);
  const total = totalOf(memory.tiles);
  const sampleSize = total.count;
  const isDone = isSettled(progress, untilUs);
  const coldSinceUs = coldSinceOf(memory);
  const verdict = counted > 0 ? "fail" : isDone && sampleSize > 0 ? "pass" : "inconclusive";
  return {
    name: "consistency",
    verdict,
    observed: counted,
    limit: 0,
    sampleSize,
    explanation: `${cutWords(memory, context.migration.plan.old.precision ?? "us")}${wordsOf(progress, untilUs, { counted, waiting })} ${limitsOf(memory)}${rowsOf(memory)} Sum of what was compared: ${digestOf(total)}.`,
    ...(verdict === "fail" && { trigger: "inconsistency" as const }),
    ...(waiting > 0 && { isAlert: true }),
    ...(coldSinceUs !== undefined && { coldSinceUs }),
  };
}

/**
 * On the way back NEW may lack what it likes. OLD must have what NEW got since the migration began, and `handover` gives it; that OLD lacked some before is as it was. When all was handed over and the same rows
 * are still not there, OLD does not take them: they are told, and hold up nobody.
 */
function resultOfReturn(progress: Progress, untilUs: Microseconds, { migration }: CheckContext): CheckResult {
  const { memory } = progress;
  const { waiting } = countOpen(memory.open);
  const total = totalOf(memory.tiles);
  const before = (name: string) => migration.checks.find((check) => check.name === name);
  const isHanded = before("handover")?.verdict === "pass";
  const lacking = lackedByOld(memory, migration);
  const isGivenUp = lacking > 0 && isHanded && before("consistency")?.observed === lacking;
  const isDone = isSettled(progress, untilUs) && (total.count > 0 || isHanded);
  const verdict = lacking > 0 && !isGivenUp ? "fail" : isDone ? "pass" : "inconclusive";
  const words =
    lacking === 0
      ? "OLD lacks nothing that NEW got since the migration began."
      : `OLD lacks ${lacking} rows that NEW got since the migration began${isGivenUp ? ", and does not take them: all was handed over" : ""}.`;
  return {
    name: "consistency",
    verdict,
    observed: lacking,
    limit: 0,
    sampleSize: total.count,
    explanation: `${cutWords(memory, migration.plan.old.precision ?? "us")}${words} ${wordsOf(progress, untilUs, countOpen(memory.open))} ${limitsOf(memory)}${rowsOf(memory)} Sum of what was compared: ${digestOf(total)}.`,
    ...((waiting > 0 || isGivenUp) && { isAlert: true }),
  };
}

/** Of what `handover` looks at: from the beginning to the moment from which OLD alone was asked. */
function lackedByOld({ open }: Memory, { createdUs, sinceUs }: CheckContext["migration"]): number {
  const rows = open.rows.filter(
    ({ isCounted, difference: { class: kind, atUs } }) =>
      isCounted && kind === "missing-in-old" && atUs >= createdUs && atUs < sinceUs,
  );
  return open.crowds
    .filter(({ isCounted, fromUs, toUs }) => isCounted && fromUs < sinceUs && toUs > createdUs)
    .reduce((sum, { count, lackedByOld: lacked = count }) => sum + lacked, rows.length);
}

function wordsOf(
  { memory, read }: Progress,
  untilUs: Microseconds,
  { counted, waiting }: { readonly counted: number; readonly waiting: number },
): string {
  const { fromUs, doneUs, pending, open, late, repaired } = memory;
  const share = untilUs > fromUs ? Math.floor((100 * (doneUs - fromUs)) / (untilUs - fromUs)) : 100;
  const example = open.rows.find(({ isCounted }) => isCounted)?.difference.explanation;
  const parts = [
    `Compared from ${formatIsoUs(fromUs)} to ${formatIsoUs(doneUs)} (${share} % of what is settled): ${counted} rows differ after a second look${classesOf(memory, counted)}`,
    ...(waiting > 0 ? [`${waiting} wait for theirs`] : []),
    ...(pending.length > 0 ? [`${pending.length} spans have changed and are to be read again`] : []),
    ...(late > 0 ? [`${late} came late to one side`] : []),
    ...(repaired > 0 ? [`${repaired} were sent again since`] : []),
    `${read} rows were read in this step`,
  ];
  return `${parts.join("; ")}.${example === undefined ? "" : ` One of them: ${example}`}`;
}

/** By class, those that count. */
function classesOf({ open }: Memory, counted: number): string {
  if (counted === 0) return "";
  const { "missing-in-new": inNew, "missing-in-old": inOld, different } = countClasses(open);
  return ` (${inNew} missing in NEW, ${inOld} missing in OLD, ${different} different)`;
}

/** Of each side. OLD's are all that it gave, NEW's those that OLD can hold. */
function rowsOf({ tiles }: Memory): string {
  const old = tiles.reduce((sum, { oldRows }) => sum + oldRows, 0);
  return `OLD has ${old} rows of that time, NEW ${totalOf(tiles).count} that OLD can hold.`;
}

function limitsOf({ limits }: Memory): string {
  const kinds = Object.entries(limits).map(([kind, count]) => `${count} ${kind}`);
  return kinds.length === 0 ? "" : `What OLD cannot hold: ${kinds.join(", ")}. `;
}

/** So many pairs are no chance. */
const CUT_MIN = 3;

/** Where rows differ in nothing but that OLD's moment is NEW's cut off, one cause is said and not a thousand differences. */
function cutWords({ open }: Memory, said: Precision): string {
  const counted = open.rows.filter(({ isCounted }) => isCounted).map(({ difference }) => difference);
  const keyOf = ({ entityId }: Difference, state: string | undefined, atUs: Microseconds) =>
    `${entityId}\n${atUs}\n${state === undefined || state.trim() === "" ? state : numberless(state)}`;
  const inOld = new Set(
    counted.flatMap((one) => (one.class === "missing-in-new" ? [keyOf(one, one.old, one.atUs)] : [])),
  );
  const inNew = counted.filter((one) => one.class === "missing-in-old");
  for (const precision of ["ms", "s"] as const) {
    if (PRECISION_US[precision] <= PRECISION_US[said]) continue;
    const pairs = inNew.filter((one) => {
      const stampUs = tickOf(one.atUs, PRECISION_US[precision]);
      return stampUs !== one.atUs && inOld.has(keyOf(one, one.new, stampUs));
    }).length;
    if (pairs >= CUT_MIN && pairs * 2 >= inNew.length)
      return `OLD's time stamps are cut to whole ${PRECISION_WORDS[precision]}, and the plan says ${PRECISION_WORDS[said]}: ${pairs} of the rows that differ by name are one event at two moments. Roll back, or abort, and plan anew with "old": {"precision": "${precision}"}. `;
  }
  return "";
}

/** `12.50` and `12.5` are one, where OLD has lost the text. */
const numberless = (state: string): string => (Number.isNaN(Number(state)) ? state : String(Number(state)));
