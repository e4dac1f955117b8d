import { knownOf, type Noted } from "./known-of.ts";
import type { Spool } from "./ports.ts";

/** What one record tells. */
export interface Told {
  readonly n: number;
  readonly noted: Noted | undefined;
  /** It came as an event, not in a snapshot. */
  readonly isLive: boolean;
  /** When it was appended, by our clock. */
  readonly atMs: number;
}

/**
 * What the records tell that came after this number, as far as they are still in the spool: up to the first of another connection than the one that stood
 * since `connectedSince`, or of which some are lost: from there on a gap lies between. Nothing where they do not reach back to the number.
 */
export async function* recordsAfter(
  spool: Spool,
  { sequence, connectedSince }: { readonly sequence: number; readonly connectedSince: string | undefined },
): AsyncGenerator<Told> {
  const { lastSequence, cursors } = spool.state();
  const [sink] = Object.entries(cursors).toSorted(([, a], [, b]) => a - b);
  if (!sink || sink[1] > sequence) return;
  for (let after = sequence; ; ) {
    const records = await spool.read(sink[0], { limit: 1_000, maxBytes: 1_048_576, after });
    for (const { n, line, appendedAtMs: atMs } of records) {
      const record = JSON.parse(line) as Readonly<Record<string, unknown>>;
      if (isEnd(record, connectedSince)) return;
      const isPast = record.t === "relay" || record.source === "backfill";
      yield { n, noted: isPast ? undefined : knownOf(record), isLive: record.kind !== "snapshot", atMs };
      after = n;
    }
    if (records.length === 0 || after >= lastSequence) return;
  }
}

const isEnd = (record: Readonly<Record<string, unknown>>, connectedSince: string | undefined): boolean =>
  record.t === "loss" || (record.t === "relay" && !(record.connected === true && record.since === connectedSince));
