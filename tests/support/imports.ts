import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createImportStates } from "../../lib/adapters/file/import-states.ts";
import { seededRandom } from "../../lib/base/random.ts";
import type { Microseconds } from "../../lib/base/time.ts";
import { type EventRecord, openEnvelope, readEnvelope } from "../../lib/event/index.ts";
import {
  type HistoryChunk,
  type HistorySource,
  type ImportOptions,
  type ImportSink,
  type ImportStateFile,
  type PastRow,
  type RejectedRow,
  runImport,
} from "../../lib/history/index.ts";
import { checkEvent, EARLIEST_EVENT_US } from "../../lib/ingest/index.ts";
import { manualClock } from "./manual-clock.ts";
import { randomKey } from "./records.ts";

/** A time of day in microseconds, on the day on which all of these tests play. */
export const DAY_US: Microseconds = Date.UTC(2026, 8, 1) * 1000;
export const second = (seconds: number): Microseconds => DAY_US + Math.round(seconds * 1_000_000);

/** The power is cut: nothing that comes after it happens. */
export class Cut extends Error {}

/** Takes messages as the queue does, and keeps what is in them. Cuts the power before or after taking the n-th call. */
export class KeepingSink implements ImportSink {
  readonly key = randomKey();
  readonly messages: string[] = [];
  cut: { readonly call: number; readonly isAfter: boolean } | undefined;
  failing: Error | undefined;
  inQueue = 0;
  calls = 0;

  async send(messages: readonly string[]): Promise<void> {
    this.calls += 1;
    if (this.failing) throw this.failing;
    const isNow = this.cut?.call === this.calls;
    if (isNow && !this.cut?.isAfter) throw new Cut();
    this.messages.push(...messages);
    if (isNow) throw new Cut();
  }

  async waiting(): Promise<number> {
    return this.inQueue;
  }

  /** All records as they came, also those that came twice. */
  get records(): EventRecord[] {
    return this.messages.flatMap((text) =>
      openEnvelope(readEnvelope(text), this.key).map((line) => JSON.parse(line) as EventRecord),
    );
  }

  /** By relay and number: the very texts that ever had this number. */
  get contents(): ReadonlyMap<string, ReadonlySet<string>> {
    const found = new Map<string, Set<string>>();
    for (const text of this.messages) {
      const envelope = readEnvelope(text);
      for (const line of openEnvelope(envelope, this.key)) {
        const name = `${envelope.relay_id} ${(JSON.parse(line) as EventRecord).n}`;
        found.set(name, (found.get(name) ?? new Set()).add(line));
      }
    }
    return found;
  }
}

/** A history in memory, `size` rows a chunk. */
export function listSource(
  all: readonly (PastRow | RejectedRow)[],
  {
    size = 3,
    failsAt = Number.POSITIVE_INFINITY,
    entityIds,
  }: { size?: number; failsAt?: number; entityIds?: readonly string[] } = {},
): HistorySource {
  return {
    kind: "jsonl",
    name: "a list",
    identity: "a list",
    placeName: "line",
    entityIds: async () => entityIds,
    async *read(position): AsyncGenerator<HistoryChunk> {
      for (let at = (position as number | undefined) ?? 0; at < all.length; at += size) {
        if (at >= failsAt) throw new Error("the history ends here");
        const some = all.slice(at, at + size);
        yield {
          rows: some.filter((row): row is PastRow => !("code" in row)),
          rejected: some.filter((row): row is RejectedRow => "code" in row),
          position: Math.min(at + size, all.length),
          fraction: Math.min(1, (at + size) / all.length),
        };
      }
    },
    close: async () => {},
  };
}

export function importFolder() {
  const folder = mkdtempSync(join(tmpdir(), "hearthline-import-"));
  const states = createImportStates(join(folder, "import"));
  return { folder, states, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

let relays = 0;

/** Runs an import with everything that a test does not say; its state file is closed afterwards, as when a process ends. */
export async function runTestImport(
  given: Pick<ImportOptions, "source"> & {
    readonly sink: KeepingSink;
    readonly file: ImportStateFile;
  } & Partial<ImportOptions>,
) {
  try {
    return await runImport({
      homeId: "home",
      key: given.sink.key,
      clock: manualClock(Date.UTC(2026, 8, 20)),
      random: seededRandom(1),
      newRelayId: () => `import-test-${++relays}`,
      isRestart: false,
      signal: new AbortController().signal,
      isIncluded: () => true,
      travelling: (_entityId, attributes) => attributes,
      check: (record) => void checkEvent(record, { fromUs: EARLIEST_EVENT_US, toUs: Date.UTC(2027, 0, 1) * 1000 }),
      ...given,
    });
  } finally {
    given.file.close();
  }
}

/** A record without what its number is, and without an id that was made up. */
export const plain = (record: EventRecord): Record<string, unknown> => {
  const { n: _, context: _context, ...rest } = record;
  return rest;
};
