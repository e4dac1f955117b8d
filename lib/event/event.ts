import type { Microseconds } from "../base/time.ts";
import type { EventKind, EventSource } from "./record.ts";

/**
 * - `ok`: the state means something.
 * - `unknown`: there is no value (yet); also the empty state.
 * - `unavailable`: the integration has lost the entity, or it was removed.
 */
export type Quality = "ok" | "unknown" | "unavailable";

export const DAY_PARTS = ["night", "morning", "afternoon", "evening"] as const;
export type DayPart = (typeof DAY_PARTS)[number];

/** The weather when the event happened: metric units (°C, %, km/h, hPa). */
export interface Weather {
  readonly condition: string;
  readonly temperature?: number;
  readonly humidity?: number;
  readonly windSpeed?: number;
  readonly pressure?: number;
}

/**
 * One event, enriched, as stores keep it. Natural key: (homeId, entityId, atUs, removed or not): writing the same key again changes nothing,
 * unless the new one comes from a better source (see `rankOf`).
 */
export interface HomeEvent {
  readonly homeId: string;
  readonly entityId: string;
  /** `last_updated`, of a removal the time fired. */
  readonly atUs: Microseconds;
  readonly lastChangedUs: Microseconds;
  readonly kind: EventKind;
  readonly source: EventSource;
  /** The raw state, always. Of a removal: empty. */
  readonly state: string;
  /** The typed value, in the canonical unit of its device class. */
  readonly value?: number | boolean;
  /** The canonical unit. The original stays in `attributes.unit_of_measurement`. */
  readonly unit?: string;
  readonly quality: Quality;
  readonly oldState?: string;
  /** Only of kind `change`: how long the old state had lasted. */
  readonly secondsInOldState?: number;
  readonly areaId?: string;
  readonly deviceId?: string;
  readonly domain: string;
  readonly deviceClass?: string;
  /** ISO 8601 with the home's offset, six decimals. */
  readonly localTime: string;
  readonly dayPart: DayPart;
  readonly origin: string;
  readonly context: { readonly id: string; readonly parentId?: string; readonly userId?: string };
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly weather?: Weather;
}

/** The domain of an entity id: `light` of `light.bed_light`. */
export const domainOf = (entityId: string): string => entityId.slice(0, Math.max(0, entityId.indexOf(".")));

/**
 * How much an event knows, for two that meet at one natural key: a live one knows its old state and its context; what the API was given is next;
 * history has lost attributes; a snapshot has no old state. The higher rank stays; of equal ranks the later write.
 */
export function rankOf(event: Pick<HomeEvent, "kind" | "source">): number {
  if (event.kind === "snapshot") return 0;
  return { import: 1, backfill: 2, api: 3, live: 4 }[event.source];
}

/** What a history without contexts gives each of its rows: an id of its own, so that no two seem to belong together. */
const NO_CONTEXT = "row-";
export const contextOfRow = (hash: string): string => `${NO_CONTEXT}${hash}`;

/** Whether Home Assistant has said in which context it happened. Without that nobody knows whether a person or an automation did it. */
export const hasContext = ({ context }: Pick<HomeEvent, "context">): boolean =>
  context.id !== "" && !context.id.startsWith(NO_CONTEXT);

/** Orders events of one home as stores give them: by time, then entity, a state before a removal. */
export function compareEvents(a: HomeEvent, b: HomeEvent): number {
  if (a.atUs !== b.atUs) return a.atUs - b.atUs;
  if (a.entityId !== b.entityId) return a.entityId < b.entityId ? -1 : 1;
  return Number(a.kind === "removed") - Number(b.kind === "removed");
}

/** The natural key as one string: equal keys are the same event. */
export const naturalKey = (event: Pick<HomeEvent, "homeId" | "entityId" | "atUs" | "kind">): string =>
  `${event.homeId}\n${event.entityId}\n${event.atUs}${event.kind === "removed" ? "\nremoved" : ""}`;
