import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createSqliteEventStore } from "../../../lib/adapters/sqlite/event-store.ts";
import { eventStoreConformance } from "../../conformance/event-store.ts";

/** Names of places at which a write can break: nobody gets the lock, or the disk fails at this table. */
const PLACES = ["lock", "segment", "day", "rollup"] as const;

eventStoreConformance("sqlite", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hearthline-store-"));
  let path = join(folder, "store.db");
  let crashes = 0;
  const opened: { close(): Promise<void> }[] = [];
  const open = () => {
    const store = createSqliteEventStore({ path, busyTimeoutMs: 0 });
    opened.push(store);
    return store;
  };
  let store = open();
  return {
    store,
    reopen: async () => {
      await store.close();
      store = open();
      return store;
    },
    // The file and its log as they lie on the disk; the old ones stay open.
    crash: async () => {
      const left = join(folder, `after-crash-${++crashes}.db`);
      for (const end of ["", "-wal"]) if (existsSync(path + end)) copyFileSync(path + end, left + end);
      path = left;
      store = open();
      return store;
    },
    breakNext: (choice) => {
      const place = PLACES[choice % PLACES.length] ?? "lock";
      const other = new DatabaseSync(path);
      if (other.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'segment'").get() === undefined) {
        other.close();
        return () => {};
      }
      const fault = `CREATE TRIGGER fault BEFORE INSERT ON ${place} BEGIN SELECT RAISE(ABORT, 'the disk fails'); END`;
      other.exec(place === "lock" ? "BEGIN IMMEDIATE" : fault);
      const [file, faulty] = [path, other];
      return () => {
        faulty.exec(place === "lock" ? "ROLLBACK" : "DROP TRIGGER fault");
        faulty.close();
        // What a crash left in between has the fault as well.
        if (path === file || place === "lock") return;
        const copy = new DatabaseSync(path);
        copy.exec("DROP TRIGGER IF EXISTS fault");
        copy.close();
      };
    },
    dispose: async () => {
      for (const each of opened) await each.close();
      rmSync(folder, { recursive: true });
    },
  };
});
