import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDynamodbHotSegments } from "../../../lib/adapters/dynamodb/hot-segments.ts";
import { segmentKey } from "../../../lib/adapters/dynamodb/keys.ts";
import { createSharedSegments } from "../../../lib/adapters/dynamodb/shared-segments.ts";
import type { NewSegment } from "../../../lib/adapters/parquet/ports.ts";
import { startDynaliteServer, tableAt } from "../../support/dynalite.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { memoryObjects } from "../parquet/memory-objects.ts";

let server: Awaited<ReturnType<typeof startDynaliteServer>>;
let serial = 0;
beforeAll(async () => {
  server = await startDynaliteServer();
});
afterAll(() => server.stop());

const DAY = "2026-11-22";
const secretOf = (homeId: string): Buffer => Buffer.alloc(5_300, `what happens in ${homeId}; `);
const segmentOf = (homeId: string, name = "0001-a", bytes: Uint8Array = secretOf(homeId)): NewSegment => ({
  ...{ homeId, bytes },
  segment: { day: DAY, name },
});

async function place() {
  const clock = manualClock(Date.parse("2026-11-22T06:00:00Z"));
  const name = `shared-${serial++}`;
  const table = await tableAt(server.url, name, { clock });
  const files = new Map<string, Uint8Array>();
  const objects = memoryObjects(files);
  const shared = createSharedSegments({ objects, newKey: () => randomBytes(32), clock });
  const open = () => createDynamodbHotSegments(table, { keptDays: 14, shared });
  return { table, files, open, clock, objects, name };
}

describe("segments of several homes in one object", () => {
  it("cost one request; each home reads its own, and nobody who has the object reads any", async () => {
    const { files, open } = await place();
    const homes = Array.from({ length: 10 }, (_, index) => `home-${index}`);
    await open().append(homes.map((homeId) => segmentOf(homeId)));
    expect([...files.keys()]).toEqual([expect.stringMatching(/^hot\/shared\/day=2026-11-22\/[0-9a-f]{32}\.seg$/)]);
    for (const bytes of files.values()) expect(Buffer.from(bytes).includes("what happens")).toBe(false);
    for (const homeId of homes) {
      const found = await open().get(homeId, DAY, ["0001-a"]);
      expect(Buffer.from(found.get("0001-a") ?? []).equals(secretOf(homeId))).toBe(true);
    }
  });

  it("stay in their items where that costs less: a few, and small ones", async () => {
    const { files, open, table } = await place();
    await open().append([segmentOf("home", "0001-a", new Uint8Array(4_000))]);
    await open().append(
      Array.from({ length: 25 }, (_, index) => segmentOf(`h${index}`, "0001-a", new Uint8Array(800))),
    );
    expect(files.size).toBe(0);
    // Beside large ones a small one stays in its item, where it needs no request to be read.
    await open().append([
      ...["a", "b", "c"].map((homeId) => segmentOf(homeId)),
      segmentOf("small", "1", Buffer.from([7])),
    ]);
    expect(files.size).toBe(1);
    expect((await table.get(segmentKey("small", { day: DAY, name: "1" })))?.bytes).toBeInstanceOf(Uint8Array);
    expect((await table.get(segmentKey("a", { day: DAY, name: "0001-a" })))?.bytes).toBeUndefined();
  });

  it("are gone for ever with their items, though the object stays for the others", async () => {
    const { files, open, table } = await place();
    const hot = open();
    await hot.append(["a", "b", "c"].map((homeId) => segmentOf(homeId)));
    await hot.remove("a", DAY, ["0001-a"]);
    expect((await hot.get("a", DAY, ["0001-a"])).size).toBe(0);
    expect(await table.get(segmentKey("a", { day: DAY, name: "0001-a" }))).toBeUndefined();
    expect((await hot.get("b", DAY, ["0001-a"])).size).toBe(1);
    expect(files.size).toBe(1);
    await hot.drop();
    expect(files.size).toBe(0);
  });

  it("are taken for gone when their object is, and a damaged one is told from that", async () => {
    const { files, open } = await place();
    await open().append(["a", "b", "c"].map((homeId) => segmentOf(homeId)));
    const [[name, bytes] = ["", new Uint8Array()]] = files;
    files.set(
      name,
      bytes.map((byte, index) => (index === 100 ? byte ^ 1 : byte)),
    );
    await expect(open().get("a", DAY, ["0001-a"])).rejects.toMatchObject({ code: "store_damaged" });
    expect((await open().get("b", DAY, ["0001-a"])).size).toBe(1);
    files.clear();
    expect((await open().get("b", DAY, ["0001-a"])).size).toBe(0);
  });

  it("leave nothing to be read when the object could not be put", async () => {
    const { open, objects } = await place();
    objects.put = async () => {
      throw new Error("away");
    };
    await expect(open().append(["a", "b", "c"].map((homeId) => segmentOf(homeId)))).rejects.toThrow("away");
    expect(await open().list("a", DAY, DAY)).toEqual([]);
  });
});

describe("segments in the table", () => {
  it("go by the table's expiry if nobody removes them, and are not read beyond it", async () => {
    const { table: plain, open, clock, name } = await place();
    await open().append([segmentOf("home", "0001-a", new Uint8Array(10))]);
    const item = await plain.get(segmentKey("home", { day: DAY, name: "0001-a" }));
    expect(item?.expires_at).toBe(Math.ceil(clock.nowMs() / 1000) + 14 * 86_400);
    // DynamoDB deletes what has expired days late: our own filter, by our clock.
    const later = manualClock(clock.nowMs() + 14 * 86_400_000 + 1_000);
    const table = await tableAt(server.url, name, { clock: later });
    const hot = createDynamodbHotSegments(table, { keptDays: 14 });
    expect(await hot.list("home", DAY, DAY)).toEqual([]);
    expect((await hot.get("home", DAY, ["0001-a"])).size).toBe(0);
  });
});
