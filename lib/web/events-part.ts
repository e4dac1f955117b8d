import type { LiveModel } from "../api/index.ts";
import { ageText } from "./age.ts";
import { type Html, html } from "./html.ts";

type WireEvent = NonNullable<LiveModel["events"]>[number];

/** The last events as a table; on a phone each row is two lines. */
export function eventsPart(model: LiveModel): Html {
  const { events } = model;
  return html`<h2>Last events</h2><div class="sheet">${
    events === null
      ? html`<p class="empty">The store does not answer, so the events cannot be shown.</p>`
      : events.length === 0
        ? html`<p class="empty">No event yet. As soon as something happens in the home it stands here.</p>`
        : table(model, events)
  }</div>`;
}

const table = (model: LiveModel, events: readonly WireEvent[]): Html => html`<table class="events">
<thead><tr><th class="when">When</th><th>What</th><th>Where</th><th>State</th></tr></thead>
<tbody>${events.map((event) => row(model, event))}</tbody></table>`;

function row({ health, areaNames, entityNames }: LiveModel, event: WireEvent): Html {
  const name = entityNames.get(event.entity_id);
  const area = event.area_id === undefined ? undefined : (areaNames.get(event.area_id) ?? event.area_id);
  return html`<tr><td class="when" title="${event.local_time}">${event.local_time.slice(11, 19)} <span class="ago">${ageText(event.last_updated, health.at)} ago</span></td>
<td class="what"><span class="name">${name ?? event.entity_id}</span>${name !== undefined && name !== event.entity_id && html`<span class="id">${event.entity_id}</span>`}</td>
<td class="where">${area ?? "–"}</td><td class="value">${stateOf(event)}</td></tr>`;
}

const QUIET: ReadonlySet<string> = new Set(["off", "closed", "not_home", "idle", "standby", "locked"]);

function stateOf(event: WireEvent): Html {
  if (event.kind === "removed") return html`<span class="state gone">removed</span>`;
  const look = event.quality !== "ok" ? "gone" : QUIET.has(event.state) ? "off" : "";
  // In the home's own unit, as the old state is: the canonical one would make the two look like a leap.
  const { unit_of_measurement: own } = event.attributes;
  const unit = event.quality === "ok" && (typeof own === "string" ? own : event.unit);
  const was =
    event.kind === "change" && event.old_state !== undefined && html` <span class="was">was ${event.old_state}</span>`;
  return html`<span class="state ${look}">${event.state || "(empty)"}${unit && ` ${unit}`}</span>${was}`;
}
