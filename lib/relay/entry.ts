import type { NewRelayRecord } from "../event/index.ts";
import type { SpoolEntry } from "./ports.ts";

/** A record as the spool takes it. */
export const entryOf = (record: NewRelayRecord): SpoolEntry => ({
  text: JSON.stringify(record),
  ...("revision" in record && { revision: record.revision }),
});
