import { parseIsoUs } from "../../base/time.ts";
import type { EventRecord } from "../../event/index.ts";
import { type HistorySource, type ImportState, type ImportStateFile, runImport } from "../../history/index.ts";
import type { Migration } from "../ports.ts";
import { type BackfillMemory, packEntities, unpackEntities } from "./backfill-memory.ts";
import type { BackfillOptions } from "./backfill-options.ts";
import { Pace } from "./backfill-pace.ts";

/** A name for numbers, and the last one that was given. */
export interface Lane {
  readonly relayId: string;
  readonly sequence: number;
}

export interface Slice {
  readonly memory: BackfillMemory;
  /** undefined: what failed was sending, and nobody knows which numbers were taken. */
  readonly lane: Lane | undefined;
  /** It sent no more because so many messages waited. */
  readonly waiting?: number;
  readonly thrown?: unknown;
}

interface SliceOptions extends BackfillOptions {
  readonly migration: Migration;
  readonly signal: AbortSignal;
  readonly rowsMax: number;
  readonly msMax: number;
}

/** Sends the next part of OLD's past. Never rejects: what was taken until something failed stays taken. */
export async function sendSlice(before: BackfillMemory, lane: Lane, options: SliceOptions): Promise<Slice> {
  const { migration, sink, clock, random, signal, taking, newRelayId } = options;
  const { homeId } = migration;
  const kept = new KeptState();
  const pace = new Pace(options);
  let { last, rejected, why } = before;
  let source: HistorySource | undefined;
  let failed: { readonly thrown: unknown } | undefined;
  try {
    source = await options.past(migration, before.toUs);
    kept.begin(before, lane, { homeId, source });
    await runImport({
      ...taking,
      ...{ homeId, clock, random, signal, newRelayId, file: kept, isRestart: false },
      key: await options.key(homeId),
      source: { ...source, read: (position, stop) => pace.paced(source?.read(position, stop)) },
      // How far it may run ahead is looked at before more is read.
      sink: { send: (messages) => sink.send(messages), waiting: async () => 0 },
      check: (record) => {
        taking.check(record);
        last = placeOf(record);
      },
      onProgress: ({ counts }) => {
        rejected = before.rejected + counts.rejected.count;
        why ??= counts.rejected.shown[0]?.detail;
      },
    });
  } catch (thrown) {
    failed = { thrown };
  }
  await source?.close();
  const { landed, isInDoubt } = kept;
  if (!landed) return { memory: before, lane, ...failed };
  const isSent = failed === undefined && !pace.isCut && !signal.aborted;
  const memory: BackfillMemory = {
    ...before,
    position: landed.position,
    entities: packEntities(landed.entities),
    sent: before.sent + landed.sequence - lane.sequence,
    ...{ rejected, why, last, isSent },
    fraction: isSent ? 1 : Math.max(before.fraction, pace.fraction),
  };
  return {
    memory,
    lane: isInDoubt ? undefined : { relayId: lane.relayId, sequence: landed.sequence },
    ...(pace.waiting !== undefined && { waiting: pace.waiting }),
    ...failed,
  };
}

const placeOf = (record: EventRecord): BackfillMemory["last"] => ({
  entityId: record.entity_id,
  atUs: parseIsoUs(record.t === "state" ? record.last_updated : record.time_fired),
});

/** An import's state that outlives nothing: what a step's commit keeps is taken from it. */
class KeptState implements ImportStateFile {
  /** Everything up to here was taken by the queue. */
  landed: ImportState | undefined;
  #state: ImportState | undefined;

  begin(
    before: BackfillMemory,
    { relayId, sequence }: Lane,
    { homeId, source }: { readonly homeId: string; readonly source: HistorySource },
  ): void {
    const { kind, identity, name } = source;
    this.#state = {
      ...{ version: 1, homeId, source: { kind, identity, name }, relayId, sequence, pending: [], isFinished: false },
      ...(before.position !== undefined && { position: before.position }),
      entities: unpackEntities(before.entities),
    };
    this.landed = this.#state;
  }

  /** There are numbers of which nobody knows whether they were taken. */
  get isInDoubt(): boolean {
    return (this.#state?.pending.length ?? 0) > 0;
  }

  load(): ImportState | undefined {
    return this.#state;
  }

  /** Saved is before it is sent, and when all before it was taken. */
  save(state: ImportState): void {
    this.landed = state.pending.length === 0 ? state : this.#state;
    this.#state = state;
  }

  close(): void {}
}
