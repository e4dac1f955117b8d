import type { Clock } from "../../lib/base/clock.ts";

/** The same words are told again after this time, not before. */
const AGAIN_AFTER_MS = 300_000;
const MAX_LINE_CHARACTERS = 65_536;
const MAX_REMEMBERED = 100;

/**
 * Finds the log lines of level `error` in a part's output, and tells each once in a while: what a person has to know should not stand in a file alone.
 * @param codes warnings whose error has one of these codes are told like errors
 */
export function createErrorLines(
  clock: Clock,
  tell: (text: string) => void,
  codes: readonly string[] = [],
): (chunk: Uint8Array) => void {
  const told = new Map<string, number>();
  let rest = "";
  return (chunk) => {
    const lines = (rest + Buffer.from(chunk).toString()).split("\n");
    rest = (lines.pop() ?? "").slice(-MAX_LINE_CHARACTERS);
    for (const line of lines) {
      const text = textOf(line, codes);
      if (text === undefined || clock.monotonicMs() - (told.get(text) ?? Number.NEGATIVE_INFINITY) < AGAIN_AFTER_MS)
        continue;
      if (told.size >= MAX_REMEMBERED) told.clear();
      told.set(text, clock.monotonicMs());
      tell(text);
    }
  };
}

interface Said {
  readonly level?: string;
  readonly message?: string;
  readonly error?: string | { readonly message?: string; readonly code?: string };
}

/** One line of text, or undefined when this is none of a person's business. */
function textOf(line: string, codes: readonly string[]): string | undefined {
  if (!/"level":"(error|warn)"/.test(line)) return undefined;
  try {
    const { level, message, error } = JSON.parse(line) as Said;
    const { message: why, code } = typeof error === "string" ? { message: error } : { code: undefined, ...error };
    if (level !== "error" && !(code && codes.includes(code))) return undefined;
    // What another library said may have lines of its own.
    return (why ? `${message} ${why}` : message)?.replace(/\s+/g, " ");
  } catch {
    return undefined;
  }
}
