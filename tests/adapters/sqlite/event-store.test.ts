import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSqliteEventStore } from "../../../lib/adapters/sqlite/event-store.ts";
import { eventStoreConformance } from "../../conformance/event-store.ts";

eventStoreConformance("sqlite", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hearthline-store-"));
  const open = () => createSqliteEventStore({ path: join(folder, "store.db") });
  let store = open();
  return {
    store,
    reopen: async () => {
      await store.close();
      store = open();
      return store;
    },
    dispose: async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
});
