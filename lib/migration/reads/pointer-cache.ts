import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { MigrationStore, Pointer } from "../ports.ts";

export interface PointerCache {
  /**
   * Who answers reads of this home; undefined: no migration, NEW does. What is known comes at once; a promise only at the very first read of a home and at the first one after a silence
   * (`SILENCE_MS`), and never for longer than `WAIT_MS` where something is known.
   * @throws (the promise) fate-`retry` service errors: nothing was ever known of this home and it cannot be read
   */
  get(homeId: string): Pointer | undefined | Promise<Pointer | undefined>;
  /** By a look that begins now, for whoever is about to have no answer by the pointer that he has. It takes `WAIT_MS` at most; where it fails, or one has just failed, what is known. Never rejects. */
  renew(homeId: string): Promise<Pointer | undefined>;
}

export interface PointerCacheOptions {
  readonly store: Pick<MigrationStore, "pointer">;
  readonly clock: Pick<Clock, "nowMs" | "monotonicMs" | "sleep">;
  readonly log: Pick<Logger, "warn">;
}

/** A pointer older than this is read again, beside the read that found it so. */
export const FRESH_MS = 2_000;
/** That a home has no migration is believed for longer: it is so nearly always, and whoever starts one waits for this before NEW may differ from OLD. */
export const NONE_FRESH_MS = 5_000;
/** What is older than this is not served without a look: a function may have been frozen for hours, and a rollback must be effective within seconds. */
export const SILENCE_MS = 15_000;
/** So long a read waits for that look at most. */
export const WAIT_MS = 1_000;
/** After a look that failed the next one is not before this. */
const AGAIN_MS = 2_000;
const HOMES_MAX = 1_000;

interface Known {
  readonly pointer: Pointer | undefined;
  /** When the look began that found it: what it saw may be as old as that. */
  readonly at: Moment;
}

interface Moment {
  readonly nowMs: number;
  readonly monotonicMs: number;
}

interface Place {
  known?: Known;
  looking?: Promise<void>;
  /** The look under way was waited for in vain: nobody waits for that one again. */
  isSlow?: boolean;
  failedAt?: Moment;
}

/**
 * The pointer of each home, read at most every few seconds by this process, one look at a time. When it cannot be read, the last known one holds for as long as that lasts: OLD stays OLD's,
 * NEW stays NEW's. When nothing was ever known the read fails: a NEW of which nobody can say whether it has the past must not answer for it (and OLD's address stands in that same record).
 */
export function createPointerCache({ store, clock, log }: PointerCacheOptions): PointerCache {
  const places = new Map<string, Place>();

  const moment = (): Moment => ({ nowMs: clock.nowMs(), monotonicMs: clock.monotonicMs() });
  /** The longer of both clocks': one may stand still while a function is frozen, the other may be set. */
  const since = (at: Moment): number => Math.max(clock.monotonicMs() - at.monotonicMs, clock.nowMs() - at.nowMs);

  function placeOf(homeId: string): Place {
    const there = places.get(homeId);
    if (there) return there;
    if (places.size >= HOMES_MAX) for (const oldest of places.keys()) if (places.delete(oldest)) break;
    const place: Place = {};
    places.set(homeId, place);
    return place;
  }

  async function look(homeId: string, place: Place): Promise<void> {
    const at = moment();
    try {
      const pointer = await store.pointer(homeId);
      delete place.failedAt;
      place.known = { pointer: later(place.known?.pointer, pointer), at };
    } catch (error) {
      const isFirst = place.failedAt === undefined;
      place.failedAt = moment();
      if (!place.known) throw error;
      if (isFirst) log.warn("who answers reads cannot be read; the last known holds", { homeId, error });
    }
  }

  /** The look under way, or a new one. It rejects only when nothing is known. */
  function looking(homeId: string, place: Place): Promise<void> {
    if (place.looking) return place.looking;
    place.isSlow = false;
    const now = look(homeId, place).finally(() => delete place.looking);
    now.catch(() => {});
    place.looking = now;
    return now;
  }

  async function wait(homeId: string, place: Place): Promise<Pointer | undefined> {
    if (!place.known) await looking(homeId, place);
    return younger(homeId, place, (at) => since(at) > SILENCE_MS);
  }

  async function younger(
    homeId: string,
    place: Place,
    isTooOld: (at: Moment) => boolean,
  ): Promise<Pointer | undefined> {
    // A look that began before answers with what was true then: one more.
    for (let i = 0; i < 2 && place.known && isTooOld(place.known.at); i++) {
      const done = new AbortController();
      const isDone = await Promise.race([
        looking(homeId, place).then(() => true),
        clock.sleep(WAIT_MS, done.signal).then(() => false),
      ]);
      done.abort();
      if (isDone && !place.failedAt) continue;
      if (!isDone) place.isSlow = true;
      break;
    }
    return place.known?.pointer;
  }

  return {
    get(homeId) {
      const place = placeOf(homeId);
      const { known } = place;
      if (!known) return wait(homeId, place);
      const age = since(known.at);
      if (age <= (known.pointer ? FRESH_MS : NONE_FRESH_MS)) return known.pointer;
      if (place.failedAt && since(place.failedAt) < AGAIN_MS) return known.pointer;
      // While looks fail nobody waits for one each time; but a failure from before a silence says nothing of now.
      const isFailing = place.failedAt !== undefined && since(place.failedAt) <= SILENCE_MS;
      if (age > SILENCE_MS && !isFailing && !(place.looking && place.isSlow)) return wait(homeId, place);
      void looking(homeId, place);
      return known.pointer;
    },
    async renew(homeId) {
      const place = placeOf(homeId);
      const { known, failedAt } = place;
      if (failedAt && since(failedAt) < AGAIN_MS) return known?.pointer;
      const nowMs = clock.monotonicMs();
      return younger(homeId, place, (at) => at.monotonicMs < nowMs);
    },
  };
}

/** Two looks may come back in the wrong order, and a table's copies may lag: within a migration the epoch never falls. */
const later = (known: Pointer | undefined, found: Pointer | undefined): Pointer | undefined =>
  known && found && known.migrationId === found.migrationId && found.epoch < known.epoch ? known : found;
