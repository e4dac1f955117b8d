import type { Clock } from "../../base/clock.ts";
import { HearthlineError } from "../../base/errors.ts";
import type { ReadPair } from "../ports.ts";
import { type Asked, pairOf, type Timed, timed } from "./asking.ts";
import { otherOf, type Side } from "./authority.ts";
import { isEqualAtLast } from "./second-look.ts";
import type { Sides } from "./sides.ts";

export interface Shadowed<T> {
  readonly asked: Asked<T>;
  /** Who has answered the caller, and how. */
  readonly side: Side;
  readonly first: { readonly ms: number; readonly answer: T };
  readonly atUs: number;
  readonly settledUs: number;
}

/**
 * Asks the other side what the caller has been answered by the first, and compares. A side that has not answered when the time is over has failed: what hangs must not be left out of the figures.
 */
export async function shadowPair<T>(
  read: Shadowed<T>,
  { clock, sides, signal }: { readonly clock: Clock; readonly sides: Sides; readonly signal: AbortSignal },
): Promise<ReadPair> {
  const { asked, side, first, atUs, settledUs } = read;
  const ask = (of: Side): Promise<Timed<T>> => timed(clock, () => inTime(signal, asked.ask(sides[of])));
  const second = await ask(otherOf(side));
  const seen = side === "old" ? { old: first, new: second } : { old: second, new: first };
  const isEqual = await isEqualAtLast(seen, { asked, sides, settledUs, ask });
  const rows = asked.rowsOf(first.answer);
  const oldestUs = asked.oldestUs(first.answer);
  const back = oldestUs === undefined ? {} : { backSeconds: Math.max(0, Math.round((atUs - oldestUs) / 1e6)) };
  return pairOf({
    ...{ atUs, by: "shadow", query: asked.query, rows, ...back, ...seen },
    ...(isEqual !== undefined && { isEqual }),
  });
}

function inTime<T>(signal: AbortSignal, answer: Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const fail = () =>
    reject(
      new HearthlineError("service_timeout", "A read in the background had no answer in its time; it is given up."),
    );
  if (signal.aborted) fail();
  signal.addEventListener("abort", fail, { once: true });
  answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", fail));
  return promise;
}
