import * as z from "zod";
import { DAY_PARTS, EVENT_KINDS, EVENT_SOURCES, type HomeEvent, type Quality } from "../event/index.ts";
import type { Tile } from "../series/index.ts";
import type { TableItem } from "./ports.ts";

/** One day by UTC. Tiles of this width stand in the file, and are compared with the store's. */
export const TILE_WIDTH_US = 86_400_000_000;

export const MANIFEST = "manifest";
export const SETTINGS = "settings";
export const TABLE = "table";
export const SECRETS = "secrets";
export const EVENTS = "events";
export const TILES = "tiles";
export const END = "end";

const KNOWN: ReadonlySet<string> = new Set([MANIFEST, SETTINGS, TABLE, SECRETS, EVENTS, TILES, END]);
/** What a reader that does not know it may leave out: it can be made anew from the rest. */
export const isDerived = (section: string): boolean => section.startsWith("derived-");
export const isKnown = (section: string): boolean => KNOWN.has(section);

const count = z.int().nonnegative();

/** The first line of the file. */
const manifestSchema = z.object({
  format: z.literal("hearthline-backup"),
  home_id: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/),
  created_at: z.iso.datetime(),
  hearthline: z.string(),
  store: z.string(),
  table_layout: count,
  has_secrets: z.boolean(),
});
export type Manifest = Readonly<z.infer<typeof manifestSchema>>;

/** The last line: what must have been read by then. */
const endSchema = z.object({
  /** Every event that the ledger of this file calls arrived is in this file. */
  settled: z.boolean(),
  waited_seconds: z.number().nonnegative(),
  /** Messages for the store that had been set aside: their events are in no store. */
  set_aside: count,
  sections: z.record(z.string(), z.object({ chunks: count, items: count, bytes: count })),
  /** Items of the table, by kind. */
  kinds: z.record(z.string(), count),
  first_us: z.int().optional(),
  last_us: z.int().optional(),
});
export type End = Readonly<z.infer<typeof endSchema>>;

const itemSchema = z.object({
  key: z.string().min(1),
  kind: z.string(),
  values: z.record(z.string(), z.unknown()),
  bytes: z.record(z.string(), z.base64()).optional(),
});

const tileSchema = z.tuple([
  // Not `int`: the day in which the first of all times lies begins before it.
  z.number().multipleOf(TILE_WIDTH_US),
  count,
  z.string().regex(/^[0-9a-f]{1,16}$/),
  z.string().regex(/^[0-9a-f]{1,16}$/),
]);

const settingsSchema = z.record(z.string(), z.string());

/** Undefined: it is not what such a line is. */
const parsed = <T>(schema: z.ZodType<T>, line: string): T | undefined => schema.safeParse(jsonOf(line)).data;

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

export const readManifest = (line: string): Manifest | undefined => parsed(manifestSchema, line);
export const readSettings = (line: string): Record<string, string> | undefined => parsed(settingsSchema, line);
export const readEnd = (line: string): End | undefined => parsed(endSchema, line);

export function readItem(line: string, isSecret: boolean): TableItem | undefined {
  const item = parsed(itemSchema, line);
  if (!item) return undefined;
  const { key, kind, values, bytes } = item;
  // What an item is goes by its key; a count by another name would hide it.
  if (key.split("#", 1)[0] !== kind) return undefined;
  return { key, kind, isSecret, values, ...(bytes && { bytes }) };
}
export const itemLine = ({ isSecret: _, ...item }: TableItem): string => JSON.stringify(item);

export const tileLine = ({ fromUs, count, sumA, sumB }: Tile): string =>
  JSON.stringify([fromUs, count, sumA.toString(16), sumB.toString(16)]);
export function readTile(line: string): Tile | undefined {
  const tile = parsed(tileSchema, line);
  return tile && { fromUs: tile[0], count: tile[1], sumA: BigInt(`0x${tile[2]}`), sumB: BigInt(`0x${tile[3]}`) };
}

/** The home stands in the manifest: in 3 million events its name would only be repeated. */
export const eventLine = (event: HomeEvent): string => JSON.stringify({ ...event, homeId: undefined });

const KINDS: ReadonlySet<unknown> = new Set(EVENT_KINDS);
const SOURCES: ReadonlySet<unknown> = new Set(EVENT_SOURCES);
const QUALITIES: ReadonlySet<unknown> = new Set<Quality>(["ok", "unknown", "unavailable"]);
const PARTS_OF_DAY: ReadonlySet<unknown> = new Set(DAY_PARTS);
const TEXTS = ["state", "domain", "localTime", "origin"] as const;
const TEXTS_OR_NONE = ["unit", "oldState", "areaId", "deviceId", "deviceClass"] as const;
const WEATHER_NUMBERS = ["temperature", "humidity", "windSpeed", "pressure"] as const;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isTextOrNone = (value: unknown): boolean => value === undefined || typeof value === "string";
const isNumberOrNone = (value: unknown): boolean => value === undefined || Number.isFinite(value);
const isWeather = (weather: unknown): boolean =>
  isObject(weather) &&
  typeof weather.condition === "string" &&
  WEATHER_NUMBERS.every((name) => isNumberOrNone(weather[name]));

/** Its checksums have proved that it is what was written; this proves that it is an event. Undefined: it is none. */
export function readEvent(line: string, homeId: string): HomeEvent | undefined {
  const event = jsonOf(line) as Partial<HomeEvent> | null | undefined;
  if (typeof event !== "object" || event === null) return undefined;
  const { entityId, atUs, lastChangedUs, kind, source, attributes, context, value, weather } = event;
  const isEvent =
    typeof entityId === "string" &&
    entityId !== "" &&
    Number.isSafeInteger(atUs) &&
    Number.isSafeInteger(lastChangedUs) &&
    KINDS.has(kind) &&
    SOURCES.has(source) &&
    QUALITIES.has(event.quality) &&
    PARTS_OF_DAY.has(event.dayPart) &&
    TEXTS.every((name) => typeof event[name] === "string") &&
    TEXTS_OR_NONE.every((name) => isTextOrNone(event[name])) &&
    isNumberOrNone(event.secondsInOldState) &&
    (isNumberOrNone(value) || typeof value === "boolean") &&
    isObject(context) &&
    typeof context.id === "string" &&
    isTextOrNone(context.parentId) &&
    isTextOrNone(context.userId) &&
    (weather === undefined || isWeather(weather)) &&
    isObject(attributes);
  return isEvent ? ({ ...event, homeId } as HomeEvent) : undefined;
}
