import type { Microseconds } from "../../base/time.ts";
import type { CheckResult } from "../ports.ts";
import type { Side } from "../statistics/side.ts";
import { failed, passed } from "./results.ts";

/** Both sides since the beginning of a stage. */
interface Watched {
  readonly old: Side;
  readonly new: Side;
  readonly fromUs: Microseconds;
  readonly lastUs: Microseconds;
}

const NAME = "stability.throughput";
/** So many looks before NEW is said to stand still, at an OLD that took so many rows meanwhile. */
const LOOKS_MIN = 3;
const OLD_ROWS_MIN = 100;

/** OLD leaves out what it cannot hold, so the ratio is told, and only a NEW that stands still while OLD takes rows fails. */
export function throughputResult(memory: Watched): CheckResult {
  const { old, new: own } = memory;
  const told = throughputTold(memory);
  if (
    own.taken.last !== undefined &&
    own.taken.total === 0 &&
    old.taken.total >= OLD_ROWS_MIN &&
    own.looks >= LOOKS_MIN
  )
    return failed(told.name, `${told.explanation} NEW stands still.`, {
      sampleSize: own.looks,
      isAlert: true,
      observed: told.observed,
    });
  return told;
}

/** Events of the stage that each side has taken, and how many an hour. */
export function throughputTold({ old, new: own, fromUs, lastUs }: Watched): CheckResult {
  const hours = Math.max(1e-9, (lastUs - fromUs) / 3.6e9);
  if (own.taken.last === undefined)
    return passed(NAME, "NEW does not say how many events it has taken: not judged.", { sampleSize: 0 });
  const rate = ({ taken }: Side) => Math.round(taken.total / hours);
  const ofOld = old.taken.last === undefined ? "OLD does not say" : `OLD ${old.taken.total} (${rate(old)} an hour)`;
  const ratio = old.taken.total > 0 ? Math.round((100 * own.taken.total) / old.taken.total) / 100 : undefined;
  const text = `NEW took ${own.taken.total} events (${rate(own)} an hour), ${ofOld}${ratio === undefined ? "" : `: ${ratio} times as many`}.`;
  return passed(NAME, text, { observed: ratio, sampleSize: own.looks });
}
