import type { Asked, Timed } from "./asking.ts";
import type { Side } from "./authority.ts";
import type { Sides } from "./sides.ts";

export interface SecondLook<T> {
  readonly asked: Asked<T>;
  readonly sides: Sides;
  readonly settledUs: number;
  ask(side: Side): Promise<Timed<T>>;
}

/**
 * Whether two answers hold the same. Those that differ are both asked for once more: between the two reads something may have been written. undefined: one of the two is none, or could not be compared.
 */
export async function isEqualAtLast<T>(
  seen: Readonly<Record<Side, Timed<T>>>,
  { asked, sides, settledUs, ask }: SecondLook<T>,
): Promise<boolean | undefined> {
  async function areEqual(old: Timed<T>, found: Timed<T>): Promise<boolean | undefined> {
    const { limits } = sides;
    if ("error" in old || "error" in found || !limits) return undefined;
    return asked.areEqual({ old: old.answer, new: found.answer }, { limits, settledUs, sides });
  }

  try {
    const isEqual = await areEqual(seen.old, seen.new);
    if (isEqual !== false) return isEqual;
    const [old, found] = await Promise.all([ask("old"), ask("new")]);
    return await areEqual(old, found);
  } catch {
    return undefined;
  }
}
