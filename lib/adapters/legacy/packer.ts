import { isHearthlineError } from "../../base/errors.ts";
import type { EventRecord, RelayRecord } from "../../event/index.ts";
import type { Packer, SinkLoss, SinkPiece, SpooledRecord } from "../../relay/ports.ts";

export interface EventPackerOptions {
  /** One event in the old pipeline's form; undefined: it means nothing there. @throws what makes it impossible to write */
  readonly encode: (record: EventRecord) => string | undefined;
  readonly maxRecords: number;
  /** Of all pieces together; a single larger one goes alone. */
  readonly maxBytes: number;
}

/** The old pipeline's packer: events only, a piece each. What is no event is passed over. */
export function createEventPacker({ encode, maxRecords, maxBytes }: EventPackerOptions): Packer {
  return {
    // An event is about as long in the old form as in ours.
    targetBytes: maxBytes / 2,
    maxRecords,
    pack(records) {
      const pieces: SinkPiece[] = [];
      const lost: SinkLoss[] = [];
      let count = 0;
      let bytes = 0;
      for (const { n, line } of records.slice(0, maxRecords)) {
        const piece = pieceOf({ n, line }, encode);
        if (piece && "reason" in piece) lost.push(piece);
        else if (piece) {
          const size = Buffer.byteLength(piece.text) + 1;
          if (pieces.length > 0 && bytes + size > maxBytes) break;
          bytes += size;
          pieces.push(piece);
        }
        count += 1;
      }
      const { first, last, fromMs, toMs } = spanOf(records.slice(0, count));
      return { fits: true, count, message: { first, last, fromMs, toMs, pieces, lost: joined(lost) } };
    },
  };
}

function pieceOf(
  { n, line }: Pick<SpooledRecord, "n" | "line">,
  encode: EventPackerOptions["encode"],
): SinkPiece | SinkLoss | undefined {
  try {
    const record = JSON.parse(line) as RelayRecord;
    if (!isEvent(record)) return undefined;
    const text = encode(record);
    return text === undefined ? undefined : { first: n, last: n, text };
  } catch (thrown) {
    // Malformed events travel as they are: what fails on them otherwise is a sentence of the engine's.
    const why = isHearthlineError(thrown) ? thrown.message : "it is malformed";
    return { first: n, last: n, count: 1, reason: `the event cannot be written: ${why}` };
  }
}

/**
 * What happened, as an exporter within Home Assistant would have seen it, and what was fetched of it later. A snapshot is nothing that happened,
 * and what was imported came from the old pipeline or is older than it.
 */
const isEvent = (record: RelayRecord): record is EventRecord =>
  (record.t === "state" && record.kind !== "snapshot" && record.source !== "import") ||
  (record.t === "removed" && record.source !== "import");

const spanOf = (records: readonly SpooledRecord[]) => ({
  first: records[0]?.n ?? 0,
  last: records.at(-1)?.n ?? 0,
  fromMs: records[0]?.appendedAtMs ?? 0,
  toMs: records.at(-1)?.appendedAtMs ?? 0,
});

/** One loss for each reason: a loss record a lost event would double the traffic of an entity that never fits. */
export function joined(losses: readonly SinkLoss[]): readonly SinkLoss[] {
  return [...Map.groupBy(losses, ({ reason }) => reason)].map(([reason, group]) => ({
    first: Math.min(...group.map(({ first }) => first)),
    last: Math.max(...group.map(({ last }) => last)),
    count: group.reduce((sum, { count }) => sum + count, 0),
    reason,
  }));
}
