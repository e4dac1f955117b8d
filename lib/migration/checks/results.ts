import type { CheckResult } from "../types.ts";

type More = Pick<CheckResult, "observed" | "low" | "high" | "limit" | "samplesWanted" | "trigger" | "isAlert">;
type Found = { readonly [K in keyof More]?: More[K] | undefined } & { readonly sampleSize?: number };

const made =
  (verdict: CheckResult["verdict"]) =>
  (name: string, explanation: string, { sampleSize = 1, ...more }: Found = {}): CheckResult => ({
    ...{ name, verdict, sampleSize, explanation },
    ...(Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined)) as More),
  });

/** Results in short; `explanation` is a sentence for people. */
export const passed = made("pass");
export const failed = made("fail");
export const undecided = made("inconclusive");

export const secondsText = (seconds: number): string =>
  seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;

/** Some names, and how many more there are. */
export function someOf(names: readonly string[], most = 5): string {
  const more = names.length - most;
  return names.slice(0, most).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
