import type { NewRelayRecord } from "../event/index.ts";

/** A status of which nothing is news is said again so often: it also says that the relay is alive. */
export const STATUS_AT_LEAST_MS = 300_000;
/** Clocks wander a little all the time. */
const OFFSET_NEWS_MS = 1_000;
/** A record that has waited for so long, beyond two flush intervals, is on no ordinary way: while it lasts, each minute's figures are news. */
const LATE_SECONDS = 120;

/** The relay's own status, before it has a number. */
export type NewStatus = Extract<NewRelayRecord, { readonly t: "relay" }>;

/** How much waits in the spool changes from minute to minute; it is news only when it waits for long. */
export function isStatusNews(now: NewStatus, said: NewStatus | undefined): boolean {
  if (!said || Date.parse(now.at) - Date.parse(said.at) >= STATUS_AT_LEAST_MS) return true;
  // Set back: who compares by time would wait for hours.
  if (Date.parse(now.at) < Date.parse(said.at)) return true;
  if (now.oldest_seconds > LATE_SECONDS + 2 * (now.flush_seconds ?? 0)) return true;
  if (Math.abs((now.clock_offset_ms ?? 0) - (said.clock_offset_ms ?? 0)) >= OFFSET_NEWS_MS) return true;
  // Two pipelines run at once: somebody waits for the figures of both.
  if ((now.sinks ?? []).filter(({ state }) => state === "on").length > 1) return true;
  if (statesText(now) !== statesText(said)) return true;
  const names = [
    "connected",
    "since",
    "ha_state",
    "ha_version",
    "rejected",
    "flush_seconds",
    "batch_records",
    "last_error",
  ] as const;
  return names.some((name) => now[name] !== said[name]);
}

const statesText = ({ sinks = [] }: NewStatus): string => sinks.map(({ name, state }) => `${name} ${state}`).join(", ");
