import { formatIsoUs } from "../../base/time.ts";
import type { PastEvent } from "../admit.ts";
import type { StatisticsRow } from "../ports.ts";

/** Marks a record that is no event but an hour of Home Assistant's long-term statistics. */
export const STATISTICS_ORIGIN = "STATISTICS";
/** What says how the number is to be read. */
const FACTS = ["unit_of_measurement", "device_class", "state_class", "friendly_name"];

/**
 * One hour as a record of kind `snapshot`, which counts as no change: the mean of a measurement, else the state of a total at the hour's end; dated to the
 * hour's beginning. undefined where the hour says neither.
 */
export function hourOf(
  entityId: string,
  row: StatisticsRow,
  held: Readonly<Record<string, unknown>> = {},
): PastEvent | undefined {
  const { startUs, endUs, ...numbers } = row;
  const value = numbers.mean ?? numbers.state;
  if (value === undefined) return undefined;
  const facts = Object.fromEntries(FACTS.filter((name) => held[name] !== undefined).map((name) => [name, held[name]]));
  const statistics = { ...numbers, hours: (endUs - startUs) / 3_600_000_000 };
  const at = formatIsoUs(startUs);
  const attributes = { ...facts, hearthline_statistics: statistics };
  return {
    entityId,
    kind: "snapshot",
    state: String(value),
    attributes,
    lastChanged: at,
    lastUpdated: at,
    origin: STATISTICS_ORIGIN,
  };
}
