import { floatSecondsToUs, formatIsoUs } from "../../../lib/base/time.ts";

export const HA_VERSIONS = ["2026.11.0", "2026.2.3", "2024.3.3"] as const;
export type HaVersion = (typeof HA_VERSIONS)[number];

/** What differs on the wire between releases, as seen with the real ones. */
export interface Flavour {
  readonly version: HaVersion;
  readonly hasLastReported: boolean;
  /** Since 2026.8: child devices, one config entry a device, split devices. */
  readonly hasChildDevices: boolean;
  readonly hasFloors: boolean;
  /** Milliseconds over 1,024 pending messages until the client is cut. */
  readonly peakMs: number;
  /** A missing key in a command. */
  missingKey(key: string): string;
  /** The time as this release stamps it: whole microseconds before 2026. */
  stamp(at: number): number;
  /** The text of a stamp, six decimals. */
  isoOf(at: number): string;
}

export function flavourOf(version: HaVersion): Flavour {
  const is2024 = version === "2024.3.3";
  const isNewest = version === "2026.11.0";
  const stamp = (at: number) => (is2024 ? floatSecondsToUs(at) / 1e6 : at);
  return {
    version,
    hasLastReported: !is2024,
    hasChildDevices: isNewest,
    hasFloors: !is2024,
    peakMs: is2024 ? 5_000 : 10_000,
    missingKey: (key) =>
      isNewest
        ? `required key not provided at '${key}'. Got None`
        : `required key not provided @ data['${key}']. Got None`,
    stamp,
    isoOf,
  };
}

let secondOfText = Number.NaN;
let textOfSecond = "";

/** As `formatIsoUs`, but the text of the second is kept: events come many a second. */
function isoOf(at: number): string {
  const us = floatSecondsToUs(at);
  const second = Math.floor(us / 1e6);
  if (second !== secondOfText) {
    secondOfText = second;
    textOfSecond = formatIsoUs(second * 1e6).slice(0, 20);
  }
  return `${textOfSecond}${String(us - second * 1e6).padStart(6, "0")}+00:00`;
}
