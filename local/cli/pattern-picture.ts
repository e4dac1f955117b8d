interface Evidence {
  readonly days: readonly { readonly date: string; readonly hits: number; readonly opportunities: number }[];
  readonly histogram?: {
    readonly unit: "minute-of-day" | "seconds" | "count";
    readonly edges: readonly number[];
    readonly counts: readonly number[];
  };
  readonly details?: Readonly<Record<string, number | string | boolean>>;
}

/** So far back the days go. */
export const PATTERN_DAYS_MAX = 90;
const WEEK = 7;
const BAR = 40;
const BINS_MAX = 24;

/** Hits and misses by day, a line a week, and the histogram as bars. */
export function pictureOf({ days, histogram }: Evidence): string[] {
  return [...calendarOf(days), ...(histogram ? ["", ...barsOf(histogram)] : [])];
}

/** `#` it happened, `+` at some of its occasions, `.` it did not, a blank: there was no occasion. */
function calendarOf(days: Evidence["days"]): string[] {
  const [first, last] = [days[0]?.date, days.at(-1)?.date];
  if (first === undefined || last === undefined) return ["no day yet"];
  const signs = new Map(days.map((day) => [day.date, signOf(day)]));
  const lines: string[] = [];
  for (let monday = mondayOf(first); monday <= last; monday = later(monday, WEEK)) {
    const week = Array.from({ length: WEEK }, (_, at) => signs.get(later(monday, at)) ?? " ");
    lines.push(`${monday}  ${week.join(" ")}`.trimEnd());
  }
  return ["            M T W T F S S   # hit  + in part  . miss", ...lines];
}

function signOf({ hits, opportunities }: Evidence["days"][number]): string {
  if (opportunities === 0) return hits > 0 ? "#" : " ";
  return hits >= opportunities ? "#" : hits > 0 ? "+" : ".";
}

const later = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
const mondayOf = (date: string): string => later(date, -((new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % WEEK));

/** Without the empty bins at both ends, and in at most so many bars. */
function barsOf({ unit, edges, counts }: NonNullable<Evidence["histogram"]>): string[] {
  const filled = counts.flatMap((count, at) => (count > 0 ? [at] : []));
  const [first, last] = [filled[0], filled.at(-1)];
  if (first === undefined || last === undefined) return [];
  const width = Math.ceil((last - first + 1) / BINS_MAX);
  const bars: { readonly label: string; readonly count: number }[] = [];
  for (let at = first; at <= last; at += width) {
    const count = counts.slice(at, at + width).reduce((sum, one) => sum + one, 0);
    bars.push({ label: labelOf(edges[at] ?? 0, unit), count });
  }
  const most = Math.max(...bars.map(({ count }) => count));
  const labels = Math.max(...bars.map(({ label }) => label.length));
  return bars.map(({ label, count }) => {
    const bar = "#".repeat(count === 0 ? 0 : Math.max(1, Math.round((BAR * count) / most)));
    return `${label.padStart(labels)}  ${bar}${bar ? " " : ""}${count === 0 ? "" : count}`.trimEnd();
  });
}

function labelOf(edge: number, unit: "minute-of-day" | "seconds" | "count"): string {
  if (unit === "count") return edge === 1 ? "1 time" : `${edge} times`;
  if (unit === "minute-of-day") {
    const minute = Math.round(edge) % 1_440;
    return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
  }
  if (edge < 90) return `${Math.round(edge)} s`;
  return edge < 5_400 ? `${Math.round(edge / 60)} min` : `${Math.round(edge / 360) / 10} h`;
}
