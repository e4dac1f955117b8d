import type { Microseconds } from "../../../base/time.ts";
import type { HomeEvent } from "../../../event/index.ts";
import type { Heard } from "./roles.ts";

/** What is kept of an event until the day has been read: without its attributes, which are most of it. */
type Kept = Pick<HomeEvent, "atUs" | "context" | "secondsInOldState">;
/** Of an entity once, however often it changes. */
type Who = Pick<HomeEvent, "entityId" | "domain" | "deviceClass" | "areaId" | "deviceId">;

/** A change that detectors will see, before it is known who made it. `state` undefined: it was undone at once. */
export interface Change {
  readonly event: Kept;
  readonly who: Who;
  readonly role: Heard["role"];
  state: string | undefined;
  /** Before the first of a bounce. */
  readonly oldState: string | undefined;
  /** For bouncing: when the last of it came. */
  lastUs: Microseconds;
}

export interface Changes {
  add(event: HomeEvent, heard: Heard): void;
  /** In order of time; those that came to nothing are left out. */
  finish(): { readonly changes: readonly Change[]; readonly muted: readonly string[] };
}

interface Beginning {
  readonly event: Kept;
  readonly oldState: string | undefined;
}

/** On, off and on again within this is a contact that bounces, or a player that passes through states. */
const BOUNCE_US = 500_000;
/** What has set out (`closing`) and has not arrived after this was stopped. */
const WAY_US = 300_000_000;
/** A text sensor of more states in a day says numbers in words. */
const MAX_STATES = 12;
/** More of one day than these (about 60 MB) are not looked at: the loudest entities are left out whole, until half remains. */
const MAX_CHANGES = 150_000;

export function createChanges({ max = MAX_CHANGES }: { readonly max?: number } = {}): Changes {
  let changes: Change[] = [];
  const lastOf = new Map<string, Change>();
  const ways = new Map<string, Beginning>();
  const known = new Map<string, Who>();
  const muted = new Set<string>();
  const statesOf = new Map<string, Set<string>>();

  function mute(entityId: string): void {
    muted.add(entityId);
    lastOf.delete(entityId);
    ways.delete(entityId);
    statesOf.delete(entityId);
  }

  /** Complexity: O(n log n), at most once for every max / 2 changes. */
  function muteLoudest(): void {
    const counts = new Map<string, number>();
    for (const { who } of changes) counts.set(who.entityId, (counts.get(who.entityId) ?? 0) + 1);
    let left = changes.length;
    for (const [entityId, count] of [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))) {
      if (left <= max / 2) break;
      mute(entityId);
      left -= count;
    }
    changes = changes.filter(({ who }) => !muted.has(who.entityId));
  }

  function whoOf({ entityId, domain, deviceClass, areaId, deviceId }: HomeEvent): Who {
    const there = known.get(entityId);
    if (there && there.areaId === areaId && there.deviceClass === deviceClass && there.deviceId === deviceId)
      return there;
    const who: Who = {
      entityId,
      domain,
      ...(deviceClass !== undefined && { deviceClass }),
      ...(areaId !== undefined && { areaId }),
      ...(deviceId !== undefined && { deviceId }),
    };
    known.set(entityId, who);
    return who;
  }

  function hasTooManyStates({ entityId, domain }: HomeEvent, state: string): boolean {
    if (domain !== "sensor") return false;
    const states = statesOf.get(entityId) ?? new Set();
    statesOf.set(entityId, states.add(state));
    return states.size > MAX_STATES;
  }

  /** Where the change began: with the cover that set out, or now. */
  function beginningOf(event: HomeEvent): Beginning {
    const way = ways.get(event.entityId);
    ways.delete(event.entityId);
    return way && event.atUs - way.event.atUs <= WAY_US ? way : { event: keptOf(event), oldState: event.oldState };
  }

  function keep(event: HomeEvent, heard: Heard, state: string): void {
    const { entityId } = event;
    const before = lastOf.get(entityId);
    if (!heard.isMoment && before && event.atUs - before.lastUs < BOUNCE_US) {
      before.state = state === before.oldState ? undefined : state;
      before.lastUs = event.atUs;
      return;
    }
    const beginning = heard.isMoment ? { event: keptOf(event), oldState: undefined } : beginningOf(event);
    if (beginning.oldState === state) return;
    const change: Change = { ...beginning, who: whoOf(event), role: heard.role, state, lastUs: event.atUs };
    lastOf.set(entityId, change);
    changes.push(change);
    if (changes.length > max) muteLoudest();
  }

  return {
    add(event, heard) {
      const { entityId } = event;
      if (muted.has(entityId)) return;
      if (hasTooManyStates(event, heard.state)) mute(entityId);
      else if (heard.isOnItsWay) {
        if (!ways.has(entityId)) ways.set(entityId, { event: keptOf(event), oldState: event.oldState });
      } else keep(event, heard, heard.state);
    },
    finish: () => ({
      // What was on its way began before what came in between.
      changes: changes
        .filter(({ state, who }) => state !== undefined && !muted.has(who.entityId))
        .sort((a, b) => a.event.atUs - b.event.atUs),
      muted: [...muted].sort(),
    }),
  };
}

const keptOf = ({ atUs, context, secondsInOldState }: HomeEvent): Kept => ({
  atUs,
  context,
  ...(secondsInOldState !== undefined && { secondsInOldState }),
});
