import { HearthlineError } from "../../base/errors.ts";

/** A block that is not what the encoder wrote. */
export const damaged = (state: string, cause?: unknown): HearthlineError =>
  new HearthlineError("store_damaged", `A block of events cannot be read: ${state}; wanted is a backup of it.`, {
    cause,
  });
