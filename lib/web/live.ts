import type { Health, LiveModel, Part } from "../api/index.ts";
import { ageText, countText } from "./age.ts";
import { eventsPart } from "./events-part.ts";
import { type Html, html } from "./html.ts";

/** The part of the page that changes: pieces marked with `data-part`, each of which the script replaces when it differs. */
export function livePart(model: LiveModel): Html {
  const { health } = model;
  return html`<section data-part="status" role="status">${statusPart(health)}</section>
<section data-part="parts">${partsPart(health)}</section>
<section data-part="events">${eventsPart(model)}</section>`;
}

function statusPart({ status, parts }: Health): Html {
  const alerts = parts.filter((part) => part.state !== "ok");
  return html`<h1><span class="dot ${status}"></span>${headline(status, alerts.length)}</h1>
<p class="lead">${ledgerLine(parts)}</p>
${alerts.length > 0 && html`<ul class="alerts">${alerts.map((part) => html`<li class="${part.state}"><strong>${labelOf(part)}.</strong> ${part.detail}</li>`)}</ul>`}`;
}

function headline(status: Health["status"], alerts: number): string {
  if (status === "ok") return "Everything is running.";
  if (status === "down") return "Something does not answer.";
  return alerts === 1 ? "Running, with one thing to look at." : `Running, with ${alerts} things to look at.`;
}

/** The ledger's sentence, for the relay that has come furthest. */
function ledgerLine(parts: readonly Part[]): Html {
  const ledgers = parts.flatMap(({ ledger }) => ledger ?? []);
  const [ledger] = ledgers.toSorted((a, b) => (a.updated_at < b.updated_at ? 1 : -1));
  if (!ledger) return html`No event has arrived yet.`;
  const upTo = html`<strong>${countText(ledger.complete_up_to)}</strong>`;
  const rest = ledger.missing > 0 && html` ${countText(ledger.missing)} after that still on the way.`;
  if (ledger.lost_records === 0) return html`Nothing lost up to record ${upTo}.${rest}`;
  return html`Accounted for up to record ${upTo}; the relay had to give up ${countText(ledger.lost_records)} of them.${rest}`;
}

/** The way of an event: parts in the order in which it meets them. */
const ORDER = ["relay", "queue:events", "queue:store", "store", "queue:index", "table", "queue:analysis", "ledger"];
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
};
const KIND_LABELS = { relay: "Relay", ledger: "Ledger", queue: "Queues", store: "Store", table: "Index" } as const;
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

/** A queue that is well has said all with its figure. */
const saysMore = ({ kind, state }: Part): boolean => kind !== "queue" || state !== "ok";

function figureOf({ queue, relay, ledger }: Part): Html | undefined {
  if (queue) {
    const dead = queue.dead > 0 && html`, ${countText(queue.dead)} set aside`;
    return figure(queue.waiting + queue.in_flight, html`waiting${dead}`);
  }
  if (relay) return figure(relay.spool_records, html`to send`);
  return ledger && figure(ledger.complete_up_to, html`records`);
}

const figure = (count: number, words: Html): Html =>
  html`<div class="figure">${countText(count)} <span>${words}</span></div>`;
