import { addDays, homeDayOf, isTimeZone, localTimeOf, zonedDayStartUs } from "../../base/zone.ts";

/** How the home counts its days. */
export interface HomeClock {
  /** IANA. */
  readonly timeZone: string;
  /** Local: `03:00`. */
  readonly dayStart: string;
}

export interface Tick {
  readonly atMs: number;
  /** Local hour: `06`. */
  readonly label: string;
}

/** A day of the home: 23 and 25 hours long when clocks change. */
export interface Day {
  readonly date: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Every three hours of the local clock. */
  readonly ticks: readonly Tick[];
}

/** What the page was told, or UTC and 03:00 where a browser does not know the zone. */
export const usableClock = ({ timeZone = "", dayStart = "" }: Partial<HomeClock>): HomeClock => ({
  timeZone: isTimeZone(timeZone) ? timeZone : "UTC",
  dayStart: /^([01]\d|2[0-3]):[0-5]\d$/.test(dayStart) ? dayStart : "03:00",
});

/** `18:05`, by the home's clock. */
export const timeText = (atMs: number, { timeZone }: HomeClock): string =>
  localTimeOf(atMs * 1000, timeZone).text.slice(11, 16);

/** The last day that is over. */
export const yesterdayOf = (nowMs: number, { timeZone, dayStart }: HomeClock): string =>
  addDays(homeDayOf(nowMs * 1000, dayStart, timeZone), -1);

// Zones change their clocks by whole or half hours.
const TICK_STEP_MS = 30 * 60_000;

export function dayOf(date: string, clock: HomeClock): Day {
  const startMs = (of: string) => zonedDayStartUs(of, clock.dayStart, clock.timeZone) / 1000;
  const fromMs = startMs(date);
  const toMs = startMs(addDays(date, 1));
  const ticks: Tick[] = [];
  for (let atMs = Math.ceil(fromMs / TICK_STEP_MS) * TICK_STEP_MS; atMs <= toMs; atMs += TICK_STEP_MS) {
    const [hour = "", minute] = timeText(atMs, clock).split(":");
    // An hour that comes twice gets one mark.
    if (minute === "00" && Number(hour) % 3 === 0 && ticks.at(-1)?.label !== hour) ticks.push({ atMs, label: hour });
  }
  return { date, fromMs, toMs, ticks };
}

const DATE = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

/** `Sat 21 Nov` */
export function dateText(date: string): string {
  const at = Date.parse(`${date.slice(0, 10)}T00:00:00Z`);
  return Number.isNaN(at) ? date : DATE.format(at).replace(",", "");
}

/** Whole days from one date, or time, to another. */
export const daysBetween = (from: string, toMs: number): number =>
  Math.max(0, Math.floor((toMs - Date.parse(from.length === 10 ? `${from}T00:00:00Z` : from)) / 86_400_000));
