import type { Microseconds } from "../base/time.ts";
import { addDays, localDateOf, zonedDayStartUs } from "../base/zone.ts";
import { clockChangeMs, zoneOffsetMs } from "../base/zone-offsets.ts";

/** How long a window is, by the home's clock. */
export const WINDOWS = ["5m", "1h", "1d"] as const;
export type WindowName = (typeof WINDOWS)[number];

const DAY_MS = 86_400_000;
const LENGTHS_MS = { "5m": 300_000, "1h": 3_600_000, "1d": DAY_MS } as const satisfies Record<WindowName, number>;

/** About how many windows there will be; exact but for what the clock's changes add or take. */
export const windowsBetween = (fromUs: Microseconds, toUs: Microseconds, name: WindowName): number =>
  Math.ceil((toUs - fromUs) / (LENGTHS_MS[name] * 1000));

/**
 * The edges of the windows from `fromUs` to `toUs`, both of which are edges themselves. Between them windows begin where the home's clock shows a whole hour (five
 * minutes, midnight): an hour that comes twice makes two windows, one that is left out none, and a day may have 23 or 25 hours.
 */
export function windowEdges(
  span: { readonly fromUs: Microseconds; readonly toUs: Microseconds },
  name: WindowName,
  zoneName: string,
): Microseconds[] {
  const { fromUs, toUs } = span;
  const edges = [fromUs];
  for (let atUs = nextEdge(fromUs, name, zoneName); atUs < toUs; atUs = nextEdge(atUs, name, zoneName)) {
    edges.push(atUs);
  }
  edges.push(toUs);
  return edges;
}

function nextEdge(atUs: Microseconds, name: WindowName, zoneName: string): Microseconds {
  if (name === "1d") return nextMidnight(atUs, zoneName);
  const lengthMs = LENGTHS_MS[name];
  let fromMs = Math.floor(atUs / 1000);
  for (;;) {
    const offsetMs = zoneOffsetMs(fromMs, zoneName);
    const edgeMs = (Math.floor((fromMs + offsetMs) / lengthMs) + 1) * lengthMs - offsetMs;
    // Where the clock changes before it shows that, what it shows from then on counts.
    const changeMs =
      zoneOffsetMs(edgeMs - 1, zoneName) === offsetMs ? undefined : clockChangeMs(fromMs, edgeMs, zoneName);
    if (changeMs === undefined || changeMs <= fromMs) return edgeMs * 1000;
    fromMs = changeMs;
    if ((fromMs + zoneOffsetMs(fromMs, zoneName)) % lengthMs === 0) return fromMs * 1000;
  }
}

/** A midnight that is skipped is the moment of the change; of a midnight that comes twice the first one counts. */
function nextMidnight(atUs: Microseconds, zoneName: string): Microseconds {
  for (let date = addDays(localDateOf(atUs, zoneName), 1); ; date = addDays(date, 1)) {
    const startUs = zonedDayStartUs(date, "00:00", zoneName);
    if (startUs > atUs) return startUs;
  }
}
