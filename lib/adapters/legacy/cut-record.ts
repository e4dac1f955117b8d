import { formatIsoUs, parseIsoUs } from "../../base/time.ts";
import type { EventRecord } from "../../event/index.ts";

/**
 * A record as an exporter that keeps no finer time stamps has it: cut, never rounded, as influxdb-python does it for the integration's `precision`.
 * @throws HearthlineError `event_time_invalid`
 */
export function recordCut<R extends EventRecord>(record: R, precisionUs: number): R {
  if (precisionUs === 1) return record;
  const cut = (time: string): string => formatIsoUs(Math.floor(parseIsoUs(time) / precisionUs) * precisionUs);
  if (record.t === "removed") return { ...record, time_fired: cut(record.time_fired) };
  return { ...record, last_changed: cut(record.last_changed), last_updated: cut(record.last_updated) };
}
