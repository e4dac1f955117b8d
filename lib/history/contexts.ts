import type { Microseconds } from "../base/time.ts";
import { contextsOf, isRunEntity, isSwitched, type PastContext, type PastMoment } from "../relay/index.ts";
import type { HaSession, LogbookEntry } from "../relay/ports.ts";

/** Entities in one question to the logbook. */
const ENTITIES_PER_QUESTION = 100;
/** So long before the window runs are asked for: what they do they may do later. */
const RUN_US: Microseconds = 1_800_000_000;

interface Window {
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
}

/** What the logbook says of the rows of one window after the other: each is asked for once, when its first row is. */
export interface Contexts {
  of(window: Window): Promise<(moment: PastMoment) => PastContext | undefined>;
}

const NOTHING = () => undefined;

/** `entityIds`: all that there are; `isIncluded` those of which rows are wanted. A Home Assistant without a logbook is asked once. */
export function createContexts(
  session: Pick<HaSession, "getLogbook">,
  entityIds: readonly string[],
  isIncluded: (entityId: string) => boolean,
): Contexts {
  const asked = entityIds.filter((id) => isRunEntity(id) || (isSwitched(id) && isIncluded(id)));
  let hasLogbook = asked.some(isSwitched);
  let last: { readonly window: Window; readonly found: ReturnType<typeof contextsOf> } | undefined;

  async function read({ fromUs, toUs }: Window): Promise<LogbookEntry[]> {
    const entries: LogbookEntry[] = [];
    for (let at = 0; at < asked.length && hasLogbook; at += ENTITIES_PER_QUESTION) {
      const group = asked.slice(at, at + ENTITIES_PER_QUESTION);
      const answer = await session.getLogbook({ entityIds: group, fromUs: fromUs - RUN_US, toUs });
      if (!answer) hasLogbook = false;
      for (const entry of answer ?? []) if (entry.state === undefined || entry.atUs >= fromUs) entries.push(entry);
    }
    return entries;
  }

  return {
    async of(window) {
      if (!hasLogbook) return NOTHING;
      if (last?.window.fromUs !== window.fromUs || last.window.toUs !== window.toUs)
        last = { window, found: contextsOf(await read(window)) };
      return last.found;
    },
  };
}
