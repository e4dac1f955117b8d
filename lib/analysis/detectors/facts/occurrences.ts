import type { Microseconds } from "../../../base/time.ts";
import type { HomeEvent } from "../../../event/index.ts";
import { localMinuteOf } from "../local-time.ts";
import type { Actor, Occurrence } from "../types.ts";
import type { Change } from "./changes.ts";
import type { Runs } from "./runs.ts";

const ACT_US = 2e6;
/** So long after an automation's command a player or a heater goes on changing by itself, in contexts of its own: Home Assistant forgets whose command it was after 5 s. */
const FOLLOWING_US = 30e6;
const FOLLOWERS: ReadonlySet<string> = new Set(["media_player", "climate", "water_heater", "humidifier"]);

/** The day's changes, now that every run of the day is known: who made them, and which belong together. */
export function occurrencesOf(changes: readonly Change[], runs: Runs, timeZone: string): Occurrence[] {
  const actOf = createActs();
  const commanded = new Map<string, Microseconds>();

  function actorOf({ event, who }: Change): Actor {
    const actor = runs.actorOf(event.context);
    const commandedUs = commanded.get(who.entityId);
    const isFollowing =
      event.context.userId === undefined &&
      FOLLOWERS.has(who.domain) &&
      commandedUs !== undefined &&
      event.atUs - commandedUs <= FOLLOWING_US;
    if (actor === "automation") commanded.set(who.entityId, event.atUs);
    return isFollowing ? "automation" : actor;
  }

  return changes.map((change) => {
    const { event, who, role, state = "", oldState } = change;
    return {
      ...who,
      atUs: event.atUs,
      state,
      ...(oldState !== undefined && { oldState }),
      ...(event.secondsInOldState !== undefined && { secondsInOldState: event.secondsInOldState }),
      actor: actorOf(change),
      act: actOf(event.context, event.atUs),
      minute: localMinuteOf(event.atUs, timeZone),
      role,
    };
  });
}

/** Only contexts of the last seconds are remembered: a day has as many as it has changes. */
function createActs(): (context: HomeEvent["context"], atUs: Microseconds) => number {
  let before = new Map<string, { readonly act: number; lastUs: Microseconds }>();
  let recent = new Map(before);
  let sinceUs = 0;
  let count = 0;
  return ({ id }, atUs) => {
    if (atUs - sinceUs > ACT_US) {
      before = recent;
      recent = new Map();
      sinceUs = atUs;
    }
    const open = recent.get(id) ?? before.get(id);
    const there = open && atUs - open.lastUs <= ACT_US ? open : { act: count++, lastUs: atUs };
    there.lastUs = atUs;
    recent.set(id, there);
    return there.act;
  };
}
