import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { MigrationStore } from "../ports.ts";

export interface OldMarks {
  /** OLD has just answered this reader. Never waits, never throws. */
  note(homeId: string, migrationId: string, reader: string | undefined): void;
  /** Until what is being written is written, or has failed. Never rejects. */
  settled(): Promise<void>;
}

export interface OldMarksOptions {
  readonly store: Pick<MigrationStore, "noteOldRead">;
  readonly clock: Pick<Clock, "nowMs" | "monotonicMs">;
  readonly log: Pick<Logger, "warn">;
}

/** At most one mark of a home in this time: who reads OLD all day long costs a write a minute. */
export const MARK_MS = 60_000;

/** Leaves a mark when OLD has answered a reader, so that it can be seen whether anybody still needs it. A mark that could not be written is tried again by the next read. */
export function createOldMarks({ store, clock, log }: OldMarksOptions): OldMarks {
  const markedMs = new Map<string, number>();
  const writing = new Set<Promise<void>>();

  async function write(homeId: string, migrationId: string, reader: string | undefined): Promise<void> {
    try {
      const atUs = clock.nowMs() * 1000;
      await store.noteOldRead(homeId, migrationId, { atUs, ...(reader !== undefined && { reader }) });
    } catch (thrown) {
      markedMs.delete(homeId);
      log.warn("that OLD was read could not be noted", { homeId, migration: migrationId, error: messageOf(thrown) });
    }
  }

  return {
    note(homeId, migrationId, reader) {
      const nowMs = clock.monotonicMs();
      const lastMs = markedMs.get(homeId);
      if (lastMs !== undefined && nowMs - lastMs < MARK_MS) return;
      markedMs.set(homeId, nowMs);
      const written: Promise<void> = write(homeId, migrationId, reader).finally(() => writing.delete(written));
      writing.add(written);
    },
    settled: async () => {
      await Promise.all(writing);
    },
  };
}
