import type { ByteReader } from "./bytes.ts";
import { damaged } from "./damaged.ts";
import * as layout from "./layout.ts";
import { readTexts } from "./texts.ts";

export type Columns = Record<layout.Column, Float64Array>;

export interface Body {
  readonly homeId: string;
  readonly count: number;
  readonly marks: number;
  readonly names: readonly string[];
  readonly states: readonly string[];
  readonly json: readonly string[];
  /** The JSON values that were asked for, each parsed once: events share them. */
  readonly parsed: unknown[];
  readonly series: Float64Array;
  readonly columns: Readonly<Columns>;
  readonly values: Float64Array;
  readonly lastedDoubles: Float64Array;
  readonly random: Uint8Array;
}

export function readBody(reader: ByteReader, head: Pick<Body, "homeId" | "count" | "marks" | "random">): Body {
  const [names, states, json] = [readTexts(reader), readTexts(reader), readTexts(reader)];
  const series = reader.ints();
  const columns = Object.fromEntries(layout.COLUMNS.map((name) => [name, reader.ints()])) as Columns;
  for (const name of ["flags", "times", "series"] as const) {
    if (columns[name].length !== head.count) throw damaged(`it should hold ${head.count} events`);
  }
  return {
    ...head,
    names,
    states,
    json,
    parsed: [],
    series,
    columns,
    values: reader.doubles(),
    lastedDoubles: reader.doubles(),
  };
}

export const at = <T>(values: ArrayLike<T>, index: number): T => {
  const value = values[index];
  if (value === undefined) throw damaged("a number in it leads nowhere");
  return value;
};

/** A row of the series table, and what its entity had in its row before. */
export interface SeriesRow {
  readonly entity: Entity;
  readonly areaId: string | undefined;
  readonly deviceId: string | undefined;
  readonly domain: string;
  readonly deviceClass: string | undefined;
  readonly unit: string | undefined;
  readonly origin: string;
}
export interface Entity {
  readonly entityId: string;
  readonly isWanted: boolean;
  lastChangedUs: number;
  /** undefined: the decimal below, not made into text yet. */
  state: string | undefined;
  /** Whether the state is the decimal below. */
  isDecimal: boolean;
  mantissa: number;
  decimals: number;
  attributes: number;
}
export function seriesRows(body: Body, wanted: ReadonlySet<string> | undefined): SeriesRow[] {
  const { names, series } = body;
  const name = (code: number): string | undefined => (code === 0 ? undefined : at(names, code - 1));
  const entities = new Map<string, Entity>();
  const rows: SeriesRow[] = [];
  for (let from = 0; from < series.length; from += layout.SERIES_MEMBERS) {
    const [entityId = "", areaId, deviceId, domain = "", deviceClass, unit, origin = ""] = Array.from(
      series.subarray(from, from + layout.SERIES_MEMBERS),
      name,
    );
    let entity = entities.get(entityId);
    if (!entity) {
      entity = newEntity(entityId, wanted === undefined || wanted.has(entityId));
      entities.set(entityId, entity);
    }
    rows.push({ entity, areaId, deviceId, domain, deviceClass, unit, origin });
  }
  return rows;
}

const newEntity = (entityId: string, isWanted: boolean): Entity => ({
  entityId,
  isWanted,
  lastChangedUs: 0,
  state: "",
  isDecimal: false,
  mantissa: 0,
  decimals: 0,
  attributes: 0,
});

/** What an event can be chosen by beside its key; what is absent excludes nothing. */
export interface BlockTags {
  readonly areaId?: string | undefined;
  readonly deviceId?: string | undefined;
  readonly domain?: string | undefined;
}

export function entitiesOf(body: Body, { areaId, deviceId, domain }: BlockTags): string[] {
  const found = new Set<string>();
  for (const row of seriesRows(body, undefined)) {
    const isWanted =
      (areaId === undefined || row.areaId === areaId) &&
      (deviceId === undefined || row.deviceId === deviceId) &&
      (domain === undefined || row.domain === domain);
    if (isWanted) found.add(row.entity.entityId);
  }
  return [...found];
}
