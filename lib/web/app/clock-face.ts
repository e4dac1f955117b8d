/** The geometry of a face of 24 hours: midnight above, noon below, the day runs with the clock's hands. */

const DAY_MINUTES = 1440;

/** A point of the face about (0, 0); SVG's y grows downwards. */
export function pointAt(minute: number, radius: number): readonly [x: number, y: number] {
  const angle = (minute / DAY_MINUTES) * 2 * Math.PI;
  return [rounded(Math.sin(angle) * radius), rounded(-Math.cos(angle) * radius)];
}

const rounded = (value: number): number => Math.round(value * 100) / 100 + 0;

/** Minutes after midnight of `07:02`; undefined for no time of day. */
export function minuteOf(time: string | undefined): number | undefined {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time ?? "");
  return match ? Number(match[1]) * 60 + Number(match[2]) : undefined;
}

/** A piece of a ring as an SVG path, from one minute to a later one (over midnight too), between two radii. */
export function sector(span: { from: number; to: number }, radii: { inner: number; outer: number }): string {
  const length = Math.min(DAY_MINUTES - 0.01, span.to - span.from);
  const to = span.from + length;
  const large = length > DAY_MINUTES / 2 ? 1 : 0;
  const { inner, outer } = radii;
  const at = (minute: number, radius: number) => pointAt(minute, radius).join(" ");
  return `M${at(span.from, outer)}A${outer} ${outer} 0 ${large} 1 ${at(to, outer)}L${at(to, inner)}A${inner} ${inner} 0 ${large} 0 ${at(span.from, inner)}Z`;
}

export interface Petal {
  readonly path: string;
  readonly fromMinute: number;
  readonly toMinute: number;
  readonly count: number;
}

/** The bins of a histogram that hold anything, as petals: the fullest reaches `outer`, its area grows with the count. */
export function petalsOf(
  { edges, counts }: { readonly edges: readonly number[]; readonly counts: readonly number[] },
  { inner, outer }: { readonly inner: number; readonly outer: number },
): readonly Petal[] {
  const most = Math.max(1, ...counts);
  return counts.flatMap((count, index) => {
    const [from, to] = [edges[index], edges[index + 1]];
    if (count <= 0 || from === undefined || to === undefined) return [];
    const reach = Math.sqrt(inner ** 2 + (outer ** 2 - inner ** 2) * (count / most));
    return [{ path: sector({ from, to }, { inner, outer: rounded(reach) }), fromMinute: from, toMinute: to, count }];
  });
}

/** `07:02` of minutes after midnight, of the days beside it too. */
export function clockText(minute: number): string {
  const whole = ((Math.round(minute) % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES;
  return `${String(Math.floor(whole / 60)).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`;
}
