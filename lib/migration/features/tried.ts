import { messageOf } from "../../base/errors.ts";

/** Whether a side has something, and how that is known. `unknown`: there is nothing to try it with, or it did not answer. */
export interface Tried {
  readonly answer: "yes" | "no" | "unknown";
  readonly evidence: string;
}

export const yes = (evidence: string): Tried => ({ answer: "yes", evidence });
export const no = (evidence: string): Tried => ({ answer: "no", evidence });
export const unknown = (evidence: string): Tried => ({ answer: "unknown", evidence });

/** Whatever is thrown is no answer: it may be a minute's trouble. */
export async function tryFeature(feature: () => Promise<Tried>): Promise<Tried> {
  try {
    return await feature();
  } catch (thrown) {
    return unknown(messageOf(thrown).slice(0, 200));
  }
}

export const NONE = unknown("there are no events to try it with");
