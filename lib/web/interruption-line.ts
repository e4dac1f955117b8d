import type { Part } from "../api/index.ts";
import { ageText, countText, durationText } from "./age.ts";
import { type Html, html } from "./html.ts";

type Interruptions = NonNullable<Part["ledger"]>["interruptions"];
type Interruption = NonNullable<Interruptions["last"]>;

const CAUSES: Readonly<Record<Interruption["cause"], string>> = {
  relay_stopped: "the relay was not running",
  disconnected: "Home Assistant could not be reached",
  home_assistant_restarted: "Home Assistant restarted",
  unreadable_frame: "something came that could not be read",
  events_lost: "more came than the relay's disk could take",
};
/** The page names so many entities; all that are known are in the ledger. */
const NAMED_MAX = 5;

/** When nothing was heard, and what came of it: for who reads that nothing is lost, and remembers that the power was off last night. */
export function interruptionLine({ last, count }: Interruptions, now: string): Html | undefined {
  if (!last) return undefined;
  const lasted = durationText((Date.parse(last.to) - Date.parse(last.from)) / 1000);
  const which = count > 1 ? html`${countText(count)} interruptions so far. The last one` : "One interruption so far";
  return html`<p class="interruption">${which}, ${ageText(last.to, now)} ago, lasted ${lasted} (${CAUSES[last.cause]}): ${outcome(last)}</p>`;
}

function outcome({ complete, recovered, statistics, missing }: Interruption): Html {
  const hours = statistics > 0 && html`, and ${countText(statistics)} hourly averages where it no longer had them`;
  const were = recovered === 1 ? "event was" : "events were";
  const fetched = html`${countText(recovered)} ${were} fetched from Home Assistant afterwards${hours}`;
  if (complete) return html`${recovered + statistics === 0 ? "nothing happened meanwhile" : fetched}.`;
  const entities = missing.reduce((sum, one) => sum + one.entities, 0);
  if (entities === 0) return html`${fetched}, others could not be.`;
  const names = missing.flatMap(({ examples }) => examples).slice(0, NAMED_MAX);
  const others = Math.max(0, entities - names.length);
  const more = others > 0 && html` and ${countText(others)} more`;
  const named = names.length > 0 && html` (${names.join(", ")}${more})`;
  return html`${fetched}; what ${countText(entities)} ${entities === 1 ? "entity" : "entities"} did meanwhile is not known${named}.`;
}
