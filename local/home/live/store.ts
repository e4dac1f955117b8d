import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HearthlineError } from "../../../lib/base/errors.ts";
import type { AutomationsFile } from "../automations/types.ts";

/** What a home remembers of itself in DATA/home.json. */
export interface HomeMemory {
  readonly seed: number;
  /** Rate and first moment of the generated past: history before `liveSince` follows from them for ever. */
  readonly pastRate: number;
  readonly pastSince: number;
  readonly liveSince: number;
  /** The generator's clock when this was written. */
  readonly lastAt: number;
  /** States that helpers get back at the next start. */
  readonly helpers: Readonly<Record<string, string>>;
  /** What was renamed or moved: registry, then id, then the changed fields. */
  readonly registry: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  /** Automations that were written over the API, by id; absent in homes that are older than this member. */
  readonly automations?: AutomationsFile;
}

/** Makes the folder; a folder that cannot be used is said clearly. */
export function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    const probe = join(folder, ".writable");
    writeFileSync(probe, "");
    rmSync(probe);
  } catch (cause) {
    throw new HearthlineError(
      "data_folder_unusable",
      `Tried to use "${folder}" for the simulated home's data: it cannot be written. Wanted is a folder that this user may write.`,
      { cause },
    );
  }
}

const memoryPath = (folder: string) => join(folder, "home.json");

export function readMemory(folder: string): HomeMemory | undefined {
  const path = memoryPath(folder);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as HomeMemory) : undefined;
}

/** Whole or not at all: written beside and renamed. */
export function writeMemory(folder: string, memory: HomeMemory): void {
  const path = memoryPath(folder);
  writeFileSync(`${path}.new`, JSON.stringify(memory), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** The token of the home: given, or made once and kept in DATA/token (mode 600). */
export function tokenOf(folder: string, given: string | undefined): string {
  const path = join(folder, "token");
  if (given === undefined && existsSync(path)) return readFileSync(path, "utf8").trim();
  const token = given ?? `sim_${randomBytes(32).toString("base64url")}`;
  writeFileSync(path, `${token}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
  return token;
}
