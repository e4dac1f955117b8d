import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Table } from "@aws-sdk/client-timestream-write";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAwsClient } from "../../lib/adapters/aws/client.ts";
import { createTimestreamEventStore } from "../../lib/adapters/timestream/event-store.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { systemRandom } from "../../lib/base/random.ts";
import { buildEvent, fullEvent, manyEvents } from "../support/events.ts";
import { describePeer, PeerUnavailable, peerFolder, startPeer, stopPeer } from "../support/peers.ts";
import { startSmallTimestream } from "../support/small-timestream.ts";

/** Its crate takes a quarter of an hour to build: it is used where it is built already. */
const FAKECLOUD = join(
  process.env.HEARTHLINE_PEERS ?? join(homedir(), ".cache/hearthline-peers"),
  "timestream/bin/fakecloud",
);

const TABLE = { DatabaseName: "hearthline", TableName: "events" };

const start = (peer: string, dir: string) => {
  if (peer === "timestream" && !existsSync(FAKECLOUD))
    throw new PeerUnavailable(`fakecloud is not built ("${FAKECLOUD}")`);
  return startPeer(peer, ["--dir", dir]);
};

function open(url: string, database = "hearthline") {
  const client = (service: "timestream-write" | "timestream-query") =>
    createAwsClient({
      ...{ service, region: "us-east-1", endpoint: url, clock: systemClock, random: systemRandom },
      credentials: () => ({ accessKeyId: "test", secretAccessKey: "test" }),
    });
  const [writes, queries] = [client("timestream-write"), client("timestream-query")];
  return { writes, queries, store: createTimestreamEventStore({ writes, queries, database, clock: systemClock }) };
}

/** Now, so that a peer that minds the retention takes them. */
function eventsNow() {
  const nowUs = Math.floor(Date.now() / 60_000) * 60_000_000;
  const big = buildEvent({ entityId: "light.big", attributes: { text: "é'\n🏠".repeat(900) } });
  return [...manyEvents(250), { ...fullEvent }, big].map((event, index) => ({
    ...event,
    atUs: nowUs - index * 1_000_003,
  }));
}

// What is proved here: that others' idea of the write API takes our requests. No peer evaluates our queries.
for (const peer of ["moto", "timestream"]) {
  const { dir, remove } = await peerFolder(peer);
  await describePeer(
    `Timestream in ${peer}`,
    async () => start(peer, dir),
    ({ url, version }) =>
      describe(`Timestream in ${peer} ${version}`, () => {
        const { store, writes, queries } = open(url);
        beforeAll(() => store.setUp({ rawDays: 90 }));
        afterAll(async () => {
          await stopPeer(dir);
          await remove();
        });

        it("makes the table, and sets it again", async () => {
          const tableOf = async () => (await writes.call<{ Table: Table }>("DescribeTable", TABLE)).Table;
          expect(await tableOf()).toMatchObject({
            TableStatus: "ACTIVE",
            RetentionProperties: { MemoryStoreRetentionPeriodInHours: 6, MagneticStoreRetentionPeriodInDays: 90 },
            MagneticStoreWriteProperties: { EnableMagneticStoreWrites: true },
            Schema: { CompositePartitionKey: [{ Type: "DIMENSION", Name: "home", EnforcementInRecord: "REQUIRED" }] },
          });
          await store.setUp({ rawDays: 120 });
          expect((await tableOf()).RetentionProperties?.MagneticStoreRetentionPeriodInDays).toBe(120);
          await store.setUp({ rawDays: 90 });
          await store.check();
        });

        it("takes every record that is written, split ones too, and again", async () => {
          const events = eventsNow();
          await store.write(events);
          await store.write(events);
        });

        it("refuses a table that is not there, in its words and ours", async () => {
          const nowhere = open(url, "nowhere");
          await expect(nowhere.store.write([buildEvent()])).rejects.toMatchObject({ code: "store_incompatible" });
          await expect(nowhere.store.check()).rejects.toMatchObject({ code: "store_incompatible" });
        });

        if (peer === "moto") {
          it("reads an answer that was put there for it", async () => {
            const small = await startSmallTimestream({ clock: systemClock });
            const ours = createTimestreamEventStore({
              ...{
                writes: small.client("timestream-write", systemClock),
                queries: small.client("timestream-query", systemClock),
              },
              ...{ database: "hearthline", clock: systemClock },
            });
            await ours.setUp({ rawDays: 90 });
            const [event = fullEvent] = eventsNow();
            await ours.write([event]);
            await ours.range({ homeId: "home", order: "asc", limit: 5 });
            const [statement = ""] = small.statements;
            const answer = small.tables.call("Query", { QueryString: statement });
            await small.close();
            const put = await fetch(`${url}/moto-api/static/timestream/query-results`, {
              method: "POST",
              headers: { "content-type": "application/json" },
              body: JSON.stringify({ region: "us-east-1", results: { [statement]: [answer] } }),
            });
            expect(put.status).toBe(201);
            expect((await store.range({ homeId: "home", order: "asc", limit: 5 })).events).toEqual([event]);
            // It answers nothing to all else, wrong SQL included: so this proves how answers are read, and nothing about statements.
            expect(await queries.call("Query", { QueryString: "SELECT nonsense" })).toMatchObject({ Rows: [] });
          });
        } else {
          it("counts the rows that were written", async () => {
            const { Rows } = await queries.call<{ Rows: { Data: { ScalarValue: string }[] }[] }>("Query", {
              QueryString: 'SELECT COUNT(*) FROM "hearthline"."events"',
            });
            // 252 events twice (it knows no upsert), the parts of one, and those that make the columns.
            expect(Number(Rows[0]?.Data[0]?.ScalarValue)).toBeGreaterThanOrEqual(504);
          });
        }

        it("is gone when it was dropped, and can be set up again", async () => {
          await store.drop();
          await expect(store.check()).rejects.toMatchObject({ code: "store_incompatible" });
          await store.setUp({ rawDays: 30 });
          await expect(writes.call("DescribeTable", TABLE)).resolves.toBeDefined();
          // moto breaks (500) when a database is deleted that is not there; AWS and fakecloud say so.
          if (peer === "moto") return;
          await store.drop();
          await store.drop();
        });
      }),
  );
}
