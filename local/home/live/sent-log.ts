import {
  closeSync,
  createReadStream,
  existsSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** What was fired, one line each: the truth that a journey compares with. */
export interface SentLine {
  readonly n: number;
  readonly entity_id: string | null;
  /** The natural key's time: `last_updated`, of a removal `time_fired`. Null: a malformed event without one. */
  readonly last_updated: string | null;
  readonly state: string | null;
  readonly kind: "state_changed" | "removed" | "malformed" | "duplicate";
}

/** DATA/sent.jsonl and its older parts. */
export interface SentLog {
  add(line: Omit<SentLine, "n">): void;
  /** Hands what was added to the operating system; called before the sockets get the same events. */
  flush(): void;
  /** Lines in the order of firing whose `last_updated` is in [from, to) (ISO text, both may be left out). */
  read(from: string | undefined, to: string | undefined): AsyncIterable<string>;
  /** Of this process. */
  total(): number;
  /** The last line of a state or a removal, of an earlier process as well. */
  last(): SentLine | undefined;
  close(): void;
}

/** Four parts of 64 MiB: more than two million events; the oldest part goes when a new one begins. */
export const SENT_LOG_PART_BYTES = 64 * 1024 * 1024;
export const SENT_LOG_PARTS = 4;

const TAIL_BYTES = 65_536;

/** The last line of a file that is a state or a removal; a line that a power cut tore is none. */
function lastLine(path: string): SentLine | undefined {
  if (!existsSync(path)) return undefined;
  const file = openSync(path, "r");
  const tail = Buffer.alloc(TAIL_BYTES);
  const bytes = readSync(file, tail, 0, TAIL_BYTES, Math.max(0, statSync(path).size - TAIL_BYTES));
  closeSync(file);
  const found = tail
    .toString("utf8", 0, bytes)
    .split("\n")
    .findLast((line) => /^\{"n":.*"kind":"(state_changed|removed)"\}$/.test(line));
  return found === undefined ? undefined : (JSON.parse(found) as SentLine);
}

export function openSentLog(folder: string): SentLog {
  const path = (part: number) => join(folder, part === 0 ? "sent.jsonl" : `sent.${part}.jsonl`);
  let file = openSync(path(0), "a", 0o600);
  let size = statSync(path(0)).size;
  let waiting = "";
  let last = lastLine(path(0)) ?? lastLine(path(1));
  let n = last?.n ?? 0;
  let total = 0;
  const rotate = () => {
    closeSync(file);
    rmSync(path(SENT_LOG_PARTS - 1), { force: true });
    for (let part = SENT_LOG_PARTS - 2; part >= 0; part--)
      if (existsSync(path(part))) renameSync(path(part), path(part + 1));
    file = openSync(path(0), "a", 0o600);
    size = 0;
  };
  const log: SentLog = {
    add({ entity_id, last_updated, state, kind }) {
      const line: SentLine = { n: ++n, entity_id, last_updated, state, kind };
      if (kind === "state_changed" || kind === "removed") last = line;
      total++;
      waiting += `${JSON.stringify(line)}\n`;
    },
    flush() {
      if (waiting === "") return;
      size += writeSync(file, waiting);
      waiting = "";
      if (size > SENT_LOG_PART_BYTES) rotate();
    },
    async *read(from, to) {
      log.flush();
      for (let part = SENT_LOG_PARTS - 1; part >= 0; part--) {
        if (!existsSync(path(part))) continue;
        // Up to where it reaches now: a live home writes on.
        const end = statSync(path(part)).size - 1;
        if (end < 0) continue;
        for await (const line of createInterface({ input: createReadStream(path(part), { end }) })) {
          const at = /"last_updated":"([^"]+)"/.exec(line)?.[1];
          if (
            at === undefined ? from === undefined : (from === undefined || at >= from) && (to === undefined || at < to)
          )
            yield line;
        }
      }
    },
    total: () => total,
    last: () => last,
    close() {
      log.flush();
      closeSync(file);
    },
  };
  return log;
}
