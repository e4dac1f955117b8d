import { messageOf } from "../base/errors.ts";
import { type HomeEvent, STATISTICS_ORIGIN } from "../event/index.ts";
import type { IndexEntry, ReadRecord, RejectedRecord } from "../ingest/index.ts";
import { enrichEvent, type HomeFacts } from "./enrich-event.ts";
import type { HomeView } from "./own-view.ts";
import { createWeatherTimeline, readWeather, type WeatherPoint } from "./weather.ts";

/** The checked records of one envelope. */
export interface RecordsOfMessage {
  readonly messageId: string;
  readonly relayId: string;
  readonly records: readonly ReadRecord[];
}

export interface EnrichedGroup {
  readonly events: readonly HomeEvent[];
  readonly indexEntries: readonly IndexEntry[];
  /** Records at which enrichment itself failed, by message: they cost only themselves. */
  readonly failed: ReadonlyMap<string, readonly RejectedRecord[]>;
}

export interface GroupOptions {
  readonly homeId: string;
  readonly view: HomeView;
  readonly withWeather: boolean;
}

/** Enriches what one batch brings of one home. What the records say of the home itself is put into its view first, so that events beside it know it. */
export function enrichGroup(
  messages: readonly RecordsOfMessage[],
  { homeId, view, withWeather }: GroupOptions,
): EnrichedGroup {
  const indexEntries: IndexEntry[] = [];
  const points: WeatherPoint[] = [];
  for (const { relayId, records } of messages) {
    for (const { record, ...read } of records) {
      if (record.t === "registry") view.applyRegistry(record);
      if (record.t === "home") view.applyHome(record);
      if (record.t === "registry" || record.t === "capabilities" || record.t === "home") indexEntries.push(record);
      if (record.t === "relay") indexEntries.push({ ...record, relay_id: relayId });
      if (!withWeather || record.t !== "state" || !("moment" in read)) continue;
      const weather = readWeather(record);
      if (weather) points.push({ weather, atUs: read.moment.atUs });
    }
  }
  const before = view.weather;
  const facts: HomeFacts = {
    homeId,
    timeZone: view.timeZone,
    entity: view.entity,
    weatherAt: withWeather ? createWeatherTimeline(before ? [before, ...points] : points) : () => undefined,
  };
  for (const point of points) view.applyWeather(point);
  const { events, failed } = enrichRecords(messages, facts);
  indexEntries.push(...seenOf(events));
  const latest = view.weather;
  if (latest && latest !== before && points.includes(latest)) {
    indexEntries.push({ t: "weather", ...latest.weather, atUs: latest.atUs });
  }
  return { events, indexEntries, failed };
}

function enrichRecords(
  messages: readonly RecordsOfMessage[],
  facts: HomeFacts,
): Pick<EnrichedGroup, "events" | "failed"> {
  const events: HomeEvent[] = [];
  const failed = new Map<string, RejectedRecord[]>();
  for (const { messageId, records } of messages) {
    for (const read of records) {
      if (!("moment" in read)) continue;
      try {
        events.push(enrichEvent(read.record, read.moment, facts));
      } catch (thrown) {
        const detail = `The event could not be enriched: ${messageOf(thrown)}`;
        const line = JSON.stringify(read.record);
        const rejected: RejectedRecord = {
          line,
          code: "event_malformed",
          detail,
          n: read.record.n,
          place: read.record.n,
        };
        failed.set(messageId, [...(failed.get(messageId) ?? []), rejected]);
      }
    }
  }
  return { events, failed };
}

/**
 * The latest of each entity, by its id: neighbours look alike, and a seventh fewer packed bytes keep the item of a minute of a busy home within DynamoDB's first kilobyte. Of equal
 * times the later in order. A removal is no sight of the entity, nor is an hour of statistics: there are hours also of what has not changed for days.
 */
function seenOf(events: readonly HomeEvent[]): IndexEntry[] {
  const latest = new Map<string, HomeEvent>();
  for (const event of events) {
    if (event.kind === "removed" || event.origin === STATISTICS_ORIGIN) continue;
    const known = latest.get(event.entityId);
    if (!known || event.atUs >= known.atUs) latest.set(event.entityId, event);
  }
  const sorted = [...latest.values()].sort((a, b) => (a.entityId < b.entityId ? -1 : 1));
  return sorted.map(({ entityId, atUs, state, deviceClass, unit }) => ({
    t: "seen",
    entityId,
    atUs,
    state,
    ...(deviceClass !== undefined && { deviceClass }),
    ...(unit !== undefined && { unit }),
  }));
}
