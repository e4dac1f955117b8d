import type { WireMigrationReport } from "../api/ports.ts";
import { type Html, html } from "./html.ts";

/** The plots of a migration's report: inline SVG that scales, in the colours of the page. */

const WIDTH = 720;
const HEIGHT = 180;
const LEFT = 44;
const BOTTOM = 22;
const TOP = 8;
const RIGHT = 8;

interface Scale {
  x(value: number): number;
  y(value: number): number;
}

function scaleOf([x0, x1]: readonly [number, number], [y0, y1]: readonly [number, number]): Scale {
  const width = WIDTH - LEFT - RIGHT;
  const height = HEIGHT - TOP - BOTTOM;
  const share = (value: number, low: number, high: number) => (high > low ? (value - low) / (high - low) : 0.5);
  const rounded = (value: number) => Math.round(value * 10) / 10;
  return {
    x: (value) => rounded(LEFT + width * share(value, x0, x1)),
    y: (value) => rounded(TOP + height * (1 - share(value, y0, y1))),
  };
}

const frame = (label: string, content: Html): Html =>
  html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">${content}</svg>`;

const level = (scale: Scale, value: number, text: string): Html =>
  html`<line class="g" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${scale.y(value)}" y2="${scale.y(value)}"/><text x="${LEFT - 6}" y="${scale.y(value) + 4}" text-anchor="end">${text}</text>`;

const moment = (at: number): string => new Date(at).toISOString().slice(0, 16).replace("T", " ");

const times = (from: number, to: number): Html =>
  html`<text x="${LEFT}" y="${HEIGHT - 5}">${moment(from)}</text><text x="${WIDTH - RIGHT}" y="${HEIGHT - 5}" text-anchor="end">${moment(to)}</text>`;

/** For how many entities NEW answered, as a stair. */
export function stagePlot({ stages, created_at: createdAt, made_at: madeAt }: WireMigrationReport): Html {
  const from = Date.parse(createdAt);
  const to = Math.max(from + 1, ...stages.map((stage) => Date.parse(stage.to ?? stage.from)), Date.parse(madeAt));
  const scale = scaleOf([from, to], [0, 100]);
  const points = stages.flatMap((stage) => [
    `${scale.x(Date.parse(stage.from))},${scale.y(stage.percent)}`,
    `${scale.x(stage.to === null ? to : Date.parse(stage.to))},${scale.y(stage.percent)}`,
  ]);
  const marks = [0, 50, 100].map((percent) => level(scale, percent, `${percent} %`));
  const names = stages.map(
    (stage) =>
      html`<rect class="hit" x="${scale.x(Date.parse(stage.from))}" y="${TOP}" width="${Math.max(1, scale.x(stage.to === null ? to : Date.parse(stage.to)) - scale.x(Date.parse(stage.from)))}" height="${HEIGHT - TOP - BOTTOM}"><title>${stage.state} ${stage.percent} %: ${stage.verdict}</title></rect>`,
  );
  return frame(
    "For how many percent of the entities NEW answered, over time",
    html`${marks}${names}<polyline class="s" points="${points.join(" ")}"/>${times(from, to)}`,
  );
}

type Reads = WireMigrationReport["reads"];

/** NEW's time over OLD's with its interval a span; `limit`: where it is taken back. */
export function ratioPlot(reads: Reads, limit: number | undefined): Html {
  const known = reads.flatMap((one) =>
    one.ratio === null ? [] : [{ ...one, ratio: one.ratio, at: (Date.parse(one.from) + Date.parse(one.to)) / 2 }],
  );
  const [first, last] = [known[0], known.at(-1)];
  if (!first || !last) return html`<p class="muted">No pair has two answers.</p>`;
  const values = known.flatMap(({ ratio, low, high }) => [ratio, low ?? ratio, high ?? ratio]);
  const [low, high] = [Math.min(0.8, ...values), Math.max(limit ?? 1.2, 1.2, ...values)];
  const scale = scaleOf([first.at, last.at], [Math.log(low), Math.log(high)]);
  const y = (value: number) => scale.y(Math.log(value));
  const bars = known.map(({ at, ratio, low: under, high: over, pairs }) => {
    const x = scale.x(at);
    const interval =
      under !== null && over !== null && html`<line class="i" x1="${x}" x2="${x}" y1="${y(under)}" y2="${y(over)}"/>`;
    const says = `${ratio.toFixed(3)}${under === null || over === null ? "" : ` (${under.toFixed(3)} to ${over.toFixed(3)})`}, ${pairs} pairs, ${moment(at)}`;
    return html`${interval}<circle class="r" cx="${x}" cy="${y(ratio)}" r="3"><title>${says}</title></circle>`;
  });
  const marks = [low, 1, high].map((value) => level({ ...scale, y: (at) => y(at) }, value, value.toFixed(2)));
  const bound = limit && html`<line class="b" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(limit)}" y2="${y(limit)}"/>`;
  return frame(
    "NEW's time over OLD's, with 95 % intervals, over time",
    html`${marks}${bound}${bars}${times(first.at, last.at)}`,
  );
}

const CLASSES = ["missing_in_new", "missing_in_old", "different", "late", "known_limit"] as const;
const BAR = 22;

/** How many of each class, as bars with their numbers. */
export function differencesPlot(counts: Readonly<Record<(typeof CLASSES)[number], number>>): Html {
  const most = Math.max(1, ...CLASSES.map((name) => counts[name]));
  const [left, room] = [130, WIDTH - 220];
  const bars = CLASSES.map((name, at) => {
    const count = counts[name];
    const width = count === 0 ? 0 : Math.max(2, Math.round((count / most) * room));
    const y = at * BAR;
    return html`<text x="${left - 8}" y="${y + 15}" text-anchor="end">${name.replaceAll("_", " ")}</text><rect class="d" x="${left}" y="${y + 4}" width="${width}" height="${BAR - 8}" rx="3"/><text class="n" x="${left + width + 8}" y="${y + 15}">${count.toLocaleString("en")}</text>`;
  });
  return html`<svg viewBox="0 0 ${WIDTH} ${CLASSES.length * BAR}" role="img" aria-label="Differences by class">${bars}</svg>`;
}

export const PLOT_STYLE = `
.plot svg{display:block;width:100%;height:auto}.plot text{fill:var(--muted);font-size:11px}.plot text.n{fill:var(--ink)}
.g{stroke:var(--line)}.s{fill:none;stroke:var(--ember);stroke-width:2.5}.hit{fill:transparent}
.r{fill:var(--ember)}.i{stroke:var(--muted);stroke-width:1.5}.b{stroke:var(--down);stroke-dasharray:6 4}.d{fill:var(--ember)}
`;
