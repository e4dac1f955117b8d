import type { HomeEvent } from "../../event/index.ts";

/** Who reads a day's events along with the detectors, into a daily aggregate of its own kind: they are read from the store once. */
export interface DayReader {
  readonly kind: string;
  begin(): { add(event: HomeEvent): void; finish(): readonly unknown[] };
}

/** All of them for one day. One that fails has no rows, and takes nobody with it: its own phase finds that the day is missing. */
export function beginReaders(readers: readonly DayReader[]): {
  add(event: HomeEvent): void;
  /** By kind. */
  finish(): ReadonlyMap<string, readonly unknown[]>;
} {
  const reading = new Map(readers.map((reader) => [reader.kind, reader.begin()]));
  const attempt = <T>(kind: string, work: () => T): T | undefined => {
    try {
      return work();
    } catch {
      reading.delete(kind);
      return undefined;
    }
  };
  return {
    add(event) {
      for (const [kind, one] of reading) attempt(kind, () => one.add(event));
    },
    finish: () =>
      new Map(
        [...reading].flatMap(([kind, one]) => {
          const rows = attempt(kind, () => one.finish());
          return rows ? [[kind, rows] as const] : [];
        }),
      ),
  };
}
