import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { parquetMetadata } from "hyparquet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDynamodbHotSegments } from "../../lib/adapters/dynamodb/hot-segments.ts";
import { createParquetEventStore } from "../../lib/adapters/parquet/event-store.ts";
import { createEventFileWriter } from "../../lib/adapters/parquet/file-writer.ts";
import { createFolderObjects } from "../../lib/adapters/parquet/folder-objects.ts";
import { DAY_US, dayOf, dayStartUs } from "../../lib/adapters/parquet/names.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { compareEvents, type HomeEvent } from "../../lib/event/index.ts";
import { memoryObjects } from "../adapters/parquet/memory-objects.ts";
import { eventStoreConformance } from "../conformance/event-store.ts";
import { objectStoreConformance } from "../conformance/object-store.ts";
import { tableAt } from "../support/dynalite.ts";
import { buildEvent, ENTITY_IDS, fullEvent, manyEvents, SOME_TIME_US } from "../support/events.ts";
import { describePeer, peerFolder, run, startPeer, stopPeer } from "../support/peers.ts";
import { pythonWithPyarrow } from "../support/pyarrow.ts";
import { freshS3Objects } from "../support/s3.ts";

for (const peer of ["moto", "localstack"]) {
  const { dir, remove } = await peerFolder(peer);
  await describePeer(
    `the Parquet store in ${peer}'s S3`,
    () => startPeer(peer, ["--dir", dir]),
    ({ url, version }) =>
      describe(`${peer} ${version}`, () => {
        afterAll(async () => {
          await stopPeer(dir);
          await remove();
        });
        objectStoreConformance(`bucket in ${peer}`, async () => ({
          objects: await freshS3Objects(url),
          dispose: async () => {},
        }));
        eventStoreConformance(`parquet in ${peer}`, async () => {
          const options = { objects: await freshS3Objects(url), clock: systemClock, random: seededRandom(1) };
          const make = () => createParquetEventStore(options);
          return { store: make(), reopen: async () => make(), dispose: async () => {} };
        });
      }),
  );
}

{
  const { dir, remove } = await peerFolder("dynamodb-local");
  await describePeer(
    "the Parquet store with its open days in DynamoDB Local",
    () => startPeer("dynamodb-local", ["--dir", dir]),
    ({ url, version }) =>
      describe(`dynamodb-local ${version}`, () => {
        afterAll(async () => {
          await stopPeer(dir);
          await remove();
        });
        let serial = 0;
        eventStoreConformance("parquet, open days in a table", async () => {
          const hot = createDynamodbHotSegments(await tableAt(url, `segments-${serial++}`), { keptDays: 14 });
          const options = { objects: memoryObjects(), hot, clock: systemClock, random: seededRandom(1) };
          const make = () => createParquetEventStore(options);
          return { store: make(), reopen: async () => make(), dispose: async () => {} };
        });
      }),
  );
}

/** Two days of many entities, names that sort otherwise by code units, every member, and late events. */
const DAY_ONE_US = dayStartUs(dayOf(SOME_TIME_US));
const odd = ENTITY_IDS.map((entityId, index) =>
  buildEvent({ entityId, atUs: SOME_TIME_US + 77 + index, state: "ü\u0000🏠", homeId: "Ünïcode" }),
);
const events: readonly HomeEvent[] = [
  fullEvent,
  ...odd,
  ...manyEvents(60_000, { entities: 40, stepUs: 1_500_000 }).map((event, index) => ({
    ...event,
    context: { id: createHash("sha256").update(String(index)).digest("base64url").slice(0, 26) },
    atUs: event.atUs + 1_000,
    lastChangedUs: event.lastChangedUs - (index % 3) * 1_000_000,
    ...(index % 3 === 0 && {
      value: index / 8,
      state: String(index / 8),
      oldState: "x",
      secondsInOldState: index / 1e6,
    }),
  })),
].sort(compareEvents);

interface Row {
  readonly home_id: string;
  readonly entity_id: string;
  readonly us: string;
  readonly state: string | null;
  readonly value: number | null;
}

const byEntity = (a: HomeEvent, b: HomeEvent): number =>
  (a.entityId < b.entityId ? -1 : Number(a.entityId > b.entityId)) || a.atUs - b.atUs;

