import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNodeFiles } from "../../../lib/adapters/journal/node-files.ts";
import { openJournal } from "../../../lib/adapters/journal/open.ts";
import { silentLogger } from "../../../lib/base/log.ts";
import type { Spool } from "../../../lib/relay/ports.ts";
import { type SpoolSetup, spoolConformance } from "../../conformance/spool.ts";

spoolConformance("journal", () => {
  const folder = mkdtempSync(join(tmpdir(), "hearthline-spool-"));
  let spool: Spool | undefined;
  let made = 0;
  const open = async (setup: SpoolSetup) => {
    const files = createNodeFiles(join(folder, "spool"));
    spool = await openJournal({
      ...setup,
      files,
      homeId: "home",
      log: silentLogger,
      newRelayId: () => `relay-${++made}`,
    });
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
