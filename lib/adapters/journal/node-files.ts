import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, stat, statfs, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { JournalFile, JournalFiles } from "./files.ts";

/** The real file system. All of it off the event loop's thread: the process that syncs also reads a socket at full speed. */
export function createNodeFiles(path: string): JournalFiles {
  const at = (name: string) => join(path, name);
  return {
    path,
    list: async () => {
      await mkdir(path, { recursive: true, mode: 0o700 });
      const names = await readdir(path);
      return Promise.all(names.map(async (name) => ({ name, bytes: (await stat(at(name))).size })));
    },
    open: async (name, how) => fileOf(await open(at(name), how === "read" ? "r" : "r+")),
    create: async (name) =>
      fileOf(await open(at(name), constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600)),
    rename: (from, to) => rename(at(from), at(to)),
    remove: (name) => unlink(at(name)),
    syncFolder: async () => {
      const folder = await open(path, "r");
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    },
    freeBytes: async () => {
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize;
    },
  };
}

const fileOf = (handle: FileHandle): JournalFile => ({
  read: async (into, position, bytes) => {
    let done = 0;
    while (done < bytes) {
      const { bytesRead } = await handle.read(into, done, bytes - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  },
  write: async (bytes, position) => (await handle.write(bytes, 0, bytes.length, position)).bytesWritten,
  truncate: (bytes) => handle.truncate(bytes),
  // The size belongs to what fdatasync writes (fdatasync(2)); times of access do not have to be on the disk.
  sync: () => handle.datasync(),
  close: () => handle.close(),
});