/** What a reader has to find, numbers' texts left out where JavaScript would write them so. */
const rowsOf = (all: readonly HomeEvent[], isDense: boolean): Row[] =>
  all
    .map(({ homeId, entityId, atUs, state, value }) => ({
      home_id: homeId,
      entity_id: entityId,
      us: String(atUs),
      state: isDense && typeof value === "number" && String(value) === state ? null : state,
      value: typeof value === "number" ? value : null,
    }))
    .sort(byKey);
const byKey = (a: Row, b: Row): number =>
  Number(a.us) - Number(b.us) || (a.entity_id < b.entity_id ? -1 : Number(a.entity_id > b.entity_id));

describe("files, as other programs read them", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearthline-parquet-"));
    const objects = createFolderObjects({ folder: join(folder, "store"), clock: systemClock });
    const store = createParquetEventStore({ objects, clock: systemClock, random: seededRandom(1) });
    for (let at = 0; at < events.length; at += 7_000) await store.write(events.slice(at, at + 7_000));
    await store.compact("home", DAY_ONE_US + 3 * DAY_US);
    await store.compact("Ünïcode", DAY_ONE_US + 3 * DAY_US);
    const parts: Uint8Array[] = [];
    const plain = createEventFileWriter({ sink: async (bytes) => void parts.push(bytes) });
    for (let at = 0; at < events.length; at += 1_234) await plain.write(events.slice(at, at + 1_234));
    await plain.finish();
    await writeFile(join(folder, "export.parquet"), Buffer.concat(parts));
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const archive = () => join(folder, "store", "events", "*", "*", "*.parquet");
  const exported = () => join(folder, "export.parquet");

  async function duckdb<T>(sql: string): Promise<T[]> {
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    try {
      return (await connection.runAndReadAll(sql)).getRowObjectsJson() as T[];
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  }
  const SELECT = "SELECT home_id, entity_id, epoch_us(last_updated)::VARCHAR us, state, value";

  it("DuckDB finds the same rows in the archive and in an export", async () => {
    for (const [path, isDense] of [
      [archive(), true],
      [exported(), false],
    ] as const) {
      const rows = await duckdb<Row>(`${SELECT} FROM read_parquet('${path}', hive_partitioning = false)`);
      expect(rows.sort(byKey)).toEqual(rowsOf(events, isDense));
    }
  });

  it("DuckDB takes the folders for columns, and finds names that JavaScript orders otherwise than UTF-8", async () => {
    const day = dayOf(SOME_TIME_US + DAY_US);
    const wanted = events.filter((event) => dayOf(event.atUs) === day);
    expect(wanted.length).toBeGreaterThan(1_000);
    const from = `FROM read_parquet('${archive()}', hive_partitioning = true)`;
    const [found] = await duckdb<{ n: string }>(
      `SELECT count(*)::VARCHAR n ${from} WHERE day = '${day}' AND home = 'home'`,
    );
    expect(Number(found?.n)).toBe(wanted.length);
    for (const { entityId } of odd) {
      const text = entityId.replaceAll("'", "''");
      const rows = await duckdb<{ n: string }>(
        `SELECT count(*)::VARCHAR n ${from} WHERE entity_id = '${text}' AND home_id = 'Ünïcode'`,
      );
      expect(rows).toEqual([{ n: "1" }]);
    }
  });

  it("DuckDB does not read the row groups that the statistics rule out", async () => {
    const parts: Uint8Array[] = [];
    const file = createEventFileWriter({ sink: async (bytes) => void parts.push(bytes), form: "dense" });
    await file.write(events.toSorted(byEntity));
    await file.finish();
    const bytes = Buffer.concat(parts);
    // All groups but the first are no Parquet any more: who reads them fails.
    for (const { columns } of parquetMetadata(Uint8Array.from(bytes)).row_groups.slice(1)) {
      for (const { meta_data: chunk } of columns) {
        const start = Number(chunk?.dictionary_page_offset ?? chunk?.data_page_offset);
        bytes.fill(0xff, start, start + Number(chunk?.total_compressed_size));
      }
    }
    const path = join(folder, "first-group-only.parquet");
    await writeFile(path, bytes);
    const query = (where: string) =>
      duckdb<{ last: string | null }>(`SELECT max(context_id) AS last FROM '${path}' WHERE ${where}`);
    const [first] = events
      .filter(({ entityId }) => entityId === "binary_sensor.part_11")
      .map(({ context }) => context.id)
      .sort()
      .reverse();
    expect(await query("entity_id = 'binary_sensor.part_11'")).toEqual([{ last: first }]);
    expect(await query("entity_id = 'zzz.none'")).toEqual([{ last: null }]);
    expect(await query(`last_updated < make_timestamptz(${SOME_TIME_US})`)).toEqual([{ last: null }]);
    await expect(query("entity_id = 'sensor.part_9'")).rejects.toThrow();
  });

  it("the documented view gives states and old states back", async () => {
    const doc = await readFile(new URL("../../docs/stores-parquet.md", import.meta.url), "utf8");
    const view = /```sql\n(CREATE VIEW event AS[\s\S]*?;)\n```/.exec(doc)?.[1] ?? "";
    const sql = view.replace(/read_parquet\('[^']*'/, `read_parquet('${archive()}'`);
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    await connection.run(sql);
    const answer = await connection.runAndReadAll(
      "SELECT entity_id, epoch_us(last_updated)::VARCHAR us, state, old_state, seconds_in_old_state s, epoch_us(last_changed)::VARCHAR changed, context_id FROM event WHERE home_id = 'home'",
    );
    connection.closeSync();
    instance.closeSync();
    const found = new Map(answer.getRowObjectsJson().map((row) => [`${row.entity_id} ${row.us}`, row]));
    const wanted = events.filter(({ homeId }) => homeId === "home");
    expect(found.size).toBe(wanted.length);
    for (const event of wanted) {
      const row = found.get(`${event.entityId} ${event.atUs}`);
      expect(row?.old_state ?? undefined).toBe(event.oldState);
      expect(row?.s ?? undefined).toBe(event.secondsInOldState);
      expect(Number(row?.changed)).toBe(event.lastChangedUs);
      expect(row?.context_id).toBe(event.context.id);
      // DuckDB writes a whole number as 21.0.
      if (typeof event.value === "number") expect(Number(row?.state)).toBe(Number(event.state));
      else expect(row?.state).toBe(event.state);
    }
  });
});

await describePeer("pyarrow", pythonWithPyarrow, (python) =>
  describe("pyarrow", () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "hearthline-pyarrow-"));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    it.each(["plain", "dense"] as const)("finds the same rows and statistics in a %s file", async (form) => {
      const sorted = events.toSorted(byEntity);
      const parts: Uint8Array[] = [];
      const file = createEventFileWriter({ sink: async (bytes) => void parts.push(bytes), form });
      await file.write(sorted);
      await file.finish();
      const path = join(folder, `${form}.parquet`);
      await writeFile(path, Buffer.concat(parts));
      const script = `
import json, sys, pyarrow as pa, pyarrow.parquet as pq
t = pq.read_table(sys.argv[1])
c = {n: t.column(n).to_pylist() for n in ("home_id", "entity_id", "state", "value")}
us = t.column("last_updated").cast(pa.int64()).to_pylist()
m = pq.ParquetFile(sys.argv[1]).metadata
s = [m.row_group(i).column(2).statistics for i in range(m.num_row_groups)]
print(json.dumps({"rows": [dict(home_id=a, entity_id=b, us=str(u), state=s, value=v) for a, b, s, v, u in zip(c["home_id"], c["entity_id"], c["state"], c["value"], us)],
  "bounds": [[str(x.min), str(x.max)] for x in s]}))`;
      const told = JSON.parse(await run(python, ["-c", script, path])) as { rows: Row[]; bounds: [string, string][] };
      expect(told.rows.sort(byKey)).toEqual(rowsOf(events, form === "dense"));
      expect(told.bounds).toHaveLength(Math.ceil(events.length / 16_384));
      for (const [least, most] of told.bounds) expect(Date.parse(least)).toBeLessThanOrEqual(Date.parse(most));
    });
  }),
);
