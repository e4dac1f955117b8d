import type { WirePatternDetail } from "../../api/index.ts";
import { countText, durationText } from "../age.ts";
import { calendarOf, type DayEvidence } from "./calendar.ts";
import { clockText, minuteOf, petalsOf, pointAt, sector } from "./clock-face.ts";
import { dateText } from "./day.ts";
import { whenText } from "./words.ts";

type Histogram = NonNullable<WirePatternDetail["evidence"]["histogram"]>;

const FACE = { inner: 24, outer: 54 };
/** Around the face: the time that is usual, and how far from it. */
const RIM = { inner: 54, outer: 57 };
const HOURS = [0, 3, 6, 9, 12, 15, 18, 21];
const DAY_MINUTES = 1440;

/** The evidence of a pattern as a picture of its kind, with its days beside it. */
export function Evidence({ pattern }: { readonly pattern: WirePatternDetail }) {
  const { histogram, days } = pattern.evidence;
  // Of the one day on which it happened the others are no misses.
  const hasDays = days.length > 0 && pattern.kind !== "anomaly";
  return (
    <div class={histogram?.unit === "minute-of-day" ? "evidence beside" : "evidence"}>
      {histogram && histogram.unit === "minute-of-day" && <ClockFace pattern={pattern} histogram={histogram} />}
      {histogram && histogram.unit !== "minute-of-day" && <Bars pattern={pattern} histogram={histogram} />}
      {hasDays && <Calendar days={days} />}
    </div>
  );
}

interface ChartProps {
  readonly pattern: WirePatternDetail;
  readonly histogram: Histogram;
}

/** 24 hours, midnight above: how often when, about what time, and how far from it. */
export function ClockFace({ pattern, histogram }: ChartProps) {
  const at = minuteOf(pattern.at);
  const spread = Math.min(DAY_MINUTES / 2, pattern.spread_minutes ?? 0);
  const total = histogram.counts.reduce((sum, count) => sum + count, 0);
  const words = `Times of day of ${countText(total)}. ${whenText(pattern) ?? ""}`;
  return (
    <svg class="clock" viewBox="-70 -70 140 140" role="img" aria-label={words}>
      <circle r={FACE.outer} class="face" />
      <path d={sector({ from: -6 * 60, to: 6 * 60 }, { inner: 0.01, outer: FACE.outer })} class="dark-half" />
      {at !== undefined && spread > 0 && (
        <path d={sector({ from: at - spread, to: at + spread }, RIM)} class="spread">
          <title>{`${clockText(at - spread)} to ${clockText(at + spread)}`}</title>
        </path>
      )}
      {petalsOf(histogram, FACE).map(({ path, fromMinute, toMinute, count }) => (
        <path key={fromMinute} d={path} class="petal">
          <title>{`${clockText(fromMinute)} to ${clockText(toMinute)}: ${count}`}</title>
        </path>
      ))}
      {HOURS.map((hour) => {
        const [x, y] = pointAt(hour * 60, 63);
        const [x1, y1] = pointAt(hour * 60, FACE.outer);
        const [x2, y2] = pointAt(hour * 60, FACE.outer - 3);
        return hour % 6 === 0 ? (
          <text key={hour} x={x} y={y} class="hour">
            {hour}
          </text>
        ) : (
          <line key={hour} {...{ x1, y1, x2, y2 }} class="mark" />
        );
      })}
      {at !== undefined && <Hand minute={at} />}
      <circle r={FACE.inner - 2} class="hub" />
      {pattern.at && (
        <text y="0.5" class="time">
          {pattern.at}
        </text>
      )}
    </svg>
  );
}

function Hand({ minute }: { readonly minute: number }) {
  const [x1, y1] = pointAt(minute, FACE.outer - 5);
  const [x2, y2] = pointAt(minute, RIM.outer);
  return <line {...{ x1, y1, x2, y2 }} class="hand" />;
}

const CHART = { width: 224, height: 132, top: 6, bottom: 18 };

