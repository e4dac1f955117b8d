import { join } from "node:path";
import { createNodeFiles } from "../adapters/journal/node-files.ts";
import { openJournal } from "../adapters/journal/open.ts";
import { takeLock } from "../adapters/sqlite/lock.ts";
import { openOldSpool } from "../adapters/sqlite/old-spool.ts";
import { systemClock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Spool } from "../relay/ports.ts";
import type { Config } from "./config.ts";

const MIB = 1_048_576;

/**
 * Opens the spool `DATA/relay/spool/` for this process alone, and takes over what version 0.1 left in `DATA/relay/spool.db`.
 * @throws HearthlineError `already_running`, `data_folder_unusable`, `service_failed`, `spool_failed`
 */
export async function openSpool(
  config: Config,
  { log, sinks }: { log: Logger; sinks: readonly string[] },
): Promise<Spool> {
  const folder = join(config.HEARTHLINE_DATA, "relay");
  const unlock = takeLock(join(folder, "spool.lock"), "relay's folder");
  let earlier: ReturnType<typeof openOldSpool>;
  const release = () => {
    earlier?.close();
    unlock();
  };
  try {
    earlier = openOldSpool(join(folder, "spool.db"));
  } catch (thrown) {
    release();
    throw thrown;
  }
  return openJournal({
    files: createNodeFiles(join(folder, "spool")),
    log,
    clock: systemClock,
    homeId: config.HEARTHLINE_HOME_ID,
    newRelayId: () => crypto.randomUUID(),
    sinks,
    maxBytes: config.HEARTHLINE_SPOOL_MAX_MB * MIB,
    minFreeBytes: config.HEARTHLINE_SPOOL_MIN_FREE_MB * MIB,
    atBound: config.HEARTHLINE_SPOOL_AT_BOUND,
    earlier,
    release,
  });
}
