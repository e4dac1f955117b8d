import { execFileSync } from "node:child_process";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface RunPart {
  readonly name: string;
  readonly pid: number;
  readonly port: number | null;
}

/** `DATA/run.json`: what runs on this data folder, while it runs. */
export interface Run {
  readonly url: string;
  readonly pid: number;
  readonly started_at: string;
  /** When the operating system says that this process began: a process id alone is given to others later. */
  readonly process_started: string;
  readonly parts: readonly RunPart[];
  /** The settings that say where the events are; no secrets. Absent: a run of an earlier version. */
  readonly store?: Readonly<Record<string, string>>;
}

const fileOf = (dataFolder: string): string => join(dataFolder, "run.json");

/** Whole or not at all: others read it at any time. */
export function writeRun(dataFolder: string, run: Run): void {
  const file = fileOf(dataFolder);
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(run)}\n`);
  renameSync(`${file}.${process.pid}`, file);
}

export const removeRun = (dataFolder: string): void => rmSync(fileOf(dataFolder), { force: true });

/** What runs on this data folder now; undefined when nothing does, also when a run that was cut off left its file behind. */
export function readRun(dataFolder: string): Run | undefined {
  try {
    const run = JSON.parse(readFileSync(fileOf(dataFolder), "utf8")) as Run;
    return processStarted(run.pid) === run.process_started ? run : undefined;
  } catch {
    return undefined;
  }
}

/** When a process began, in the operating system's own words, the same each time it is asked; undefined when there is none. */
export function processStarted(pid: number): string | undefined {
  try {
    // Field 22, clock ticks since boot. The second field is the program's name in brackets and may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}:${fields[19]}`;
  } catch {
    return process.platform === "linux" ? undefined : askPs(pid);
  }
}

function askPs(pid: number): string | undefined {
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined;
  }
}
