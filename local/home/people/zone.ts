/** Minutes of a day at which the simulated day begins: 04:00 local, when everybody sleeps. It ends at 28:00. */
export const DAY_BEGINS_MINUTE = 240;
const DAY_MS = 86_400_000;

/** The clock on the wall of one time zone. */
export interface Zone {
  readonly name: string;
  /** Milliseconds to add to UTC. */
  offsetMs(utcMs: number): number;
}

export function createZone(name: string): Zone {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  return {
    name,
    offsetMs(utcMs) {
      const text = format.formatToParts(new Date(utcMs)).find((part) => part.type === "timeZoneName")?.value ?? "";
      const match = /([+-])(\d\d):(\d\d)/.exec(text);
      return match ? (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) * 60_000 : 0;
    },
  };
}

/** The number of the simulated day (days since 1970-01-01 of its local date) that holds this moment. */
export const dayNumberOf = (zone: Zone, utcMs: number): number =>
  Math.floor((utcMs + zone.offsetMs(utcMs) - DAY_BEGINS_MINUTE * 60_000) / DAY_MS);

/** `2026-11-22` of a day number. */
export const dateOfDay = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

/**
 * From minutes on the wall clock of day `day` to seconds since 1970. On the two days a year when the clock changes, the wall time that is skipped
 * counts as the hour after it, the one that comes twice as the first of the two.
 */
export function wallClock(zone: Zone, day: number): (minute: number) => number {
  const midnightMs = day * DAY_MS;
  const toUtcMs = (wallMs: number): number => {
    const first = wallMs - zone.offsetMs(wallMs - zone.offsetMs(wallMs));
    const earlier = wallMs - zone.offsetMs(first - 3_600_000);
    return earlier < first && earlier + zone.offsetMs(earlier) === wallMs ? earlier : first;
  };
  const startMs = toUtcMs(midnightMs + DAY_BEGINS_MINUTE * 60_000);
  const endMs = toUtcMs(midnightMs + DAY_MS + DAY_BEGINS_MINUTE * 60_000);
  if (endMs - startMs === DAY_MS) return (minute) => startMs / 1000 + (minute - DAY_BEGINS_MINUTE) * 60;
  return (minute) => toUtcMs(midnightMs + minute * 60_000) / 1000;
}
