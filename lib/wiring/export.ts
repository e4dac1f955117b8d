import { createEventFileWriter } from "../adapters/parquet/file-writer.ts";
import { fromWireEvent, type WireEvent } from "../event/index.ts";

/** What the API shows as one Parquet file, of the columns that the Parquet store has. `sink` takes its bytes in order. Memory: one row group. */
export function createParquetExport(sink: (bytes: Uint8Array) => Promise<void>): {
  write(events: readonly WireEvent[]): Promise<void>;
  finish(): Promise<void>;
} {
  const file = createEventFileWriter({ sink });
  return {
    write: (events) => file.write(events.map(fromWireEvent)),
    finish: async () => void (await file.finish()),
  };
}
