import { appendFileSync, writeFileSync } from "node:fs";
import { createSqliteEventStore } from "../../lib/adapters/sqlite/event-store.ts";
import type { Aggregate } from "../../lib/analysis/ports.ts";
import { type Figures, progress } from "../support/report.ts";
import { homeDays } from "./homes.ts";
import { keep, packedBytes } from "./kept.ts";
import { aggregatesOf, type DayInfo, factsOf, weeksOf } from "./learn.ts";
import type { Info, Setting } from "./setting.ts";

const WRITE_EVENTS = 5_000;

/** Makes the home, keeps what its days teach, and the raw events of the last of them. What aggregates take is told. */
export async function prepare({ size, days, full, storePath, keptPath, infoPath }: Setting): Promise<Figures> {
  const store = createSqliteEventStore({ path: storePath });
  await store.setUp({ rawDays: days });
  const infos: DayInfo[] = [];
  const entities = new Map<string, Info["entities"][number]>();
  const weekly: Aggregate[] = [];
  let sizes: Figures = {};
  writeFileSync(keptPath, "");
  for (const day of homeDays(size, { days, full })) {
    const { events, ...info } = day;
    infos.push(info);
    const facts = factsOf(info, events);
    const made = aggregatesOf(info, facts, events.length);
    weekly.push(...made);
    appendFileSync(keptPath, made.map((one) => `${JSON.stringify(keep(one))}\n`).join(""));
    if (infos.length <= days - full) continue;
    for (const { entityId, deviceId, areaId } of events) entities.set(entityId, [entityId, deviceId, areaId]);
    for (let at = 0; at < events.length; at += WRITE_EVENTS) await store.write(events.slice(at, at + WRITE_EVENTS));
    // As the night does it: a day that has ended lies in few, large blocks. The last is still as it came.
    if (infos.length < days) await store.compact(info.homeId, info.toUs);
    sizes = { ...sizesOf(made), events: events.length, occurrences: facts.occurrences.length };
    progress(`${size.eventsPerDay} events a day: day ${infos.length} of ${days} made`);
  }
  appendFileSync(
    keptPath,
    weeksOf(weekly)
      .map((one) => `${JSON.stringify(keep(one))}\n`)
      .join(""),
  );
  writeFileSync(infoPath, JSON.stringify({ days: infos, entities: [...entities.values()] } satisfies Info));
  await store.close();
  return { ...sizes, entities: entities.size };
}

/** Of one day: as JSON, and as the store packs it. */
function sizesOf(made: readonly Aggregate[]): Figures {
  const sizes: Record<string, number> = { aggregates_raw_kb: 0, aggregates_packed_kb: 0 };
  for (const one of made) {
    const raw = Buffer.byteLength(JSON.stringify(one.rows)) / 1024;
    const packed = packedBytes(keep(one)) / 1024;
    const kind = one.kind.replaceAll("-", "_");
    Object.assign(sizes, { [`${kind}_raw_kb`]: raw, [`${kind}_packed_kb`]: packed });
    sizes.aggregates_raw_kb = (sizes.aggregates_raw_kb ?? 0) + raw;
    sizes.aggregates_packed_kb = (sizes.aggregates_packed_kb ?? 0) + packed;
  }
  return sizes;
}
