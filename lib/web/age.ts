const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** A duration as a person says it: "3 s", "12 min", "4 h 5 min", "3 d". Less than nothing (clocks differ) is nothing. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min`;
  if (whole < DAY) {
    const minutes = Math.floor((whole % HOUR) / MINUTE);
    return `${Math.floor(whole / HOUR)} h${minutes > 0 ? ` ${minutes} min` : ""}`;
  }
  return `${Math.floor(whole / DAY)} d`;
}

/** From one ISO time to another. */
export const ageText = (at: string, now: string): string => durationText((Date.parse(now) - Date.parse(at)) / 1000);

/** 12345 as "12,345". */
export const countText = (count: number): string => count.toLocaleString("en");
