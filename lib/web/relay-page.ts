import type { Page } from "../api/index.ts";
import type { RelayHealth } from "../relay/index.ts";
import { ageText, countText, durationText } from "./age.ts";
import { documentPage, LOGO } from "./document.ts";
import { type Html, html } from "./html.ts";
import { RELAY_SCRIPT } from "./relay-script.ts";

/** The relay's page: drawn whole, so that it says something without its script too. */
export function relayPage(health: RelayHealth): Page {
  return documentPage({
    title: "Relay · Hearthline",
    body: html`<div id="note" class="note" role="alert" hidden></div>
<div class="wrap">
<header class="top">${LOGO}<span class="brand">Hearthline</span><span class="muted">relay of ${health.home_id}</span>
<nav><a href="health">Health</a><a href="metrics">Metrics</a></nav></header>
<noscript><p class="alerts">Without JavaScript this page shows how things were when it was loaded.</p></noscript>
<main id="live">${relayPart(health)}</main>
<footer>Relay ${health.relay_id}, the last number given is ${countText(health.last_sequence)}.</footer>
</div>
`,
    script: RELAY_SCRIPT,
    framedBy: "self",
  });
}

/** The part that changes. */
export function relayPart(health: RelayHealth): Html {
  const { status, reasons } = health;
  return html`<section role="status"><h1><span class="dot ${status}"></span>${headline(health)}</h1>
<p class="lead">${lostLine(health)}</p>
${reasons.length > 0 && html`<ul class="alerts">${reasons.map(({ severity, text, advice }) => html`<li class="${severity}"><strong>${text}</strong><br>${advice}</li>`)}</ul>`}</section>
<h2>From Home Assistant to the cloud</h2>
<ul class="parts">${[connectionCard(health), eventsCard(health), spoolCard(health), ...sinkCards(health), ...outboxCards(health), gapsCard(health), processCard(health)]}</ul>`;
}

function headline({ status, reasons }: RelayHealth): string {
  if (status === "ok") return "Everything is running.";
  if (status === "down") return "The relay needs attention.";
  return reasons.length === 1
    ? "Running, with one thing to look at."
    : `Running, with ${reasons.length} things to look at.`;
}

function lostLine(health: RelayHealth): Html {
  const { losses, lost_at, started_at, spool, memory } = health;
  const waiting = spool.records + memory.records;
  const sent =
    waiting === 0
      ? "Every event has been sent."
      : html`${countOf(waiting, "record")} ${waiting === 1 ? "waits" : "wait"} to be sent.`;
  if (losses === 0) return html`<strong>Nothing has been lost</strong> since this relay began. ${sent}`;
  const since =
    lost_at === undefined
      ? html`none since the start ${agoOf(started_at, health)}`
      : html`the last ${agoOf(lost_at, health)}`;
  return html`<strong>${countOf(losses, "event")} lost</strong> since this relay began, ${since}. ${sent}`;
}

interface Card {
  readonly name: string;
  readonly state?: "ok" | "degraded" | "down";
  readonly figure: Html | string;
  readonly unit?: string;
  readonly lines: readonly (Html | string | false)[];
}

const card = ({ name, state = "ok", figure, unit = "", lines }: Card): Html =>
  html`<li class="part ${state}"><header><span class="dot ${state}"></span>${name}</header>
<div class="figure">${figure} <span>${unit}</span></div>
${lines.map((line) => line !== false && html`<p>${line}</p>`)}</li>`;

/** The worst that was said with one of these codes. */
function stateOf({ reasons }: RelayHealth, ...codes: readonly string[]): "ok" | "degraded" | "down" {
  return reasons.find(({ code }) => codes.includes(code))?.severity ?? "ok";
}

function connectionCard(health: RelayHealth): Html {
  const { connected, since, ha_version, ha_state } = health;
  return card({
    name: "Home Assistant",
    state: stateOf(health, "home_assistant_away", "home_assistant_refuses", "home_assistant_starting"),
    figure: connected ? "Connected" : "Not connected",
    lines: [
      html`for ${timeOf(since, ageText(since, health.at))}`,
      ha_version !== undefined &&
        `version ${ha_version}${ha_state && connected ? `, ${ha_state.toLowerCase().replaceAll("_", " ")}` : ""}`,
    ],
  });
}

function eventsCard(health: RelayHealth): Html {
  const { rate_now, rate, admitted, filtered, rejected } = health;
  return card({
    name: "Events",
    figure: rateText(rate_now),
    unit: "a second now",
    lines: [
      `${rateText(rate)} a second over the last minute`,
      `${countText(admitted)} taken since the start`,
      filtered > 0 && `${countText(filtered)} kept at home by your filters`,
      rejected > 0 && `${countText(rejected)} could not be read`,
    ],
  });
}

