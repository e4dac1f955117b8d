import { INFLUX_LIMITS } from "../../lib/adapters/legacy/old-influx-limits.ts";
import type { OldRow, OldScan, OldSystem } from "../../lib/migration/ports.ts";
import { HOME, type PlainRow, rowAt, rowsBefore } from "./home.ts";

/** What OLD has otherwise than NEW. */
export interface Faults {
  /** Of all rows. */
  readonly shiftUs?: number;
  /** By number: other rows in its place, none or several. */
  readonly rows?: ReadonlyMap<number, readonly PlainRow[]>;
}

export interface BenchOld extends OldSystem {
  faults: Faults;
  /** Since it was set to zero: rows given, and what they take as JSON. */
  readonly given: { rows: number; bytes: number };
}

const PIECE = 2_000;
/** Rows of a fault lie at most so far from their place. */
const NEAR_US = 1_000_000;

/** An OLD that makes each row when it is asked for, so that it takes no memory from what is measured. */
export function createBenchOld(rows: number): BenchOld {
  const given = { rows: 0, bytes: 0 };
  const isIn = (row: PlainRow, { fromUs, toUs }: OldScan): boolean => row.atUs >= fromUs && row.atUs < toUs;

  function* all(query: OldScan): Generator<OldRow> {
    const { shiftUs = 0, rows: other } = old.faults;
    const wanted = query.entityIds && new Set(query.entityIds);
    const near = other ? NEAR_US : 0;
    const last = rowsBefore(query.toUs - shiftUs + near, rows);
    for (let index = rowsBefore(query.fromUs - shiftUs - near, rows); index < last; index++) {
      const here = other?.get(index) ?? [rowAt(index)];
      for (const row of here) {
        const shifted = shiftUs === 0 ? row : { ...row, atUs: row.atUs + shiftUs };
        if ((near === 0 || isIn(shifted, query)) && (!wanted || wanted.has(row.entityId))) yield shifted;
      }
    }
  }

  const old: BenchOld = {
    kind: "influxdb",
    name: `bench of ${HOME}`,
    limits: INFLUX_LIMITS,
    faults: {},
    given,
    describe: async () => {
      const shiftUs = old.faults.shiftUs ?? 0;
      return {
        product: "bench",
        schema: "1",
        oldestUs: rowAt(0).atUs + shiftUs,
        newestUs: rowAt(rows - 1).atUs + shiftUs,
      };
    },
    scan: async function* (query) {
      let piece: OldRow[] = [];
      for (const row of all(query)) {
        if (piece.push(row) < PIECE) continue;
        count(given, piece);
        yield piece;
        piece = [];
      }
      if (piece.length > 0) {
        count(given, piece);
        yield piece;
      }
    },
    counts: async (query) => {
      const tiles: { fromUs: number; count: number }[] = [];
      for (let at = Math.floor(query.fromUs / query.widthUs) * query.widthUs; at < query.toUs; at += query.widthUs) {
        const [fromUs, toUs] = [Math.max(at, query.fromUs), Math.min(at + query.widthUs, query.toUs)];
        const { shiftUs = 0 } = old.faults;
        const [first, end] = [rowsBefore(fromUs - shiftUs, rows), rowsBefore(toUs - shiftUs, rows)];
        let sum = end - first;
        for (const [index, others] of old.faults.rows ?? [])
          if (index >= first && index < end) sum += others.length - 1;
        if (sum > 0) tiles.push({ fromUs: at, count: sum });
      }
      return tiles;
    },
    range: async () => ({ events: [] }),
    write: async (events) => ({ taken: 0, refused: events.map((event) => ({ event, reason: "it takes none" })) }),
    close: async () => {},
  };
  return old;
}

/** An average of the piece's first row is enough: they are all alike. */
function count(given: BenchOld["given"], piece: readonly OldRow[]): void {
  given.rows += piece.length;
  given.bytes += piece.length * JSON.stringify(piece[0]).length;
}
