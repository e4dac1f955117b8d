import { constants, type Stats } from "node:fs";
import { type FileHandle, link, lstat, open, readdir, realpath, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { BackupSink, BackupSource } from "../../backup/ports.ts";
import { HearthlineError, messageOf } from "../../base/errors.ts";

const codeOf = (thrown: unknown): string | undefined => (thrown as NodeJS.ErrnoException).code;

/** @throws HearthlineError `backup_unreadable` */
export async function openBackupFile(path: string): Promise<BackupSource> {
  const failing = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      throw new HearthlineError(
        "backup_unreadable",
        `The backup "${path}" cannot be ${what} (${codeOf(thrown) ?? messageOf(thrown)}); wanted is a file that can be read.`,
        { cause: thrown },
      );
    }
  };
  // Without O_NONBLOCK a named pipe would be waited for, for ever, and Ctrl-C could not end it.
  const file = await failing("opened", () => open(path, constants.O_RDONLY | constants.O_NONBLOCK));
  try {
    const stats = await failing("opened", () => file.stat());
    if (!stats.isFile())
      throw new HearthlineError(
        "backup_unreadable",
        `The backup "${path}" is no file; wanted is one that "backup create" wrote.`,
      );
    return {
      name: path,
      bytes: stats.size,
      read: (position, length) => failing("read", () => readAll(file, position, length)),
      close: () => file.close(),
    };
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}

/** One read may give less than is there. */
async function readAll(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

export interface BackupFileOptions {
  readonly path: string;
  /** Takes the place of a file that is there; otherwise that is refused. */
  readonly isReplacing: boolean;
  /** Makes names of files that are being written differ. */
  readonly unique: string;
  /** By which files that a killed command left behind are known to be old, in ms. */
  readonly nowMs: number;
}

const PART = ".hearthline-part";
/** Longer than any backup waits before it writes (a day) and than it is silent while it writes. */
const LEFT_BEHIND_MS = 2 * 86_400_000;

/**
 * Written beside its place under a name that begins with a dot, synced, and then named: who sees the file sees all of it. Mode 600, because it holds what happens in a home.
 * What a killed command left in the folder goes when it is two days old.
 * @throws HearthlineError `backup_unwritable`
 */
export async function createBackupFile(options: BackupFileOptions): Promise<BackupSink> {
  const { path, isReplacing, unique } = options;
  const failing = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      const code = codeOf(thrown);
      const wanted = WANTED[code ?? ""] ?? "a folder of your own with room for it";
      throw new HearthlineError(
        "backup_unwritable",
        `The backup "${path}" cannot be written (${code ?? messageOf(thrown)}); wanted is ${wanted}.`,
        { cause: thrown },
      );
    }
  };
  // Said at once, and not after an hour; `link` makes sure of it in the end.
  const place = await failing(() => placeOf(path, isReplacing));
  const folder = dirname(place);
  const part = join(folder, `.${basename(place)}.${unique}${PART}`);
  await sweep(folder, options.nowMs);
  const file = await failing(() => open(part, "wx", 0o600));
  return {
    write: (bytes) => failing(() => writeAll(file, bytes)),
    commit: () =>
      failing(async () => {
        await file.sync();
        await file.close();
        if (isReplacing) await rename(part, place);
        else await nameIfFree(part, place);
        await syncFolder(folder);
      }),
    async abort() {
      await file.close().catch(() => {});
      await unlink(part).catch(() => {});
    },
  };
}

/** By the code of what was met; otherwise it is the folder. */
const WANTED: Readonly<Record<string, string>> = {
  EEXIST: "a name that no file has, or --force",
  EISDIR: "the name of a file in it",
  EINVAL: "the name of a file: pipes and devices are never replaced",
  ENAMETOOLONG: "a shorter name",
};

const fail = (code: string): never => {
  throw Object.assign(new Error(code), { code });
};

/** Never opened: to open a named pipe is to wait for who writes to it. */
async function thereAt(path: string, look: (path: string) => Promise<Stats>): Promise<Stats | undefined> {
  return look(path).catch((thrown: unknown) => {
    if (codeOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  });
}

/** Where the file is to be named: beside others, or in the place of one, also of the one that a link leads to. */
async function placeOf(path: string, isReplacing: boolean): Promise<string> {
  const there = await thereAt(path, lstat);
  const at = there && (await thereAt(path, stat));
  if (path.endsWith("/") || at?.isDirectory()) fail("EISDIR");
  if (!there) return path;
  if (at && !at.isFile()) fail("EINVAL");
  // A link that leads nowhere has no place that could be taken.
  if (!isReplacing || !at) fail("EEXIST");
  return realpath(path);
}

/** Backups that were being written when their command was killed: nobody knows their names, and they hold what happens in a home. */
async function sweep(folder: string, nowMs: number): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(".") && each.endsWith(PART))) {
    const left = await lstat(join(folder, name)).catch(() => undefined);
    if (left?.isFile() && nowMs - left.mtimeMs > LEFT_BEHIND_MS) await unlink(join(folder, name)).catch(() => {});
  }
}

/** A link fails where something is, in one step. What has no links (a stick with FAT) is looked at once more, and renamed. */
async function nameIfFree(part: string, path: string): Promise<void> {
  try {
    await link(part, path);
  } catch (thrown) {
    if (!["EPERM", "ENOTSUP", "ENOSYS", "EOPNOTSUPP"].includes(codeOf(thrown) ?? "")) throw thrown;
    if (await thereAt(path, lstat)) fail("EEXIST");
    return rename(part, path);
  }
  await unlink(part);
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) done += (await file.write(bytes, done)).bytesWritten;
}

/** The name is on the disk too. Not every system can sync a folder, and not every folder that can be written can be read. */
async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, "r");
    await handle.sync();
  } catch (thrown) {
    if (!["EACCES", "EINVAL", "EPERM", "ENOTSUP"].includes(codeOf(thrown) ?? "")) throw thrown;
  } finally {
    await handle?.close();
  }
}