/** A histogram of seconds or of counts; bins stand side by side, as wide as each other whatever they span. */
export function Bars({ pattern, histogram }: ChartProps) {
  const { edges, counts, unit } = histogram;
  const most = Math.max(1, ...counts);
  const width = CHART.width / Math.max(1, counts.length);
  const room = CHART.height - CHART.top - CHART.bottom;
  const ground = CHART.height - CHART.bottom;
  const textOf = (value: number) => (unit === "seconds" ? durationText(value) : countText(value));
  const median = pattern.delay_seconds?.median ?? pattern.duration_seconds?.median;
  const medianX = unit === "seconds" && median !== undefined ? placeOf(edges, median) * width : undefined;
  const middle = Math.floor(counts.length / 2);
  const what = unit === "seconds" ? "lengths of time" : "events a day";
  const observed = pattern.kind === "anomaly" ? Number(pattern.evidence.details?.observed) : Number.NaN;
  const fullest = counts.indexOf(most);
  const words = `How often which ${what}; most often ${textOf(edges[fullest] ?? 0)} to ${textOf(edges[fullest + 1] ?? 0)}.`;
  return (
    <svg
      class={pattern.kind === "anomaly" ? "bars usual" : "bars"}
      viewBox={`0 0 ${CHART.width} ${CHART.height}`}
      role="img"
      aria-label={words}
    >
      {counts.map((count, index) => (
        <rect
          key={edges[index]}
          x={index * width + 0.75}
          width={Math.max(1, width - 1.5)}
          y={ground - (count / most) * room}
          height={(count / most) * room}
          rx="1.5"
          class={isWithin(edges, index, observed) ? "bar odd" : "bar"}
        >
          <title>{`${textOf(edges[index] ?? 0)} to ${textOf(edges[index + 1] ?? 0)}: ${count}`}</title>
        </rect>
      ))}
      <line x1="0" x2={CHART.width} y1={ground + 0.5} y2={ground + 0.5} class="axis" />
      {medianX !== undefined && <line x1={medianX} x2={medianX} y1={CHART.top - 4} y2={ground} class="hand" />}
      <text x="0" y={CHART.height - 4} class="edge start">
        {textOf(edges[0] ?? 0)}
      </text>
      {counts.length > 3 && (
        <text x={middle * width} y={CHART.height - 4} class="edge middle">
          {textOf(edges[middle] ?? 0)}
        </text>
      )}
      <text x={CHART.width} y={CHART.height - 4} class="edge end">
        {textOf(edges.at(-1) ?? 0)}
      </text>
    </svg>
  );
}

const isWithin = (edges: readonly number[], index: number, value: number): boolean =>
  value >= (edges[index] ?? 0) && value < (edges[index + 1] ?? 0);

/** In which bin a value lies, and how far in it. */
function placeOf(edges: readonly number[], value: number): number {
  const index = Math.max(
    0,
    Math.min(
      edges.length - 2,
      edges.findLastIndex((edge) => edge <= value),
    ),
  );
  const [from = 0, to = 1] = [edges[index], edges[index + 1]];
  return index + Math.min(1, Math.max(0, (value - from) / Math.max(1e-9, to - from)));
}

const CELL = 12;
const LEFT = 14;
/** Of the words under a calendar of few weeks. */
const SINCE_WIDTH = 76;
const CELL_WORDS = { hit: "hit", part: "part", miss: "miss", none: "none" } as const;

/** One square a day, one column a week: full it happened, empty it did not. */
export function Calendar({ days }: { readonly days: readonly DayEvidence[] }) {
  const { cells, weeks } = calendarOf(days);
  const [first, last] = [cells[0], cells.at(-1)];
  if (!first || !last) return null;
  const hits = cells.filter(({ kind }) => kind === "hit" || kind === "part").length;
  const could = cells.filter(({ kind }) => kind !== "none").length;
  const span = `${dateText(first.date)} to ${dateText(last.date)}`;
  const height = 7 * CELL + 16;
  const width = Math.max(LEFT + weeks * CELL, SINCE_WIDTH);
  return (
    <svg
      class={`calendar weeks-${weeks}`}
      width={width}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`Happened on ${hits} of ${could} days, ${span}.`}
    >
      {["M", "", "W", "", "F", "", "S"].map((name, index) => (
        <text key={`${name}${index * CELL}`} x="0" y={index * CELL + 8.5} class="edge start">
          {name}
        </text>
      ))}
      {cells.map(({ date, kind, week, weekday, words }) => {
        const [x, y] = [LEFT + week * CELL, weekday * CELL];
        return (
          <g key={date} class={`cell ${CELL_WORDS[kind]}`}>
            {kind === "none" ? (
              <circle cx={x + 5} cy={y + 5} r="1.2" />
            ) : (
              <rect x={x + 0.5} y={y + 0.5} width="9" height="9" rx="2.5" />
            )}
            {kind === "part" && <circle cx={x + 5} cy={y + 5} r="1.7" />}
            <title>{`${dateText(date)}: ${words}`}</title>
          </g>
        );
      })}
      <text x={weeks < 5 ? 0 : LEFT} y={height - 2} class="edge start">
        {weeks < 5 ? `since ${dateText(first.date).slice(4)}` : dateText(first.date).slice(4)}
      </text>
      {weeks >= 9 && (
        <text x={LEFT + weeks * CELL - 2} y={height - 2} class="edge end">
          {dateText(last.date).slice(4)}
        </text>
      )}
    </svg>
  );
}
