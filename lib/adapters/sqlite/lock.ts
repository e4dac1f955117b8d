import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { HearthlineError, messageOf } from "../../base/errors.ts";
import { fileProblemOf } from "../../base/file-errors.ts";

/**
 * Takes a lock that ends with the process, however it ends: the operating system's, on an empty SQLite file (node has no other way to ask for one).
 * Gives the function that lets go. Nothing is written, so a full disk does not matter.
 * @throws HearthlineError `already_running`, `data_folder_unusable` (the file may not be written: a person has to act), `service_failed`
 */
export function takeLock(path: string, what: string): () => void {
  let db: DatabaseSync | undefined;
  try {
    makeFolder(dirname(path));
    // SQLite does not say why a file cannot be opened.
    closeSync(openSync(path, "a", 0o600));
    db = new DatabaseSync(path, { timeout: 500 });
    db.exec("BEGIN EXCLUSIVE");
    return () => db?.close();
  } catch (thrown) {
    db?.close();
    const isBusy = (Number((thrown as { errcode?: unknown }).errcode) & 0xff) === 5;
    if (isBusy) {
      throw new HearthlineError(
        "already_running",
        `The ${what} "${dirname(path)}" is in use; wanted is one relay for one spool.`,
        {
          cause: thrown,
        },
      );
    }
    const problem = fileProblemOf(thrown);
    const state = problem?.state ?? "the file cannot be locked; wanted is a folder that may be written";
    throw new HearthlineError(
      problem?.needsPerson ? "data_folder_unusable" : "service_failed",
      `Locking the ${what} with the file "${path}": ${state} (${messageOf(thrown)}).`,
      { cause: thrown },
    );
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    // Of a read-only file system the recursive form says ENOENT, the plain one what it is.
    if ((thrown as { code?: unknown }).code === "ENOENT") mkdirSync(path, { mode: 0o700 });
    throw thrown;
  }
}
