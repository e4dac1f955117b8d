import type { OutboxMessage } from "../event/index.ts";
import type { Suggestion } from "../suggestions/ports.ts";

/** Home Assistant holds no longer state, and people read no longer name. */
export const TITLE_MAX_CHARACTERS = 120;
/** Attributes above 16,384 bytes are not recorded, and Home Assistant warns; some room is left for what it adds. */
const ATTRIBUTES_MAX_BYTES = 14_000;
const TOLD_MAX = 10;

export const stateMessage = (topic: string, payload: string): OutboxMessage => ({
  topic,
  payload,
  qos: 1,
  retain: true,
});

/** Never half of a surrogate pair. */
export function shortText(text: string, most: number): string {
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
}

/** The payload of the suggestions' topic: how many there are, and the best of them in short. */
export function suggestionsPayload(suggestions: readonly Suggestion[], url?: string): string {
  for (let most = 400; ; most = Math.floor(most / 2)) {
    const payload = JSON.stringify({
      count: suggestions.length,
      suggestions: suggestions.slice(0, TOLD_MAX).map(({ id, title, description, evidence, wording }) => ({
        id,
        title: shortText(wording?.title ?? title, TITLE_MAX_CHARACTERS),
        description: shortText(wording?.description ?? description, most),
        evidence: shortText(evidence, most),
        ...(url !== undefined && { link: url }),
      })),
    });
    if (Buffer.byteLength(payload) <= ATTRIBUTES_MAX_BYTES || most < 10) return payload;
  }
}
