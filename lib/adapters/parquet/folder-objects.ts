import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { HearthlineError, isHearthlineError, messageOf } from "../../base/errors.ts";
import { fileProblemOf } from "../../base/file-errors.ts";
import { atOnce } from "./at-once.ts";
import type { ByteRange, ObjectInfo, ObjectStore } from "./ports.ts";

/** What is being written begins so; never listed. */
const TEMPORARY = ".new-";
/** Nobody writes one object for an hour. */
const LEFTOVER_MS = 3_600_000;
/** A folder that was just made may be removed by somebody who has emptied it. */
const PUT_ATTEMPTS = 8;
const FOLDERS_AT_ONCE = 16;
const NAME = /^(?:[a-z0-9_=~-][a-z0-9._=~-]*\/)*[a-z0-9_=~-][a-z0-9._=~-]*$/;

export interface FolderObjectsOptions {
  /** Absolute; made when it is needed. */
  readonly folder: string;
  readonly clock: Clock;
}

/**
 * Objects as files below one folder. Each is written beside, synced, renamed, and its folder synced: after a power cut it is there whole or not at all.
 * A name that could lead out of the folder is refused, whatever asked for it.
 */
export function createFolderObjects({ folder, clock }: FolderObjectsOptions): ObjectStore {
  let serial = 0;

  function pathOf(name: string): string {
    if (NAME.test(name)) return join(folder, ...name.split("/"));
    const what = `An object named "${name.slice(0, 100)}" was asked for in the folder "${folder}"; wanted are small letters, digits and . _ = ~ - between slashes.`;
    throw new HearthlineError("store_refused", what);
  }

  async function write(path: string, bytes: Uint8Array): Promise<void> {
    const beside = join(dirname(path), `${TEMPORARY}${process.pid}-${serial++}`);
    const made = await mkdir(dirname(path), { recursive: true });
    try {
      const file = await open(beside, "wx", 0o640);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(beside, path);
    } catch (thrown) {
      await rm(beside, { force: true }).catch(() => {});
      throw thrown;
    }
    await syncFolder(dirname(path));
    // Of a new folder the name must last, too.
    for (let up = dirname(path); made && up.length >= dirname(made).length && up !== dirname(up); up = dirname(up)) {
      await syncFolder(dirname(up));
    }
  }

  /** All files below a folder that may hold names with the prefix. */
  async function walk(below: string, wanted: (name: string, isFolder: boolean) => boolean): Promise<ObjectInfo[]> {
    const entries = await readdir(join(folder, ...below.split("/")), { withFileTypes: true }).catch((thrown) => {
      if (codeOf(thrown) === "ENOENT") return [];
      throw thrown;
    });
    const names = entries
      // What somebody else has put there under a name that no object has is none.
      .filter((entry) => NAME.test(entry.name))
      .map((entry) => ({ name: `${below}${entry.name}`, isFolder: entry.isDirectory() }))
      .filter(({ name, isFolder }) => wanted(isFolder ? `${name}/` : name, isFolder));
    const found = await atOnce(FOLDERS_AT_ONCE, names, async ({ name, isFolder }) => {
      if (isFolder) return walk(`${name}/`, wanted);
      const size = await sizeOf(join(folder, ...name.split("/")));
      return size === undefined ? [] : [{ name, bytes: size }];
    });
    return found.flat();
  }

  const guarded = <T>(what: string, work: () => Promise<T>): Promise<T> =>
    work().catch((thrown) => {
      throw isHearthlineError(thrown)
        ? thrown
        : failed(`The store in the folder "${folder}" could not ${what}`, thrown);
    });

  return {
    place: `folder "${folder}"`,
    put: async (name, bytes) => {
      const path = pathOf(name);
      return guarded(`write "${name}"`, async () => {
        for (let attempt = 1; ; attempt++) {
          try {
            return await write(path, bytes);
          } catch (thrown) {
            if (codeOf(thrown) !== "ENOENT" || attempt >= PUT_ATTEMPTS) throw thrown;
          }
        }
      });
    },
    get: async (name, range) => {
      const path = pathOf(name);
      return guarded(`read "${name}"`, () => read(path, range));
    },
    list: (prefix, { after = "", until } = {}) =>
      guarded(`list "${prefix}"`, async () => {
        const wanted = (name: string, isFolder: boolean): boolean => {
          if (until !== undefined && name >= until) return false;
          if (!isFolder) return name.startsWith(prefix) && name > after;
          const isOnTheWay = name.startsWith(prefix) || prefix.startsWith(name);
          return isOnTheWay && (name > after || after.startsWith(name));
        };
        const start = prefix.slice(0, prefix.lastIndexOf("/") + 1);
        const found = await walk(start, wanted);
        return found.sort((a, b) => (a.name < b.name ? -1 : 1));
      }),
    remove: async (names) => {
      const paths = names.map(pathOf);
      return guarded(`remove ${names.length} objects`, async () => {
        const folders = new Set<string>();
        for (const path of paths) {
          await rm(path, { force: true });
          folders.add(dirname(path));
        }
        for (const one of folders) await removeEmpty(one);
      });
    },
    setUp: () => guarded("make its folder", async () => void (await mkdir(folder, { recursive: true }))),
    tidy: (prefix) => guarded("tidy up", () => tidyBelow(join(folder, ...prefix.split("/")))),
    check: () =>
      guarded("be found", async () => {
        const found = await stat(folder).catch((thrown) => {
          // Made by the first write.
          if (codeOf(thrown) === "ENOENT") return undefined;
          throw thrown;
        });
        if (found && !found.isDirectory()) throw Object.assign(new Error("it is a file"), { code: "ENOTDIR" });
      }),
  };

  /** Empty folders go, up to the store's own. */
  async function removeEmpty(from: string): Promise<void> {
    await syncFolder(from);
    for (let path = from; path.startsWith(folder + sep); path = dirname(path)) {
      try {
        await rmdir(path);
      } catch {
        return;
      }
    }
  }

  async function tidyBelow(path: string): Promise<void> {
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const inner = join(path, entry.name);
      if (entry.isDirectory()) await tidyBelow(inner);
      else if (entry.name.startsWith(TEMPORARY)) {
        const { mtimeMs = Number.POSITIVE_INFINITY } = await stat(inner).catch(() => ({ mtimeMs: undefined }));
        if (clock.nowMs() - mtimeMs >= LEFTOVER_MS) await rm(inner, { force: true });
      }
    }
  }
}

async function read(path: string, range: ByteRange | undefined): Promise<Uint8Array | undefined> {
  try {
    if (!range) return new Uint8Array(await readFile(path));
    const file = await open(path, "r");
    try {
      const bytes = new Uint8Array(Math.max(0, range.end - range.start));
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, range.start + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    } finally {
      await file.close();
    }
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}

/** Windows cannot open a folder; there the rename has to be enough. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

const codeOf = (thrown: unknown): string | undefined => (thrown as NodeJS.ErrnoException | undefined)?.code;

function failed(what: string, thrown: unknown): HearthlineError {
  const problem = fileProblemOf(thrown);
  if (!problem) return new HearthlineError("store_unavailable", `${what}: ${messageOf(thrown)}.`, { cause: thrown });
  const isFull = problem.code === "ENOSPC" || problem.code === "EDQUOT";
  const code = isFull ? "store_full" : problem.needsPerson ? "store_read_only" : "store_unavailable";
  return new HearthlineError(code, `${what}: ${problem.state} (${problem.code}).`, { cause: thrown });
}
