import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { createDynamodbHotSegments } from "../../../lib/adapters/dynamodb/hot-segments.ts";
import { createSharedSegments } from "../../../lib/adapters/dynamodb/shared-segments.ts";
import { createParquetEventStore } from "../../../lib/adapters/parquet/event-store.ts";
import { createFolderObjects } from "../../../lib/adapters/parquet/folder-objects.ts";
import { createObjectSegments } from "../../../lib/adapters/parquet/object-segments.ts";
import type { ObjectStore } from "../../../lib/adapters/parquet/ports.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import { eventStoreConformance } from "../../conformance/event-store.ts";
import { hotSegmentsConformance } from "../../conformance/hot-segments.ts";
import { objectStoreConformance } from "../../conformance/object-store.ts";
import { share } from "../../support/depth.ts";
import { startDynaliteServer, tableAt } from "../../support/dynalite.ts";
import { startFauxqsServer } from "../../support/fauxqs.ts";
import { freshS3Objects } from "../../support/s3.ts";
import { memoryObjects } from "./memory-objects.ts";

function storeOn(objects: ObjectStore, dispose: () => Promise<void>) {
  const options = { objects, clock: systemClock, random: seededRandom(1) };
  const make = () => createParquetEventStore(options);
  return { store: make(), reopen: async () => make(), dispose };
}

async function folderObjects() {
  const folder = await mkdtemp(join(tmpdir(), "hearthline-parquet-"));
  const objects = createFolderObjects({ folder: join(folder, "events"), clock: systemClock });
  return { objects, dispose: () => rm(folder, { recursive: true, force: true }) };
}

objectStoreConformance("memory", async () => ({ objects: memoryObjects(), dispose: async () => {} }));
objectStoreConformance("folder", folderObjects);

// All of the volume: npm run test:peers.
eventStoreConformance(
  "parquet in a folder",
  async () => {
    const { objects, dispose } = await folderObjects();
    return storeOn(objects, dispose);
  },
  { share: share(0.3) },
);

describe("on fauxqs's S3", () => {
  let fauxqs: Awaited<ReturnType<typeof startFauxqsServer>>;
  beforeAll(async () => {
    fauxqs = await startFauxqsServer();
  });
  afterAll(() => fauxqs.stop());
  const fresh = () => freshS3Objects(fauxqs.url);

  objectStoreConformance("fauxqs", async () => ({ objects: await fresh(), dispose: async () => {} }));
  // Here it is what each request costs that takes the time.
  const traits = { share: share(0.1) };
  eventStoreConformance("parquet in a bucket", async () => storeOn(await fresh(), async () => {}), traits);
});

describe("segments in DynamoDB", () => {
  let dynalite: Awaited<ReturnType<typeof startDynaliteServer>>;
  let serial = 0;
  beforeAll(async () => {
    dynalite = await startDynaliteServer();
  });
  afterAll(() => dynalite.stop());

  const newKey = () => randomBytes(32);
  eventStoreConformance(
    "parquet, its open days in the table and in shared objects",
    async () => {
      const objects = memoryObjects();
      const table = await tableAt(dynalite.url, `segments-${serial++}`);
      const shared = createSharedSegments({ objects, newKey, clock: systemClock });
      const make = () => {
        const hot = createDynamodbHotSegments(table, { keptDays: 14, shared });
        return createParquetEventStore({ objects, hot, clock: systemClock, random: seededRandom(1) });
      };
      return { store: make(), reopen: async () => make(), dispose: async () => {} };
    },
    { share: 0.1 },
  );
  // The whole store upon items alone: tests/peers/parquet.test.ts.
  hotSegmentsConformance("table", async () =>
    createDynamodbHotSegments(await tableAt(dynalite.url, `segments-${serial++}`), { keptDays: 14 }),
  );
  hotSegmentsConformance("table and shared objects", async () => {
    const shared = createSharedSegments({ objects: memoryObjects(), newKey, clock: systemClock });
    return createDynamodbHotSegments(await tableAt(dynalite.url, `segments-${serial++}`), { keptDays: 14, shared });
  });
});

hotSegmentsConformance("objects", async () => createObjectSegments(memoryObjects()));
