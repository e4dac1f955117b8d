import type { Health, LiveModel, Part } from "../api/index.ts";
import { ageText, countText } from "./age.ts";
import { eventsPart } from "./events-part.ts";
import { type Html, html } from "./html.ts";
import { interruptionLine } from "./interruption-line.ts";

/** The part of the page that changes: pieces marked with `data-part`, each of which the script replaces when it differs. */
export function livePart(model: LiveModel): Html {
  const { health } = model;
  return html`<section data-part="status" role="status" data-time-zone="${model.timeZone}" data-day-start="${model.dayStart}">${statusPart(health)}</section>
<section data-part="parts">${partsPart(health)}</section>
<section data-part="events">${eventsPart(model)}</section>`;
}

function statusPart({ status, parts, at }: Health): Html {
  const alerts = parts.filter((part) => part.state !== "ok");
  const ledger = latestLedger(parts);
  return html`<h1><span class="dot ${status}"></span>${headline(status, alerts.length)}</h1>
<p class="lead">${ledgerLine(ledger)}</p>
${ledger && interruptionLine(ledger.interruptions, at)}
${alerts.length > 0 && html`<ul class="alerts">${alerts.map((part) => html`<li class="${part.state}"><strong>${labelOf(part)}.</strong> ${part.detail}</li>`)}</ul>`}`;
}

function headline(status: Health["status"], alerts: number): string {
  if (status === "ok") return "Everything is running.";
  if (status === "down") return "Something does not answer.";
  return alerts === 1 ? "Running, with one thing to look at." : `Running, with ${alerts} things to look at.`;
}

type Ledger = NonNullable<Part["ledger"]>;

/** That of the relay that was heard last. */
function latestLedger(parts: readonly Part[]): Ledger | undefined {
  const ledgers = parts.flatMap(({ ledger }) => (ledger?.kind === "relay" ? ledger : []));
  return ledgers.toSorted((a, b) => (a.updated_at < b.updated_at ? 1 : -1))[0];
}

function ledgerLine(ledger: Ledger | undefined): Html {
  if (!ledger) return html`No event has arrived yet.`;
  const upTo = html`<strong>${countText(ledger.complete_up_to)}</strong>`;
  const rest = ledger.missing > 0 && html` ${countText(ledger.missing)} after that still on the way.`;
  if (ledger.lost_records === 0) {
    const what = ledger.interruptions.incomplete > 0 ? "Nothing that was heard is lost" : "Nothing lost";
    return html`${what} up to record ${upTo}.${rest}`;
  }
  return html`Accounted for up to record ${upTo}; the relay had to give up ${countText(ledger.lost_records)} of them.${rest}`;
}

/** The way of an event: parts in the order in which it meets them. */
const ORDER = [
  "relay",
  "queue:events",
  "queue:store",
  "store",
  "queue:index",
  "table",
  "queue:analysis",
  "ledger",
  "import",
];
const placeOf = ({ name, kind }: Part): number => {
  const at = ORDER.findIndex((place) => place === name || place === kind);
  return at < 0 ? ORDER.length : at;
};

const LABELS: Readonly<Record<string, string>> = {
  "queue:events": "Events queue",
  "queue:store": "Store queue",
  "queue:index": "Index queue",
  "queue:analysis": "Analysis queue",
  store: "Store",
  table: "Index",
  two_relays: "Two relays",
};
const KIND_LABELS = {
  relay: "Relay",
  ledger: "Ledger",
  queue: "Queues",
  store: "Store",
  table: "Index",
  import: "Import",
} as const;
const labelOf = ({ name, kind }: Part): string => LABELS[name] ?? KIND_LABELS[kind];

function partsPart({ parts, at }: Health): Html {
  const ordered = parts.toSorted((a, b) => placeOf(a) - placeOf(b));
  return html`<h2>The way of an event</h2><ul class="parts">${ordered.map((part) => partCard(part, at))}</ul>`;
}

const STATE_WORDS = { ok: "Ok", degraded: "Needs a look", down: "Down" } as const;

const partCard = (part: Part, now: string): Html => html`<li class="part ${part.state}">
<header><span class="dot ${part.state}"></span>${labelOf(part)}</header>
${figureOf(part)}${saysMore(part) && html`<p>${part.detail}</p>`}
<footer title="since ${part.since}">${STATE_WORDS[part.state]} for ${ageText(part.since, now)}</footer></li>`;

/** A queue that is well has said all with its figure; so has a ledger of which nothing is missing. */
function saysMore({ kind, state, ledger }: Part): boolean {
  if (state !== "ok") return true;
  if (ledger) return ledger.missing + ledger.lost_records + ledger.other_sinks_lost.events > 0;
  return kind !== "queue";
}

function figureOf({ queue, relay, ledger }: Part): Html | undefined {
  if (queue) {
    const dead = queue.dead > 0 && html`, ${countText(queue.dead)} set aside`;
    return figure(queue.waiting + queue.in_flight, html`waiting${dead}`);
  }
  if (relay) return figure(relay.spool_records, html`to send`);
  return ledger && figure(ledger.kind === "import" ? ledger.records : ledger.complete_up_to, html`records`);
}

const figure = (count: number, words: Html): Html =>
  html`<div class="figure">${countText(count)} <span>${words}</span></div>`;
