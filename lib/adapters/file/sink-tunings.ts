import * as z from "zod";
import { HearthlineError, messageOf } from "../../base/errors.ts";
import { ENVELOPE_MAX_RECORDS } from "../../event/index.ts";
import type { KeptTuning, SinkTunings } from "../../relay/ports.ts";
import { createJsonFile } from "./json-file.ts";

const FORMAT = "hearthline-tuning-1";
const fileSchema = z.object({
  format: z.literal(FORMAT),
  // As `outboxSinkSchema` bounds what is asked for: a file is no way around it.
  flush: z.object({ ms: z.number().min(100).max(900_000), insteadOfMs: z.number().nonnegative() }).exactOptional(),
  batch: z.object({ records: z.int().min(10).max(ENVELOPE_MAX_RECORDS) }).exactOptional(),
});

/** What was tuned and kept, as a small file of JSON beside the spool. */
export function createFileSinkTunings(path: string): SinkTunings {
  const file = createJsonFile(path);
  const failing = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      throw new HearthlineError("spool_failed", `What was tuned: ${messageOf(thrown)}`, { cause: thrown });
    }
  };
  return {
    load: () =>
      failing(async (): Promise<KeptTuning> => {
        const there = await file.read();
        if (there === undefined) return {};
        const { format: _, ...kept } = fileSchema.parse(there);
        return kept;
      }),
    save: (kept) => failing(() => file.write({ format: FORMAT, ...kept })),
  };
}
