import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export interface Running {
  readonly child: ChildProcess;
  /** Everything that it wrote so far, both streams. */
  output(): string;
  /** Resolves with its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** A program under the pinned Node, its output kept. */
export function run(args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Running {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, "close").then(([code, signal]) => (signal ?? code) as number | string);
  return { child, output: () => output, ended };
}

/** Asks until there is an answer that is not undefined or false; for real processes, whose time nobody sets by hand. */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  limitMs = 60_000,
): Promise<Exclude<T, undefined | false>> {
  const until = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    if (performance.now() > until) throw new Error(`waited ${limitMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
