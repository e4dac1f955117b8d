import * as z from "zod";
import { HearthlineError, messageOf } from "../../base/errors.ts";
import type { SinkSwitches } from "../../relay/ports.ts";
import { createJsonFile } from "./json-file.ts";

const FORMAT = "hearthline-sinks-1";
const fileSchema = z.object({ format: z.literal(FORMAT), off: z.array(z.string().min(1).max(32)).max(100) });

/** Which sinks were stopped, as a small file of JSON beside the spool. */
export function createFileSinkSwitches(path: string): SinkSwitches {
  const file = createJsonFile(path);
  const failing = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      throw new HearthlineError("spool_failed", `The list of stopped sinks: ${messageOf(thrown)}`, { cause: thrown });
    }
  };
  return {
    load: () =>
      failing(async () => {
        const there = await file.read();
        return there === undefined ? [] : fileSchema.parse(there).off;
      }),
    save: (off) => failing(() => file.write({ format: FORMAT, off })),
  };
}
