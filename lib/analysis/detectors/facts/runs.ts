import type { HomeEvent } from "../../../event/index.ts";
import type { Actor } from "../types.ts";

/** More runs than these of one day are forgotten: an automation that loops. Its further actions are known by their parents only. */
const MAX_RUNS = 200_000;

/** The context ids of the day's runs of automations and scripts. */
export interface Runs {
  add(event: HomeEvent): void;
  /** Whoever made a change of this context; to be asked when the day has been read: the run's own event may come after its first action. */
  actorOf(context: HomeEvent["context"]): Actor;
}

/**
 * A run makes a context of its own (parent: the context of what triggered it; none if time or the sun did), writes its own entity with it (an automation's
 * `last_triggered` and `current`: attributes; a script's state) and acts under it. Source: core 2026.11.0 components/automation/__init__.py `async_trigger`,
 * helpers/script.py `async_run`. A script that a person starts runs under the person's context.
 */
export function createRuns(): Runs {
  const ids = new Set<string>();
  return {
    add(event) {
      // That an automation is turned on or off is a person's act, and so is whatever else happens in that context.
      const isRun = event.domain === "script" || event.kind === "attributes";
      if (isRun && ids.size < MAX_RUNS && event.kind !== "snapshot" && event.kind !== "restore")
        ids.add(event.context.id);
    },
    actorOf({ id, parentId, userId }) {
      if (ids.has(id)) return "automation";
      if (parentId === undefined) return "person";
      // Only runs have a parent and no user; their own entity may be excluded from what is sent.
      return ids.has(parentId) || userId === undefined ? "automation" : "person";
    },
  };
}

export const isRunDomain = (domain: string): boolean => domain === "automation" || domain === "script";
