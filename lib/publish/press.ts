import { isHearthlineError } from "../base/errors.ts";
import type { Entity, Seen } from "../devices/ports.ts";
import { type Suggestion, settle } from "../suggestions/index.ts";
import { buttonIdOf, nodeIdOf, type Press } from "./names.ts";

/** A press of one of our buttons, as Home Assistant shows it: the state of a button is the time at which it was pressed last. */
export interface Pressed {
  readonly uniqueId: string;
  /** ISO 8601, milliseconds. */
  readonly at: string;
}

/** Whether these may hold a press: the registry is looked at only then. */
export const mayBePressed = (seen: ReadonlyMap<string, Pick<Seen, "state">>): boolean =>
  [...seen].some(([entityId, { state }]) => entityId.startsWith("button.") && !Number.isNaN(Date.parse(state)));

/**
 * The presses among what was seen. A button is known by its unique id; one of which the registry has not told yet by its entity id, which Home Assistant makes of the same.
 */
export function pressesOf(
  homeId: string,
  seen: ReadonlyMap<string, Pick<Seen, "state">>,
  entities: readonly Pick<Entity, "entityId" | "platform" | "uniqueId">[],
): readonly Pressed[] {
  const rows = new Map(entities.map((entity) => [entity.entityId, entity]));
  const prefix = `${nodeIdOf(homeId)}_`;
  return [...seen].flatMap(([entityId, { state }]) => {
    if (!entityId.startsWith("button.")) return [];
    const atMs = Date.parse(state);
    const row = rows.get(entityId);
    const uniqueId = row ? (row.platform === "mqtt" ? row.uniqueId : undefined) : entityId.slice("button.".length);
    if (Number.isNaN(atMs) || !uniqueId?.startsWith(prefix)) return [];
    return [{ uniqueId, at: new Date(atMs).toISOString() }];
  });
}

const PRESSES: readonly Press[] = ["accept", "dismiss"];

/** Which of the home's suggestions were pressed. */
export const isPressed = (homeId: string, { id }: Suggestion, presses: readonly Pressed[]): boolean =>
  PRESSES.some((press) => presses.some(({ uniqueId }) => uniqueId === buttonIdOf(homeId, id, press)));

/**
 * The suggestion after the presses; the same one when they are known: a press comes again with each restart of Home Assistant, and must not undo what a person has decided since.
 */
export function settlePresses(homeId: string, suggestion: Suggestion, presses: readonly Pressed[]): Suggestion {
  const own = PRESSES.flatMap((what) =>
    presses.flatMap(({ uniqueId, at }) => (uniqueId === buttonIdOf(homeId, suggestion.id, what) ? [{ what, at }] : [])),
  ).sort((a, b) => (a.at < b.at ? -1 : 1));
  return own.reduce((now, { what, at }) => {
    if (now.history.some((line) => line.by !== "night" && line.at >= at)) return now;
    try {
      return settle(now, { what }, { at, by: "mqtt" });
    } catch (thrown) {
      // Accepted meanwhile: what is in the house already is removed there.
      if (isHearthlineError(thrown) && thrown.code === "suggestion_accepted") return now;
      throw thrown;
    }
  }, suggestion);
}
