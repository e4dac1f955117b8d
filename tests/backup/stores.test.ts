import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, it } from "vitest";
import { readConfig } from "../../lib/wiring/config.ts";
import { createEventStore } from "../../lib/wiring/event-store.ts";
import { expectSameThrough } from "../support/backup-chain.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-backup-stores-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const storeAt = (name: string, settings: Readonly<Record<string, string>>) =>
  createEventStore(readConfig({ HEARTHLINE_SQLITE_PATH: join(folder, `${name}.db`), ...settings }));

it("sqlite to parquet and back is event for event the same", async () => {
  const parquet = { HEARTHLINE_STORE: "parquet", HEARTHLINE_PARQUET_URL: join(folder, "events") };
  await expectSameThrough([storeAt("first", {}), storeAt("parquet", parquet), storeAt("last", {})]);
});
