import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import { readConfig } from "../../lib/wiring/config.ts";
import { createEventStore } from "../../lib/wiring/event-store.ts";
import { expectSameThrough } from "../support/backup-chain.ts";
import { describePeer, peerFolder, startPeer, stopPeer } from "../support/peers.ts";

const { dir, remove } = await peerFolder("influxdb-backup");

await describePeer(
  "backups through a real InfluxDB",
  () => startPeer("influxdb", ["--dir", dir]),
  ({ url, version }) =>
    describe(`backups through InfluxDB ${version}`, () => {
      const folder = mkdtempSync(join(tmpdir(), "hearthline-backup-peers-"));
      afterAll(async () => {
        await stopPeer(dir);
        await remove();
        rmSync(folder, { recursive: true, force: true });
      });
      const storeAt = (settings: Readonly<Record<string, string>>) => createEventStore(readConfig(settings));

      it("sqlite to parquet to influxdb and back is event for event the same", async () => {
        await expectSameThrough([
          storeAt({ HEARTHLINE_SQLITE_PATH: join(folder, "first.db") }),
          storeAt({ HEARTHLINE_STORE: "parquet", HEARTHLINE_PARQUET_URL: join(folder, "events") }),
          storeAt({
            HEARTHLINE_STORE: "influxdb",
            HEARTHLINE_INFLUXDB_URL: url,
            HEARTHLINE_INFLUXDB_DATABASE: "chain",
          }),
          storeAt({ HEARTHLINE_SQLITE_PATH: join(folder, "last.db") }),
        ]);
      });
    }),
);
