import { formatIsoUs } from "../base/time.ts";
import type { Sample } from "../series/index.ts";

/** A state at its moment, as routes give it. */
export const sampleOf = ({ atUs, state, value }: Sample) => ({
  at: formatIsoUs(atUs),
  state,
  ...(value !== undefined && { value }),
});
