import { messageOf } from "../../base/errors.ts";
import { FLAG_GROUP, FLAG_LOSS, type SegmentHeader } from "./format.ts";
import { GroupBuffer } from "./group-buffer.ts";
import type { Journal } from "./journal.ts";
import { type EarlierRecord, type EarlierSpool, type JournalOptions, segmentBytesOf } from "./options.ts";
import type { Segment } from "./segment.ts";
import type { KeptState, StateFile } from "./state-file.ts";
import { Tail } from "./tail.ts";

const CHUNK_BYTES = 1_048_576;

/**
 * Writes an earlier spool's records into new segments, with their numbers, and then the state. A crash leaves a state that says `taking`:
 * then all of it is done again.
 */
export async function takeOver(
  options: JournalOptions,
  stateFile: StateFile,
  present: readonly Segment[],
): Promise<KeptState> {
  const { files, homeId, earlier, log } = options;
  if (!earlier) throw new RangeError("There is no earlier spool to take over.");
  const { relayId: relay_id, last, revision, losses, cursors } = earlier;
  const state = { home_id: homeId, relay_id, last, revision, losses, cursors, holes: [], pending: [], clean: false };
  await stateFile.write({ ...state, taking: true });
  for (const { name } of present) await files.remove(name);
  const written = await writeRecords(options, earlier);
  const isWhole = written.last === undefined || written.last === last;
  const kept: KeptState = {
    ...state,
    last: isWhole ? last : Math.max(last, written.last ?? 0),
    ...(written.active !== undefined && { active: written.active }),
    taking: false,
    clean: true,
  };
  await stateFile.write(kept);
  log.info("The records of the earlier spool were taken over.", { records: written.count, last_sequence: last });
  return kept;
}

async function writeRecords(
  options: JournalOptions,
  earlier: EarlierSpool,
): Promise<{ count: number; last?: number; active?: number }> {
  const { files, homeId, maxBytes, log } = options;
  let createdMs = 0;
  const header = (first: number): SegmentHeader => ({
    home_id: homeId,
    relay_id: earlier.relayId,
    first,
    created_ms: createdMs,
    revision: earlier.revision,
    losses: earlier.losses,
  });
  const tail = new Tail({ files, header, segment: undefined, segmentBytes: segmentBytesOf(maxBytes) });
  const buffer = new GroupBuffer();
  let [first, last, count]: [number | undefined, number | undefined, number] = [undefined, undefined, 0];
  const flush = async () => {
    if (first === undefined || last === undefined) return;
    const segment = await tail.prepare(first, buffer.length);
    await tail.write(buffer.bytes());
    segment.bytes += buffer.length;
    segment.last = last;
    buffer.clear();
    first = undefined;
  };
  try {
    for (const record of earlier.records()) {
      if (first === undefined) createdMs = Math.max(0, record.appendedAtMs);
      const flags = (record.isLoss ? FLAG_LOSS : 0) | (first === undefined ? FLAG_GROUP : 0);
      buffer.add({ n: record.n, atMs: record.appendedAtMs, flags, text: textOf(record) });
      first ??= record.n;
      last = record.n;
      count += 1;
      if (buffer.length >= CHUNK_BYTES) await flush();
    }
  } catch (thrown) {
    if ((thrown as { errcode?: unknown }).errcode === undefined) throw thrown;
    log.error("The earlier spool is damaged: what lies behind is lost.", { after: last, error: messageOf(thrown) });
  }
  await flush();
  const active = tail.segment?.first;
  await tail.close();
  return { count, ...(last !== undefined && { last }), ...(active !== undefined && { active }) };
}

/** Without its number. */
const textOf = ({ n, line }: EarlierRecord): string => `{${line.slice(`{"n":${n},`.length)}`;

/** Records of an earlier spool with another relay id are appended with new numbers. A crash meanwhile costs repetitions. */
export async function adopt(journal: Journal, earlier: EarlierSpool): Promise<void> {
  let entries: { text: string }[] = [];
  let characters = 0;
  const flush = async () => {
    if (entries.length > 0) await journal.append([{ entries }], () => false);
    [entries, characters] = [[], 0];
  };
  for (const record of earlier.records()) {
    if (record.isLoss) {
      await flush();
      const { count, reason, from, to } = JSON.parse(record.line) as {
        count: number;
        reason: string;
        from: string;
        to: string;
      };
      await journal.append(
        [{ entries: [], lost: { count, reason, fromMs: Date.parse(from), toMs: Date.parse(to) } }],
        () => false,
      );
      continue;
    }
    entries.push({ text: textOf(record) });
    characters += record.line.length;
    if (characters >= CHUNK_BYTES) await flush();
  }
  await flush();
  earlier.finish();
}
