import { isHearthlineError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { isSwitched } from "../../event/index.ts";
import type { PastEvent } from "../admit.ts";
import { usOf } from "../known-of.ts";
import { askContexts, isRunEntity } from "../logbook.ts";
import type { HaSession, HistoryRow } from "../ports.ts";

/** Who did what is told of a page of history: gives an event its context, where it has none and the logbook has one. */
export interface Doers {
  /** @throws `home_assistant_disconnected` */
  of(page: ReadonlyMap<string, readonly HistoryRow[]>): Promise<(event: PastEvent) => PastEvent>;
}

const asItIs = (event: PastEvent): PastEvent => event;

/** `entityIds`: all of the gap. A logbook that is not there, or fails once, is not asked again: that a change is there matters more than whose it was. */
export function createDoers(session: Pick<HaSession, "getLogbook">, entityIds: readonly string[], log: Logger): Doers {
  const runIds = entityIds.filter(isRunEntity);
  let hasLogbook = true;
  return {
    async of(page) {
      const switched = [...page.keys()].filter(isSwitched);
      const times = [...page.values()].flatMap((rows) => [rows[0], rows.at(-1)].map((row) => row?.lastUpdatedUs ?? 0));
      if (!hasLogbook || (switched.length === 0 && ![...page.keys()].some(isRunEntity))) return asItIs;
      const window = { fromUs: Math.min(...times), toUs: Math.max(...times) + 1 };
      try {
        const contextOf = await askContexts(session, { entityIds: [...runIds, ...switched], ...window });
        hasLogbook = contextOf !== undefined;
        return (event) => {
          const atUs = usOf(event.lastUpdated);
          if (!contextOf || event.context !== undefined || atUs === undefined) return event;
          const isAttributes = event.lastChanged !== event.lastUpdated;
          const context = contextOf({ entityId: event.entityId, atUs, isAttributes });
          return context ? { ...event, context } : event;
        };
      } catch (thrown) {
        if (!isHearthlineError(thrown) || thrown.code === "home_assistant_disconnected") throw thrown;
        hasLogbook = false;
        log.warn("Home Assistant's logbook does not answer: what is filled in does not say who did it.", {
          error: thrown,
        });
        return asItIs;
      }
    },
  };
}
