import type { Microseconds } from "../../base/time.ts";
import type { HistoryChunk, HistorySource } from "../../history/ports.ts";
import type { OldSystem, Plan } from "../../migration/ports.ts";
import { createInfluxSource } from "../influxdb-reader/source.ts";
import type { OldOptions, OldSecrets } from "./old-options.ts";

export interface OldPastOptions extends Pick<OldOptions, "fetch"> {
  readonly isIncluded: (entityId: string) => boolean;
  /** Absent: OLD's oldest row. */
  readonly fromUs?: Microseconds | undefined;
  /** Not included. */
  readonly toUs: Microseconds;
  /** OLD itself, of the same plan. */
  readonly system: OldSystem;
}

/**
 * OLD's past as an import reads it, from InfluxDB with attributes, though they are not compared. Its positions are a few words however many entities there are, so that they fit where a migration
 * keeps what it remembers.
 */
export function createOldPast(old: Plan["old"], secrets: OldSecrets, options: OldPastOptions): HistorySource {
  return old.kind === "influxdb" ? influxPast(old, secrets, options) : httpPast(old, options);
}

/** Up to which point of which entity; entities before it (ascending) are read. */
interface EntityPlace {
  readonly entityId: string;
  readonly atUs: Microseconds;
  readonly fraction: number;
}

function influxPast(old: Plan["old"], { user, password, token }: OldSecrets, options: OldPastOptions): HistorySource {
  const { isIncluded, fromUs, toUs } = options;
  const shared = {
    ...{ url: old.url, database: old.database, user, password: user === undefined ? token : password, fromUs, toUs },
    ...(options.fetch && { fetch: options.fetch }),
  };
  async function* read(position: unknown, signal: AbortSignal): AsyncGenerator<HistoryChunk> {
    let place = position as EntityPlace | undefined;
    const begin = place;
    const source = createInfluxSource({
      ...shared,
      isIncluded: (entityId) => isIncluded(entityId) && (begin === undefined || entityId >= begin.entityId),
    });
    const inner = begin && { read: { [begin.entityId]: begin.atUs } };
    const done = begin?.fraction ?? 0;
    for await (const chunk of source.read(inner, signal)) {
      const last = chunk.rows.at(-1);
      const fraction = done + (1 - done) * chunk.fraction;
      if (last) place = { entityId: last.entityId, atUs: last.atUs, fraction };
      yield { ...chunk, fraction, position: place };
    }
  }
  return { ...createInfluxSource({ ...shared, isIncluded }), read };
}

interface TimePlace {
  readonly fromUs: Microseconds;
  /** Where it began. */
  readonly firstUs: Microseconds;
}

/** In the order of time: after a piece all is read that is older than its last row. */
function httpPast(old: Plan["old"], { system, isIncluded, fromUs, toUs }: OldPastOptions): HistorySource {
  async function* read(position: unknown, signal: AbortSignal): AsyncGenerator<HistoryChunk> {
    const place = position as TimePlace | undefined;
    const firstUs = place?.firstUs ?? fromUs ?? (await system.describe()).oldestUs;
    if (firstUs === undefined) return;
    for await (const piece of system.scan({ fromUs: place?.fromUs ?? firstUs, toUs })) {
      const nextUs = (piece.at(-1)?.atUs ?? firstUs) + 1;
      yield {
        rows: piece
          .filter(({ entityId }) => isIncluded(entityId))
          .map(({ attributes = {}, ...row }) => ({ ...row, attributes })),
        rejected: [],
        position: { fromUs: nextUs, firstUs } satisfies TimePlace,
        fraction: Math.min(1, (nextUs - firstUs) / Math.max(1, toUs - firstUs)),
      };
      if (signal.aborted) return;
    }
  }
  const { host } = new URL(old.url);
  return {
    ...{ kind: "old", name: old.url, identity: host, placeName: "row" },
    entityIds: async () => undefined,
    read,
    close: async () => {},
  };
}
