import type { Clock } from "../../lib/base/clock.ts";

/** The same words are told again after this time, not before. */
const AGAIN_AFTER_MS = 60_000;
const MAX_LINE_CHARACTERS = 65_536;
const MAX_REMEMBERED = 100;

/** Finds the log lines of level `error` in a part's output, and tells each once in a while: what a person has to know should not stand in a file alone. */
export function createErrorLines(clock: Clock, tell: (text: string) => void): (chunk: Uint8Array) => void {
  const told = new Map<string, number>();
  let rest = "";
  return (chunk) => {
    const lines = (rest + Buffer.from(chunk).toString()).split("\n");
    rest = (lines.pop() ?? "").slice(-MAX_LINE_CHARACTERS);
    for (const line of lines) {
      const text = line.includes('"level":"error"') ? textOf(line) : undefined;
      if (text === undefined || clock.monotonicMs() - (told.get(text) ?? Number.NEGATIVE_INFINITY) < AGAIN_AFTER_MS)
        continue;
      if (told.size >= MAX_REMEMBERED) told.clear();
      told.set(text, clock.monotonicMs());
      tell(text);
    }
  };
}

function textOf(line: string): string | undefined {
  try {
    const { message, error } = JSON.parse(line) as { message?: string; error?: string | { message?: string } };
    const why = typeof error === "string" ? error : error?.message;
    return why ? `${message} ${why}` : message;
  } catch {
    return undefined;
  }
}
