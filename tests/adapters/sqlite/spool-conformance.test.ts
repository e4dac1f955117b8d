import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSqliteSpool } from "../../../lib/adapters/sqlite/spool.ts";
import { silentLogger } from "../../../lib/base/log.ts";
import type { Spool } from "../../../lib/relay/ports.ts";
import { type SpoolSetup, spoolConformance } from "../../conformance/spool.ts";

spoolConformance("sqlite", () => {
  const folder = mkdtempSync(join(tmpdir(), "hearthline-spool-"));
  let spool: Spool | undefined;
  let made = 0;
  const open = (setup: SpoolSetup) => {
    const path = join(folder, "spool.db");
    spool = createSqliteSpool({ ...setup, path, log: silentLogger, newRelayId: () => `relay-${++made}` });
    return spool;
  };
  return {
    open,
    reopen: async (setup) => {
      await spool?.close();
      return open(setup);
    },
    cleanUp: async () => {
      await spool?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});
