import { closeSync, existsSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

export interface LogFile {
  write(chunk: Uint8Array): void;
  close(): void;
}

const MAX_BYTES = 10 * 1024 * 1024;

/** A file that takes a part's output. At 10 MiB it becomes `FILE.1`, and the one before that goes: two files a part, at most. */
export function openLogFile(file: string, maxBytes = MAX_BYTES): LogFile {
  mkdirSync(dirname(file), { recursive: true });
  let handle = openSync(file, "a", 0o600);
  let bytes = fstatSync(handle).size;
  return {
    write(chunk) {
      if (bytes > 0 && bytes + chunk.length > maxBytes) {
        closeSync(handle);
        if (existsSync(file)) renameSync(file, `${file}.1`);
        handle = openSync(file, "a", 0o600);
        bytes = 0;
      }
      try {
        bytes += writeSync(handle, chunk);
      } catch {
        // A full disk must not stop the stack for the sake of its log.
      }
    },
    close: () => closeSync(handle),
  };
}
