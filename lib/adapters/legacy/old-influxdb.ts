import type { Clock } from "../../base/clock.ts";
import type { OldDescription, OldScan, OldSystem, Plan } from "../../migration/ports.ts";
import { recordCut } from "./cut-record.ts";
import { createInfluxSink } from "./influx-sink.ts";
import { toLine } from "./line-protocol.ts";
import { clockSkewMs, jsonOf } from "./old-ask.ts";
import { influxLimits } from "./old-influx-limits.ts";
import { createInfluxOld, type InfluxOld } from "./old-influx-query.ts";
import { influxRange } from "./old-influx-range.ts";
import { endRow, readCounts, readWindow } from "./old-influx-rows.ts";
import { type InfluxSchema, readSchema } from "./old-influx-schema.ts";
import type { OldOptions, OldSecrets } from "./old-options.ts";
import { eventsIn } from "./old-row.ts";
import { scanWindows } from "./old-windows.ts";
import { writeThrough } from "./old-write.ts";

const TIMEOUT_MS = 60_000;
const WRITE_MAX_EVENTS = 5_000;
const NOT_WRITTEN =
  "Home Assistant's integration writes none of this: a removal, or a state that is unknown, unavailable, empty or no finite number";
/** For readers the schema is read again after this time (a new unit is a new measurement), and not for each page: it would cost as much as the page. */
const SCHEMA_MS = 2_000;

/** What Home Assistant's `influxdb` integration has filled (or the relay's sink, which writes the same), read by InfluxQL: 1.x, or a later server with its 1.x interface. */
export function createOldInfluxdb(old: Plan["old"], secrets: OldSecrets, options: OldOptions): OldSystem {
  const { clock } = options;
  const limits = influxLimits(old.precision);
  const influx = createInfluxOld({
    ...{ url: old.url, database: old.database, ...secrets },
    fetch: options.fetch ?? fetch,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
  });
  const schema = keptSchema(influx, clock);
  const sink = createInfluxSink({
    ...{ name: "old", url: old.url, database: old.database, flushMs: 0, clock },
    ...withoutAbsent(secrets),
    ...(old.measurement !== undefined && { defaultMeasurement: old.measurement }),
  });
  return {
    kind: "influxdb",
    name: `${old.url} ${old.database}`,
    limits,
    describe: async () => describe(influx, { schema: await schema.fresh(), database: old.database, clock }),
    async *scan(query: OldScan) {
      const asked = { schema: await schema.fresh(), entityIds: query.entityIds };
      yield* scanWindows((window, max) => readWindow(influx, { ...asked, ...window, max }), query);
    },
    counts: async (query) => readCounts(influx, { schema: await schema.fresh(), ...query }),
    async range(query) {
      const [known, eventOf] = await Promise.all([schema.recent(), eventsIn(query.homeId, options)]);
      return influxRange(influx, query, { schema: known, eventOf });
    },
    async write(events) {
      const written = await writeThrough(events, {
        sink,
        encode: (record) =>
          record.t === "state" ? toLine(recordCut(record, limits.precisionUs), old.measurement) : undefined,
        notHeld: NOT_WRITTEN,
        maxEvents: WRITE_MAX_EVENTS,
      });
      schema.forget();
      return written;
    },
    close: async () => {},
  };
}

const withoutAbsent = ({ token, user, password }: OldSecrets) => ({
  ...(token !== undefined && { token }),
  ...(user !== undefined && { user }),
  ...(password !== undefined && { password }),
});

function keptSchema(influx: InfluxOld, clock: Clock) {
  let kept: { readonly atMs: number; readonly schema: InfluxSchema } | undefined;
  const fresh = async (): Promise<InfluxSchema> => {
    const schema = await readSchema(influx);
    kept = { atMs: clock.monotonicMs(), schema };
    return schema;
  };
  return {
    fresh,
    recent: async () => (kept && clock.monotonicMs() - kept.atMs < SCHEMA_MS ? kept.schema : fresh()),
    forget: () => {
      kept = undefined;
    },
  };
}

interface Describing {
  readonly schema: InfluxSchema;
  readonly database: string;
  readonly clock: Clock;
}

async function describe(influx: InfluxOld, { schema, database, clock }: Describing): Promise<OldDescription> {
  const ping = await influx.get("/ping");
  const skew = clockSkewMs(ping.headers, clock.nowMs());
  const oldestUs = await endRow(influx, schema, "ASC");
  const newestUs = await endRow(influx, schema, "DESC");
  return {
    product: `InfluxDB ${ping.headers.get("x-influxdb-version") ?? "(version unknown)"}`,
    schema: schema.fingerprint,
    ...(skew !== undefined && { clockSkewMs: skew }),
    ...(oldestUs !== undefined && { oldestUs }),
    ...(newestUs !== undefined && { newestUs }),
    ...(await figures(influx, database)),
  };
}

interface Vars {
  readonly memstats?: { readonly Sys?: unknown; readonly HeapReleased?: unknown };
}

/** `/debug/vars` of 1.x; other servers have none, and are none the worse for it. `rowsTaken` counts since the server's start. */
async function figures(
  influx: InfluxOld,
  database: string,
): Promise<Pick<OldDescription, "memoryBytes" | "rowsTaken">> {
  let vars: Vars & Readonly<Record<string, unknown>>;
  try {
    const answer = await influx.get("/debug/vars");
    if (answer.status !== 200) return {};
    vars = jsonOf(answer) as typeof vars;
  } catch {
    return {};
  }
  const { Sys, HeapReleased } = vars.memstats ?? {};
  const shards = Object.entries(vars).flatMap(([name, entry]) => {
    const { tags, values } = (entry ?? {}) as { tags?: { database?: string }; values?: { writePointsOk?: number } };
    return name.startsWith("shard:") && tags?.database === database ? [values?.writePointsOk ?? 0] : [];
  });
  return {
    ...(typeof Sys === "number" && { memoryBytes: Sys - (typeof HeapReleased === "number" ? HeapReleased : 0) }),
    ...(shards.length > 0 && { rowsTaken: shards.reduce((sum, count) => sum + count, 0) }),
  };
}
