import { messageOf } from "../../base/errors.ts";
import type { Spool } from "../../relay/ports.ts";
import { Journal } from "./journal.ts";
import { type JournalOptions, spoolFailed } from "./options.ts";
import { recover } from "./recover.ts";
import { JournalSpool } from "./spool.ts";
import { StateFile } from "./state-file.ts";
import { adopt } from "./take-over.ts";

/**
 * The spool as an append-only journal in segments (format.ts, state-file.ts). A number that was given is on the disk.
 * Damage never keeps it from opening: what is gone is declared lost, what is damaged is set aside, never deleted.
 * @throws HearthlineError `data_folder_unusable` (a newer program's files, another home's), `spool_failed` (it cannot be read, or a new one cannot be made)
 */
export async function openJournal(options: JournalOptions): Promise<Spool> {
  if (options.sinks.length === 0) throw new RangeError("The spool was opened for no sink; wanted is at least one.");
  const stateFile = new StateFile(options.files);
  try {
    const found = await recover(options, stateFile);
    const journal = new Journal({ ...found, stateFile }, options);
    if (options.earlier && found.hasStranger) await adopt(journal, options.earlier);
    const spool = new JournalSpool(journal, options);
    try {
      await journal.writeLosses();
      await journal.removeDone();
    } catch (thrown) {
      options.log.warn("The spool opens, but cannot be written yet.", { error: messageOf(thrown) });
    }
    await spool.start();
    return spool;
  } catch (thrown) {
    await stateFile.close();
    options.release?.();
    throw spoolFailed("Opening", options.files.path, thrown);
  }
}
