import type { Clock } from "../../lib/base/clock.ts";

export interface ParentOptions {
  /** The id of the process's parent, as it is now. */
  readonly parentId: () => number;
  readonly clock: Clock;
}

const LOOK_EVERY_MS = 500;

/**
 * Resolves when the parent has gone. npm runs a script through a shell and, told to end, ends the shell alone: the script would run on as an orphan that
 * nobody can reach by its terminal or its supervisor any more.
 */
export async function parentGone({ parentId, clock }: ParentOptions): Promise<void> {
  const first = parentId();
  while (parentId() === first) await clock.sleep(LOOK_EVERY_MS);
}
