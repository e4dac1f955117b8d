import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { floatSecondsToUs, parseIsoUs } from "../../lib/base/time.ts";
import type { Happened } from "../support/recorder.ts";

interface Line {
  readonly entity_id: string;
  readonly last_updated: string;
  readonly state: string | null;
  readonly kind: string;
}

/** Reads on in DATA/sent.jsonl of a simulated home, from where it stopped before; nothing is read twice. */
export function followSentLog(folder: string): () => readonly Happened[] {
  const path = (part: number) => join(folder, part === 0 ? "sent.jsonl" : `sent.${part}.jsonl`);
  let inode = 0;
  let offset = 0;
  const readFrom = (file: string, from: number) => {
    const handle = openSync(file, "r");
    const { size, ino } = fstatSync(handle);
    const bytes = Buffer.alloc(Math.max(0, size - from));
    const length = readSync(handle, bytes, 0, bytes.length, from);
    closeSync(handle);
    // A line that is just being written is for the next time.
    const end = bytes.subarray(0, length).lastIndexOf(10) + 1;
    return { text: bytes.toString("utf8", 0, end), ino, offset: from + end };
  };
  return () => {
    if (!existsSync(path(0))) return [];
    let text = "";
    const now = readFrom(path(0), 0 + (inode === 0 ? 0 : offset));
    if (inode !== 0 && now.ino !== inode) {
      // It was put aside meanwhile, and a new one begun.
      text = readFrom(path(1), offset).text;
      const fresh = readFrom(path(0), 0);
      text += fresh.text;
      offset = fresh.offset;
    } else {
      text = now.text;
      offset = now.offset;
    }
    inode = now.ino;
    return text.split("\n").flatMap(eventOf);
  };
}

/** A state or a removal. What a kill tore in the middle of a line never went out. */
function eventOf(line: string): Happened[] {
  if (!/"kind":"(state_changed|removed)"\}$/.test(line)) return [];
  const found = JSON.parse(line.slice(line.lastIndexOf('{"n":'))) as Line;
  return [{ entityId: found.entity_id, atUs: parseIsoUs(found.last_updated), state: found.state }];
}

/** Whether the simulated home's recorder holds the event: then it could have been had. */
export function recorderHas(folder: string, event: Happened): boolean {
  const database = new DatabaseSync(join(folder, "recorder.db"), { readOnly: true, timeout: 5_000 });
  try {
    const rows = database
      .prepare(
        "SELECT updated, state FROM states JOIN entities ON entities.id = states.entity WHERE entity_id = ? AND updated BETWEEN ? AND ?",
      )
      .all(event.entityId, event.atUs / 1e6 - 0.001, event.atUs / 1e6 + 0.001) as { updated: number; state: string }[];
    return rows.some(({ updated, state }) => floatSecondsToUs(updated) === event.atUs && state === event.state);
  } finally {
    database.close();
  }
}
