import type { WireArea, WireEntity, WireEvent } from "../../api/index.ts";

/** Yesterday as stretches of time in which something was on, by room. */

export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}
export const LANES = ["presence", "light", "device"] as const;
export type Lane = (typeof LANES)[number];

/** One entity's day. */
export interface Track {
  readonly entityId: string;
  readonly name: string;
  readonly lane: Lane;
  readonly stretches: readonly Stretch[];
  readonly totalMs: number;
}
export interface Room {
  /** Undefined: what is in no room. */
  readonly areaId: string | undefined;
  readonly name: string;
  /** Those that were on at all, the longest first. */
  readonly tracks: readonly Track[];
}

/** The domains of which events are worth fetching. */
export const RIBBON_DOMAINS = [
  "light",
  "binary_sensor",
  "switch",
  "fan",
  "media_player",
  "vacuum",
  "humidifier",
] as const;

const PRESENCE: ReadonlySet<string> = new Set(["motion", "occupancy", "presence", "moving"]);
const ON: ReadonlySet<string> = new Set(["on", "playing", "buffering", "cleaning", "returning"]);

/** Undefined: says nothing about what went on in a room. */
export function laneOf(domain: string, deviceClass: string | undefined): Lane | undefined {
  if (domain === "light") return "light";
  if (domain === "binary_sensor") return PRESENCE.has(deviceClass ?? "") ? "presence" : undefined;
  return (RIBBON_DOMAINS as readonly string[]).includes(domain) ? "device" : undefined;
}

export interface RibbonFacts {
  /** Of the day, in any order. */
  readonly events: readonly WireEvent[];
  readonly entities: readonly WireEntity[];
  readonly areas: readonly Pick<WireArea, "area_id" | "name">[];
  /** Of the day; `toMs` no later than now. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** Rooms in which something was on, by name; what is in no room comes last. */
export function buildRooms(facts: RibbonFacts): readonly Room[] {
  const ofEntity = Map.groupBy(facts.events, ({ entity_id }) => entity_id);
  const known = new Map(facts.entities.map((entity) => [entity.entity_id, entity]));
  const areaNames = new Map(facts.areas.map(({ area_id, name }) => [area_id, name]));
  const rooms = new Map<string | undefined, Track[]>();
  for (const entityId of new Set([...ofEntity.keys(), ...known.keys()])) {
    const entity = known.get(entityId);
    const events = ofEntity.get(entityId) ?? [];
    const track = trackOf(entityId, { entity, events, facts });
    if (!track) continue;
    const areaId = entity?.area_id ?? events.at(-1)?.area_id;
    const tracks = rooms.get(areaId);
    if (tracks) tracks.push(track);
    else rooms.set(areaId, [track]);
  }
  return [...rooms]
    .map(([areaId, tracks]) => ({
      areaId,
      name: areaId === undefined ? "In no room" : (areaNames.get(areaId) ?? areaId),
      tracks: tracks.toSorted((a, b) => b.totalMs - a.totalMs || (a.entityId < b.entityId ? -1 : 1)),
    }))
    .sort((a, b) => Number(a.areaId === undefined) - Number(b.areaId === undefined) || a.name.localeCompare(b.name));
}

interface TrackFacts {
  readonly entity: WireEntity | undefined;
  readonly events: readonly WireEvent[];
  readonly facts: RibbonFacts;
}

function trackOf(entityId: string, { entity, events, facts }: TrackFacts): Track | undefined {
  if (entity?.entity_category !== undefined || entity?.disabled_by !== undefined || entity?.hidden_by !== undefined)
    return undefined;
  const domain = entityId.slice(0, entityId.indexOf("."));
  const lane = laneOf(domain, entity?.device_class ?? events.at(-1)?.device_class);
  if (!lane) return undefined;
  const stretches = events.length > 0 ? stretchesOf(events, facts) : unmoved(entity, facts);
  if (stretches.length === 0) return undefined;
  const totalMs = totalOf(stretches);
  return { entityId, name: entity?.name ?? entityId, lane, stretches, totalMs };
}

/** When it was on; before its first event of the day it was what that event says it was before. */
export function stretchesOf(events: readonly WireEvent[], { fromMs, toMs }: Stretch): readonly Stretch[] {
  const ordered = events
    .map((event) => ({ event, atMs: Date.parse(event.last_updated) }))
    .filter(({ atMs }) => atMs < toMs)
    .sort((a, b) => a.atMs - b.atMs);
  const found: Stretch[] = [];
  let onSinceMs = ON.has(ordered[0]?.event.old_state ?? "") ? fromMs : undefined;
  for (const { event, atMs } of ordered) {
    const isOn = event.quality === "ok" && event.kind !== "removed" && ON.has(event.state);
    if (isOn) onSinceMs ??= Math.max(atMs, fromMs);
    else if (onSinceMs !== undefined) {
      if (atMs > onSinceMs) found.push({ fromMs: onSinceMs, toMs: atMs });
      onSinceMs = undefined;
    }
  }
  if (onSinceMs !== undefined) found.push({ fromMs: onSinceMs, toMs });
  return found;
}

/** Of an entity without an event that day: on all day, if it was on before and nothing has come since. */
function unmoved(entity: WireEntity | undefined, { fromMs, toMs }: RibbonFacts): readonly Stretch[] {
  const isOn = entity?.last_seen !== undefined && Date.parse(entity.last_seen) < fromMs && ON.has(entity.state ?? "");
  return isOn ? [{ fromMs, toMs }] : [];
}

const totalOf = (stretches: readonly Stretch[]): number =>
  stretches.reduce((sum, stretch) => sum + stretch.toMs - stretch.fromMs, 0);

/** When anything of the lane was on. */
export function mergedLane(tracks: readonly Track[], lane: Lane): { stretches: readonly Stretch[]; totalMs: number } {
  const merged: Stretch[] = [];
  const all = tracks.filter((track) => track.lane === lane).flatMap(({ stretches }) => stretches);
  for (const stretch of all.sort((a, b) => a.fromMs - b.fromMs)) {
    const last = merged.at(-1);
    if (last && stretch.fromMs <= last.toMs)
      merged[merged.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, stretch.toMs) };
    else merged.push(stretch);
  }
  return { stretches: merged, totalMs: totalOf(merged) };
}

/** What was on at a moment. */
export const onAt = (tracks: readonly Track[], atMs: number): readonly Track[] =>
  tracks.filter(({ stretches }) => stretches.some(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs));
