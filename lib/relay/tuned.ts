import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { OutboxSink } from "../event/index.ts";
import type { KeptTuning, SinkTunings } from "./ports.ts";

/** What the cloud's sink does otherwise than its settings say. One that is tried has an end and is kept nowhere; one that was kept is durable. */
export interface Tuned {
  /** How long it collects; undefined: the settings hold. */
  flushMs(): number | undefined;
  /** No message takes more records; undefined: as many as the packer takes. */
  maxRecords(): number | undefined;
  /** Durable when it resolves, if it has no end. @throws what the store throws: nothing has changed then */
  set(asked: Pick<OutboxSink, "flush_seconds" | "batch_records" | "until">): Promise<void>;
}

export interface TunedOptions {
  /** Of the settings; undefined: there is no such sink. */
  readonly ownFlushMs: number | undefined;
  readonly store: SinkTunings | undefined;
  readonly clock: Pick<Clock, "nowMs" | "monotonicMs">;
  readonly log: Logger;
}

/** Nothing is tried for longer, whatever the clock here and the one that named the end say (chosen by us). */
const TRIED_MAX_MS = 86_400_000;

interface Tried {
  readonly value: number;
  readonly endMs: number;
}

export function createTuned({ ownFlushMs, store, clock, log }: TunedOptions): Tuned {
  let kept: KeptTuning = {};
  let [flush, batch]: [Tried | undefined, Tried | undefined] = [undefined, undefined];
  let row: Promise<unknown> = (async () => {
    try {
      kept = obeying((await store?.load()) ?? {}, ownFlushMs, log);
    } catch (thrown) {
      log.error("What was tuned cannot be read: the settings hold.", { error: thrown });
    }
  })();

  function inForce(tried: Tried | undefined): number | undefined {
    return tried && clock.monotonicMs() < tried.endMs ? tried.value : undefined;
  }

  function keep(next: KeptTuning): Promise<void> {
    const written = row.then(async () => {
      const all = { ...kept, ...next };
      await store?.save(all);
      kept = all;
    });
    row = written.catch(() => {});
    return written;
  }

  return {
    flushMs: () => inForce(flush) ?? kept.flush?.ms,
    maxRecords: () => inForce(batch) ?? kept.batch?.records,
    async set({ flush_seconds: flushSeconds, batch_records: records, until }) {
      const untilMs = until === undefined ? Number.NaN : Date.parse(until);
      // By the clock that nobody sets: a clock that is set back must not make it last.
      const endMs = clock.monotonicMs() + Math.min(untilMs - clock.nowMs(), TRIED_MAX_MS);
      const isTrial = until !== undefined;
      if (!isTrial)
        await keep({
          ...(flushSeconds !== undefined && { flush: { ms: flushSeconds * 1000, insteadOfMs: ownFlushMs ?? 0 } }),
          ...(records !== undefined && { batch: { records } }),
        });
      if (flushSeconds !== undefined) flush = isTrial ? { value: flushSeconds * 1000, endMs } : undefined;
      if (records !== undefined) batch = isTrial ? { value: records, endMs } : undefined;
      const asked = { flush_seconds: flushSeconds, batch_records: records, until };
      log.info("The cloud's sink is tuned otherwise than its settings say.", asked);
    },
  };
}

/** The owner's own word outranks what was tuned instead of an earlier one of his. */
function obeying({ flush, ...rest }: KeptTuning, ownFlushMs: number | undefined, log: Logger): KeptTuning {
  if (!flush || flush.insteadOfMs === ownFlushMs) return flush ? { flush, ...rest } : rest;
  log.info("The flush time of the settings has changed, so the tuned one holds no more.", {
    tuned_seconds: flush.ms / 1000,
    seconds: (ownFlushMs ?? 0) / 1000,
  });
  return rest;
}