function spoolCard(health: RelayHealth): Html {
  const { bytes, records, oldest_seconds, max_bytes, disk_free_bytes } = health.spool;
  return card({
    name: "On this disk",
    state: stateOf(health, "spool_failed", "spool_filling", "disk_low"),
    figure: countText(records),
    unit: records === 1 ? "record waits" : "records wait",
    lines: [
      `${sizeText(bytes)}${max_bytes === undefined ? "" : ` of ${sizeText(max_bytes)}`} used`,
      records > 0 && `the oldest is ${durationText(oldest_seconds)} old`,
      disk_free_bytes !== undefined && `${sizeText(disk_free_bytes)} free on the disk`,
    ],
  });
}

function sinkCards(health: RelayHealth): readonly Html[] {
  return health.sinks.map(({ name, lag_records, lag_seconds, breaker, cursor, taken_at, last_error, lost, off }) =>
    card({
      name: SINK_NAMES[name] ?? name,
      state: breaker === "closed" ? "ok" : "degraded",
      figure: countText(lag_records),
      unit: lag_records === 1 ? "record behind" : "records behind",
      lines: [
        off === true && "stopped at the end of a migration: nothing is sent to it, nor kept for it",
        lag_records > 0 && `the oldest is ${durationText(lag_seconds)} old`,
        html`has everything up to ${countText(cursor)}${taken_at !== undefined && html`, last ${agoOf(taken_at, health)}`}`,
        breaker !== "closed" && "paused after failures, tries again within half a minute",
        // While it is paused the alert says why.
        last_error !== undefined && breaker === "closed" && last_error,
        lost > 0 && `${countOf(lost, "event")} refused and set aside`,
      ],
    }),
  );
}

function outboxCards(health: RelayHealth): readonly Html[] {
  const { outbox } = health;
  if (outbox === undefined) return [];
  const { waiting, delivered, failed, last_error } = outbox;
  const lines = [
    `${countText(delivered)} delivered since the start`,
    failed > 0 && `${countText(failed)} could not be delivered`,
    last_error !== undefined && last_error,
  ];
  const unit = waiting === 1 ? "item waits" : "items wait";
  return [
    card({ name: "To your devices", state: stateOf(health, "outbox_waits"), figure: countText(waiting), unit, lines }),
  ];
}

const SINK_NAMES: Readonly<Record<string, string>> = { cloud: "Your cloud", old: "Your old pipeline" };

function gapsCard(health: RelayHealth): Html {
  const { count, recovered, last } = health.gaps;
  return card({
    name: "Gaps",
    figure: countText(count),
    unit: "since the start",
    lines: [
      count === 0
        ? "The relay has heard everything."
        : `${countOf(recovered, "record")} recovered from Home Assistant's recorder`,
      last !== undefined &&
        html`last: ${durationText((Date.parse(last.to) - Date.parse(last.from)) / 1000)}, ended ${agoOf(last.to, health)}, ${countOf(last.entities, "entity", "entities")} moved, ${last.complete ? "all recovered" : "not all could be recovered"}`,
    ],
  });
}

function processCard(health: RelayHealth): Html {
  const { process, started_at, excluded_attributes, stripped, redacted } = health;
  return card({
    name: "The relay",
    figure: process === undefined ? "Running" : sizeText(process.rss_bytes),
    unit: process === undefined ? "" : "of memory",
    lines: [
      html`started ${agoOf(started_at, health)}`,
      process !== undefined && `answers within ${process.loop_lag_ms} ms`,
      `${countText(stripped + redacted)} secrets kept at home`,
      excluded_attributes > 0 && `${countText(excluded_attributes)} attributes kept at home by your filters`,
    ],
  });
}

const countOf = (count: number, one: string, more = `${one}s`): string =>
  `${countText(count)} ${count === 1 ? one : more}`;
/** "5 min ago", with the time itself for who points at it. */
const agoOf = (iso: string, { at }: RelayHealth): Html => timeOf(iso, `${ageText(iso, at)} ago`);
const timeOf = (iso: string, words: string): Html =>
  html`<time datetime="${iso}" title="${iso.slice(0, 19).replace("T", " ")} UTC">${words}</time>`;
const rateText = (rate: number): string =>
  rate >= 10 ? countText(Math.round(rate)) : String(Math.round(rate * 10) / 10);

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;
/** 1536 as "1.5 KiB". */
function sizeText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  return `${value >= 10 || power === 0 ? Math.round(value) : Math.round(value * 10) / 10} ${UNITS[power]}`;
}
