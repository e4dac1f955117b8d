import type { Clock } from "../base/clock.ts";
import { createOwnView, type HomeView, type OwnView, type ViewSource } from "./own-view.ts";

export interface HomeViews {
  /**
   * The home's view, read again when it is older than `refreshMs`, or when one of `entityIds` is not in it (then at most every `unknownRefreshMs`:
   * many entities are in no registry at all).
   * @throws fate-`retry` errors of the index, when there is no view that is younger than `staleMs`: an event without its area could never be mended later,
   * and the table that is away holds keys and ledger too
   */
  of(homeId: string, entityIds: Iterable<string>): Promise<HomeView>;
}

export interface HomeViewsOptions extends ViewSource {
  readonly clock: Pick<Clock, "monotonicMs">;
  /** Default 60,000 ms. */
  readonly refreshMs?: number;
  /** Default 10,000 ms. */
  readonly unknownRefreshMs?: number;
  /** How old a view may get while the index cannot be read. Default 900,000 ms. */
  readonly staleMs?: number;
  /**
   * Devices and entities at hand, of all homes together; beyond it the home asked for longest ago is packed. Default 150,000, at most 75 MB (490 bytes a row were measured of whole
   * rows): 25 homes of 5,000 entities, 600 of 200. By rows and not by homes, because a fleet is of small ones.
   */
  readonly maxRows?: number;
  /**
   * Bytes of packed views; beyond it the home packed longest ago is forgotten, and read whole again with its next envelope, which costs more than all else of its reading.
   * Default 96 MiB: 10,000 homes of 400 rows.
   */
  readonly maxPackedBytes?: number;
}

interface Kept {
  readonly view: OwnView;
  readAtMs: number;
  triedAtMs: number;
  reading: Promise<void> | undefined;
}

interface Packed extends Pick<Kept, "readAtMs" | "triedAtMs"> {
  readonly bytes: Uint8Array;
}

/** What a packed view takes beside its bytes. */
const PACKED_BYTES = 300;
/** What a home takes that has no rows, in rows. */
const ROWS_OF_NOTHING = 10;
const NEVER_MS = Number.NEGATIVE_INFINITY;

/** Views of the homes whose events come through this process. */
export function createHomeViews(options: HomeViewsOptions): HomeViews {
  const { clock, refreshMs = 60_000, unknownRefreshMs = 10_000, staleMs = 900_000, maxRows = 150_000 } = options;
  const { maxPackedBytes = 96 * 1024 * 1024 } = options;
  const kept = new Map<string, Kept>();
  const packed = new Map<string, Packed>();
  let packedBytes = 0;

  function pack(homeId: string, { view, readAtMs, triedAtMs }: Kept): void {
    if (readAtMs === NEVER_MS) return;
    const bytes = view.pack();
    packed.set(homeId, { bytes, readAtMs, triedAtMs });
    packedBytes += bytes.length + PACKED_BYTES;
    for (const [oldest] of packed) {
      if (packedBytes <= maxPackedBytes) return;
      unpack(oldest);
    }
  }

  function unpack(homeId: string): Kept | undefined {
    const found = packed.get(homeId);
    if (!found) return undefined;
    packed.delete(homeId);
    packedBytes -= found.bytes.length + PACKED_BYTES;
    const { bytes, ...times } = found;
    return { ...times, view: createOwnView(bytes), reading: undefined };
  }

  function remembered(homeId: string): Kept {
    const home = kept.get(homeId) ??
      unpack(homeId) ?? {
        view: createOwnView(),
        readAtMs: NEVER_MS,
        triedAtMs: NEVER_MS,
        reading: undefined,
      };
    kept.delete(homeId);
    kept.set(homeId, home);
    return home;
  }

  /** The one asked for last stays, whatever its size. */
  function forgetSome(): void {
    let rows = 0;
    for (const { view } of kept.values()) rows += view.rows + ROWS_OF_NOTHING;
    for (const [homeId, home] of kept) {
      if (rows <= maxRows || kept.size === 1) return;
      kept.delete(homeId);
      rows -= home.view.rows + ROWS_OF_NOTHING;
      pack(homeId, home);
    }
  }

  async function read(homeId: string, home: Kept): Promise<void> {
    home.triedAtMs = clock.monotonicMs();
    try {
      await home.view.refresh(homeId, options);
      home.readAtMs = clock.monotonicMs();
    } catch (thrown) {
      if (clock.monotonicMs() - home.readAtMs > staleMs) throw thrown;
    }
  }

  return {
    async of(homeId, entityIds) {
      const home = remembered(homeId);
      const waitedMs = clock.monotonicMs() - home.triedAtMs;
      const hasUnknown = () => [...new Set(entityIds)].some((entityId) => home.view.entity(entityId) === undefined);
      const isDue =
        home.readAtMs === NEVER_MS || waitedMs >= refreshMs || (waitedMs >= unknownRefreshMs && hasUnknown());
      if (isDue) {
        home.reading ??= read(homeId, home).finally(() => {
          home.reading = undefined;
        });
      }
      await home.reading;
      forgetSome();
      return home.view;
    },
  };
}
