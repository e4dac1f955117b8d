import type { Microseconds } from "../base/time.ts";
import { isSwitched } from "../event/index.ts";
import { askContexts, type ContextsOf, isRunEntity } from "../relay/index.ts";
import type { HaSession } from "../relay/ports.ts";

interface Window {
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
}

/** What the logbook says of the rows of one window after the other: each is asked for once, when its first row is. */
export interface Contexts {
  of(window: Window): Promise<ContextsOf>;
}

const NOTHING: ContextsOf = () => undefined;

/** `entityIds`: all that there are; `isIncluded` those of which rows are wanted. A Home Assistant without a logbook is asked once. */
export function createContexts(
  session: Pick<HaSession, "getLogbook">,
  entityIds: readonly string[],
  isIncluded: (entityId: string) => boolean,
): Contexts {
  const asked = entityIds.filter((id) => isRunEntity(id) || isIncluded(id));
  let hasLogbook = asked.some(isSwitched);
  let last: { readonly window: Window; readonly found: ContextsOf } | undefined;
  return {
    async of(window) {
      if (!hasLogbook) return NOTHING;
      if (last?.window.fromUs === window.fromUs && last.window.toUs === window.toUs) return last.found;
      const found = await askContexts(session, { entityIds: asked, ...window });
      hasLogbook = found !== undefined;
      last = { window, found: found ?? NOTHING };
      return last.found;
    },
  };
}
