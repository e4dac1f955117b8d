/** The embedded time-series store on realistic events of one home: `npx node bench/store.bench.ts`; last line: one JSON object. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { createSqliteEventStore } from "../lib/adapters/sqlite/event-store.ts";
import { type Random, seededRandom } from "../lib/base/random.ts";
import { localTimeOf } from "../lib/base/zone.ts";
import type { HomeEvent } from "../lib/event/index.ts";
import type { RangeQuery } from "../lib/store/ports.ts";

const DAYS = 7;
const EVENTS_PER_DAY = 100_000;
const ENTITIES = 200;
const BATCH = 1_000;
const DAY_US = 86_400_000_000;
const START_US = 1_795_316_400_000_000;
/** In milliseconds, and rows: what a home needs, with room to spare on two cores. */
const GOALS = {
  insert_rows_per_second: 20_000,
  bytes_per_row: 150,
  newest_100_us: 5_000,
  entity_day_us: 20_000,
  prune_day_ms: 2_000,
};

const ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ulid = (random: Random) => `01KAMC${Array.from({ length: 20 }, () => ULID[Math.floor(random() * 32)]).join("")}`;

/** Two thirds numbers of chatty sensors (attributes repeat), some lights (brightness changes), motion, and a few players (attributes never repeat). */
function eventOf(index: number, atUs: number, random: Random): HomeEvent {
  const entity = Math.floor(random() ** 2 * ENTITIES);
  const kind =
    entity % 10 < 6 ? "sensor" : entity % 10 < 8 ? "binary_sensor" : entity % 10 === 8 ? "light" : "media_player";
  const number = Math.round(random() * 4000) / 10;
  const state = kind === "sensor" ? String(number) : random() < 0.5 ? "on" : "off";
  const attributes: Record<string, unknown> = { friendly_name: `Upstairs ${kind} number ${entity}` };
  if (kind === "sensor") {
    Object.assign(attributes, { state_class: "measurement", unit_of_measurement: "W", device_class: "power" });
  }
  if (kind === "light") {
    const brightness = Math.floor(random() * 255);
    Object.assign(attributes, { brightness, color_mode: "brightness", supported_color_modes: ["brightness"] });
  }
  if (kind === "media_player") Object.assign(attributes, { media_title: `Title ${index}`, media_position: index });
  const local = localTimeOf(atUs, "Europe/Amsterdam");
  return {
    homeId: "home",
    entityId: `${kind}.upstairs_${entity}`,
    atUs,
    lastChangedUs: atUs,
    kind: "change",
    source: "live",
    state,
    ...(kind === "sensor" ? { value: number, unit: "W", deviceClass: "power" } : { value: state === "on" }),
    quality: "ok",
    oldState: kind === "sensor" ? String(Math.round(random() * 4000) / 10) : state === "on" ? "off" : "on",
    secondsInOldState: Math.floor(random() * 600_000_000) / 1e6,
    areaId: `area_${entity % 12}`,
    deviceId: `0123456789abcdef0123456789ab${String(entity >> 1).padStart(4, "0")}`,
    domain: kind,
    localTime: local.text,
    dayPart: "morning",
    origin: "LOCAL",
    context: { id: ulid(random) },
    attributes,
    weather: { condition: "cloudy", temperature: 7 + (Math.floor(atUs / 3.6e9) % 9), humidity: 81, windSpeed: 12.5 },
  };
}

/** The median of some runs, in microseconds. */
async function medianUs(work: () => Promise<unknown>, runs = 31): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const startedMs = performance.now();
    await work();
    times.push((performance.now() - startedMs) * 1000);
  }
  return Math.round(times.sort((a, b) => a - b)[runs >> 1] ?? 0);
}

const folder = mkdtempSync(join(tmpdir(), "hearthline-bench-"));
const path = join(folder, "store.db");
const store = createSqliteEventStore({ path });
try {
  const random = seededRandom(1);
  const stepUs = DAY_US / EVENTS_PER_DAY;
  let insertMs = 0;
  let written = 0;
  for (let batch = 0; batch < (DAYS * EVENTS_PER_DAY) / BATCH; batch++) {
    const events = Array.from({ length: BATCH }, (_, offset) => {
      const index = batch * BATCH + offset;
      return eventOf(index, START_US + Math.floor(index * stepUs + random() * stepUs), random);
    });
    const startedMs = performance.now();
    await store.write(events);
    insertMs += performance.now() - startedMs;
    written += events.length;
    if (batch % 100 === 99) process.stderr.write(`${written} events written\n`);
  }
  const writingRssMb = Math.round(process.memoryUsage().rss / 1e6);
  const rows = (await store.stats({ homeId: "home" })).reduce((sum, entity) => sum + entity.count, 0);
  const statedBytes = (await store.stats({ homeId: "home" })).reduce((sum, entity) => sum + entity.bytes, 0);
  const newest = { homeId: "home", order: "desc", limit: 100 } as const;
  const middayUs = START_US + 3 * DAY_US;
  const page = (query: Partial<RangeQuery>) => medianUs(() => store.range({ ...newest, ...query }));
  const entityDay = async () => {
    const day = { homeId: "home", entityIds: ["sensor.upstairs_60"], fromUs: middayUs, toUs: middayUs + DAY_US };
    return store.range({ ...day, order: "asc", limit: 100_000 });
  };
  const day = { homeId: "home", fromUs: middayUs, toUs: middayUs + DAY_US, order: "asc", limit: 1_000_000 } as const;
  const figures = {
    insert_rows_per_second: Math.round(written / (insertMs / 1000)),
    bytes_per_row: Math.round(statSync(path).size / rows),
    stated_bytes_per_row: Math.round(statedBytes / rows),
    newest_100_us: await page({}),
    newest_100_middle_us: await page({ toUs: middayUs }),
    newest_100_entity_us: await page({ entityIds: ["sensor.upstairs_60"] }),
    newest_100_area_us: await page({ areaId: "area_3" }),
    newest_100_domain_us: await page({ domain: "sensor" }),
    entity_day_us: await medianUs(entityDay, 11),
    entity_day_rows: (await entityDay()).events.length,
    whole_day_ms: Math.round((await medianUs(() => store.range(day), 3)) / 1000),
    stats_ms: Math.round((await medianUs(() => store.stats({ homeId: "home" }), 3)) / 1000),
    prune_day_ms: Math.round((await medianUs(() => store.prune("home", START_US + DAY_US), 1)) / 1000),
    rss_writing_mb: writingRssMb,
    rss_after_whole_days_mb: Math.round(process.memoryUsage().rss / 1e6),
    rows,
  };
  const cpu = cpus();
  const machine = {
    cpu: cpu[0]?.model,
    cores: cpu.length,
    memory_gb: Math.round(totalmem() / 1e9),
    node: process.version,
  };
  process.stdout.write(`${JSON.stringify({ bench: "store", figures, goals: GOALS, machine })}\n`);
} finally {
  await store.close();
  rmSync(folder, { recursive: true });
}
