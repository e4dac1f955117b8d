import type { Page } from "../api/index.ts";
import type { WireMigrationChange, WireMigrationReport } from "../api/ports.ts";
import { documentPage, LOGO } from "./document.ts";
import { type Html, html } from "./html.ts";
import { differencesPlot, PLOT_STYLE, ratioPlot, stagePlot } from "./report-plots.ts";

/** A migration's report as one page that needs nothing else: it can be kept, sent and printed. */

type Report = WireMigrationReport;
type Check = Report["checks"][number];

export function reportPage(report: Report): Page {
  const { id, home_id: home, state, verdict, made_at: madeAt, checksum, signature } = report;
  const body = html`<div class="wrap"><header class="top">${LOGO}<span class="brand">Hearthline</span></header>
<main><h1>Migration of ${home}: ${state.replaceAll("_", " ")}</h1>
<p class="lead"><strong class="v-${verdict}">${verdict}</strong>. From ${String(oldOf(report))}. Made ${when(madeAt)}.</p>
${figures(report)}
<h2>Stage over time</h2><div class="sheet plot">${stagePlot(report)}</div>
<h2>NEW's time over OLD's</h2>${ratioPlots(report)}
<h2>Differences</h2>${differences(report)}
<h2>Checks</h2>${checkTable(report.checks)}
<h2>Stages</h2>${stages(report)}
<h2>Decisions</h2>${report.history.map(decision)}
${report.known_limits.length > 0 && html`<h2>What OLD cannot hold</h2>${limits(report)}`}
<h2>Ledger</h2>${ledger(report)}
<h2>Plan</h2><pre class="sheet plan">${JSON.stringify(report.plan, null, 2)}</pre>
<p class="muted small">Migration ${id}. SHA-256 of the report as JSON: <code class="sum">${checksum}</code>${signature && html`. Signed with the home's key ${signature.key_id}, ${signature.algorithm}: <code class="sum">${signature.mac}</code>`}</p>
</main></div>`;
  return documentPage({ title: `Migration of ${home}`, body, style: REPORT_STYLE + PLOT_STYLE });
}

const oldOf = ({ plan }: Report): unknown => (plan.old as { url?: unknown } | undefined)?.url ?? "OLD";
const when = (at: string): string => at.replace("T", " ").replace(/\.\d+(?=[Z+-])/, "");
const number = (value: number | null | undefined, digits = 3): string =>
  value === null || value === undefined ? "–" : Number(value.toPrecision(digits)).toLocaleString("en");

function figures({ figures: of }: Report): Html {
  const rows: readonly (readonly [string, string])[] = [
    [`${number(of.downtime_seconds)} s`, "without an answer of either side"],
    [number(of.lost_events, 15), "events lost"],
    [of.error_percent === null ? "–" : `${number(of.error_percent)} %`, `errors in ${number(of.reads, 15)} reads`],
    [
      of.consistent_percent === null ? "–" : `${number(of.consistent_percent, 6)} %`,
      `of ${number(of.rows_compared, 15)} rows compared are equal`,
    ],
  ];
  return html`<ul class="parts">${rows.map(([figure, says]) => html`<li class="part"><span class="figure">${figure}</span><p>${says}</p></li>`)}</ul>`;
}

function ratioPlots(report: Report): Html {
  const byQuery = [...Map.groupBy(report.reads, ({ query }) => query)];
  if (byQuery.length === 0) return html`<p class="sheet empty">No read has been asked of both sides.</p>`;
  return html`${byQuery.map(
    ([query, reads]) => html`<div class="sheet plot"><h3>${query}</h3>${ratioPlot(reads, limitOf(report))}</div>`,
  )}<p class="muted small">Geometric mean of each span with its 95 % interval; the broken line is where it is taken back. Verdicts rest on bounds that hold at every look; they are among the checks.</p>`;
}

function limitOf({ plan }: Report): number | undefined {
  const percent = (plan.thresholds as { rollback_percent?: unknown } | undefined)?.rollback_percent;
  return typeof percent === "number" ? 1 + percent / 100 : undefined;
}

function differences({ differences: found }: Report): Html {
  const rows = found.examples.map(
    (one) =>
      html`<tr><td>${one.class}${one.is_repaired && " (repaired)"}</td><td><bdi>${one.entity_id}</bdi></td><td class="when">${one.at}</td><td>${one.field}</td><td><bdi>${one.old}</bdi></td><td><bdi>${one.new}</bdi></td><td>${one.explanation}</td></tr>`,
  );
  const table =
    rows.length > 0 &&
    html`<div class="sheet scroll"><table><thead><tr><th>Class</th><th>Entity</th><th>At</th><th>Field</th><th>OLD</th><th>NEW</th><th>What is known</th></tr></thead><tbody>${rows}</tbody></table></div>`;
  return html`<div class="sheet plot">${differencesPlot(found)}</div>${table}`;
}

const checkRow = (check: Check): Html =>
  html`<tr><td>${check.name}</td><td class="v-${check.verdict}">${check.verdict}</td><td>${number(check.observed)}${bounds(check)}</td><td>${number(check.limit)}</td><td>${number(check.sample_size, 15)}</td><td>${check.explanation}</td></tr>`;

const bounds = ({ low, high }: Check): string =>
  low === undefined && high === undefined ? "" : ` (${number(low)} to ${number(high)})`;

const checkTable = (checks: readonly Check[]): Html =>
  checks.length === 0
    ? html`<p class="muted">Nothing was looked at.</p>`
    : html`<div class="sheet scroll"><table><thead><tr><th>Check</th><th>Verdict</th><th>Observed</th><th>Limit</th><th>Samples</th><th>In words</th></tr></thead><tbody>${checks.map(checkRow)}</tbody></table></div>`;

const stages = ({ stages: all }: Report): Html =>
  html`${all.map(
    (stage) =>
      html`<details class="sheet"><summary>${stage.state.replaceAll("_", " ")} ${stage.percent} % <span class="v-${stage.verdict}">${stage.verdict}</span> <span class="muted">${when(stage.from)}, ${number(stage.seconds)} s</span></summary>${checkTable(stage.checks)}</details>`,
  )}`;

const decision = (change: WireMigrationChange): Html =>
  html`<details class="sheet"><summary>${change.epoch}. ${change.from.replaceAll("_", " ")} ${change.percent_from} % → ${change.to.replaceAll("_", " ")} ${change.percent_to} %${change.is_forced && html` <strong>by force</strong>`} <span class="muted">${when(change.at)}, <bdi>${change.actor}</bdi></span><br>${change.reason}${change.trigger && html` <strong>${change.trigger}</strong>`}</summary>${checkTable(change.evidence)}</details>`;

const limits = ({ known_limits: all }: Report): Html =>
  html`<ul class="sheet limits">${all.map(({ explanation, count }) => html`<li>${explanation} (${number(count, 15)})</li>`)}</ul>`;

const ledger = ({ ledger: of }: Report): Html =>
  html`<p>Records ${number(of.first_sequence, 15)} to ${number(of.last_sequence, 15)}; ${number(of.lost_records, 15)} given up${
    of.gaps.length === 0
      ? ", no gap."
      : html`, missing: ${of.gaps.map(({ relay_id: relay, first, last }) => html`<bdi>${relay}</bdi> ${number(first, 15)} to ${number(last, 15)}; `)}`
  }</p>`;

const REPORT_STYLE = `
main{padding-bottom:3rem}.lead{margin-bottom:1.2rem}.v-pass{color:var(--ok)}.v-fail{color:var(--down)}.v-inconclusive{color:var(--degraded)}
.scroll{overflow-x:auto}.plot{padding:.8rem 1rem;margin-bottom:.8rem}.plot h3{margin:0 0 .3rem;font-size:.95rem}
details.sheet{margin-bottom:.5rem}summary{padding:.6rem .9rem;cursor:pointer;overflow-wrap:anywhere}
.plan{padding:1rem;overflow-x:auto;font-size:.82rem}.sum{overflow-wrap:anywhere}.limits{padding:.8rem 1rem .8rem 2rem}
@media print{details{break-inside:avoid}}
`;
