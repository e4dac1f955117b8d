import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as z from "zod";
import { HearthlineError, isHearthlineError, messageOf } from "../../base/errors.ts";
import { type ImportState, type ImportStateFile, type ImportStates, SOURCE_KINDS } from "../../history/ports.ts";

const VERSION = 1;

const stateSchema = z.object({
  version: z.literal(VERSION),
  homeId: z.string(),
  source: z.object({ kind: z.enum(SOURCE_KINDS), identity: z.string(), name: z.string() }),
  relayId: z.string().min(1),
  sequence: z.int().nonnegative(),
  position: z.unknown().optional(),
  pending: z.array(z.string()),
  entities: z.record(z.string(), z.tuple([z.string().nullable(), z.number(), z.number()])),
  isFinished: z.boolean(),
});

const unusable = (path: string, thrown: unknown) =>
  new HearthlineError(
    "data_folder_unusable",
    `The import's state "${path}" cannot be written (${(thrown as NodeJS.ErrnoException).code ?? messageOf(thrown)}); wanted is a data folder of your own, see --data.`,
    { cause: thrown },
  );

/** One JSON file an import, `FOLDER/ID.json`, mode 600: it holds the last states of a home. */
export function createImportStates(folder: string): ImportStates {
  return {
    open(id) {
      const path = join(folder, `${id}.json`);
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        const release = lock(join(folder, `${id}.lock`));
        return stateFile(path, release);
      } catch (thrown) {
        if (isHearthlineError(thrown)) throw thrown;
        throw unusable(path, thrown);
      }
    },
    known: () => names(folder).flatMap((name) => readQuietly(join(folder, name)) ?? []),
  };
}

function stateFile(path: string, release: () => void): ImportStateFile {
  let remark: string | undefined;
  return {
    load() {
      const loaded = load(path);
      remark = loaded === "damaged" ? damagedRemark(path) : undefined;
      return loaded === "damaged" ? undefined : loaded;
    },
    get remark() {
      return remark;
    },
    save: (state) => save(path, JSON.stringify(state)),
    close: release,
  };
}

const SQLITE_BUSY = 5;

/** The operating system's lock on a file ends with the process, however that ends. */
function lock(path: string): () => void {
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec("PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (thrown) {
    db.close();
    if (((thrown as { errcode?: number }).errcode ?? 0) % 256 !== SQLITE_BUSY) throw thrown;
    throw new HearthlineError(
      "already_running",
      `Another import of the same history is at work (it holds "${path}"); wait for its end.`,
    );
  }
  return () => db.close();
}

const damagedRemark = (path: string): string =>
  `The import's state "${path}" was damaged and is now called "${path}.damaged". The history was read from its start; what was imported before stays as it is.`;

/** A damaged file is set aside under another name: the import begins anew, which does no harm to what was imported. */
function load(path: string): ImportState | "damaged" | undefined {
  const text = textOf(path);
  if (text === undefined) return undefined;
  const value = jsonOf(text);
  const version = (value as { version?: unknown } | undefined)?.version;
  if (typeof version === "number" && version > VERSION) {
    throw new HearthlineError(
      "history_state_newer",
      `The import's state "${path}" has version "${version}"; this program reads version ${VERSION}. Wanted is the newer Hearthline that wrote it, or remove the file: the import then begins anew.`,
    );
  }
  const parsed = stateSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  try {
    renameSync(path, `${path}.damaged`);
  } catch (thrown) {
    throw unusable(path, thrown);
  }
  return "damaged";
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unusable(path, thrown);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Beside the old one, synced, then in its place: a crash leaves one of the two, whole. */
function save(path: string, text: string): void {
  const fresh = `${path}.new`;
  try {
    const file = openSync(fresh, "w", 0o600);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(fresh, path);
    syncFolder(dirname(path));
  } catch (thrown) {
    throw unusable(path, thrown);
  }
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".json"));
  } catch {
    // No import was ever begun here.
    return [];
  }
}

function readQuietly(path: string): Pick<ImportState, "homeId" | "source"> | undefined {
  const parsed = stateSchema.safeParse(jsonOf(textOf(path) ?? ""));
  return parsed.success ? { homeId: parsed.data.homeId, source: parsed.data.source } : undefined;
}
