import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** A disk of its own for the relay's data, small enough to be filled up. */
export interface SmallDisk {
  /** False where this user may not mount one: then nothing can fill it. */
  readonly isReal: boolean;
  /** Leaves not a byte. */
  fill(): void;
  free(): void;
  remove(): void;
}

const FILLER_BYTES = 65_536;

/** Mounts a file system in memory on the folder; without the right to do so the folder is an ordinary one. */
export function makeSmallDisk(folder: string, megabytes: number): SmallDisk {
  mkdirSync(folder, { recursive: true });
  const isReal = tryTo("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "hearthline-chaos", folder]);
  const filler = join(folder, "filler");
  return {
    isReal,
    fill() {
      if (!isReal) return;
      const file = openSync(filler, "w");
      try {
        for (let bytes = FILLER_BYTES; bytes >= 1; ) {
          try {
            writeSync(file, Buffer.alloc(bytes));
          } catch {
            bytes = Math.floor(bytes / 2);
          }
        }
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler, { force: true }),
    remove() {
      if (isReal) tryTo("umount", ["-l", folder]);
    },
  };
}

function tryTo(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
