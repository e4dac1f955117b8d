import { createHash } from "node:crypto";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Draft } from "./draft.ts";
import type { Suggestion, Words, Writer } from "./ports.ts";

/** Calls a night: what it may cost is bounded. */
export const CALLS_A_NIGHT = 10;
const TITLE_MAX = 120;
const DESCRIPTION_MAX = 600;

export interface RewordOptions {
  readonly there: readonly Suggestion[];
  readonly writer: Writer | undefined;
  readonly log: Pick<Logger, "warn">;
  /** Aborts when the phase has no time left: nothing is asked any more then. */
  readonly signal?: AbortSignal;
}

/**
 * The drafts with better words, where there is somebody who has them: by id. Words that were asked for before are kept; at most CALLS_A_NIGHT are asked for; one failure ends the
 * asking for tonight, and the templates' words stand. Numbers, times and ids must come back as they were, or the answer is not used. Automations never change but for their alias.
 */
export async function rewordAll(
  drafts: readonly Draft[],
  { there, writer, log, signal }: RewordOptions,
): Promise<{ readonly drafts: ReadonlyMap<string, Draft>; readonly calls: number }> {
  const worded = new Map<string, Draft>();
  let calls = 0;
  if (!writer) return { drafts: worded, calls };
  const known = new Map(there.map(({ id, wording }) => [id, wording]));
  let isAsking = true;
  for (const draft of drafts) {
    const of = hashOf(draft);
    const before = known.get(draft.id);
    if (before?.of === of) worded.set(draft.id, withWords(draft, before, of));
    else if (isAsking && calls < CALLS_A_NIGHT && !signal?.aborted) {
      calls++;
      try {
        const words = await writer.rephrase(draft);
        if (words && saysTheSame(draft, words)) worded.set(draft.id, withWords(draft, words, of));
      } catch (thrown) {
        isAsking = false;
        log.warn("suggestions keep the words of their templates", { error: messageOf(thrown) });
      }
    }
  }
  return { drafts: worded, calls };
}

const hashOf = ({ title, description, evidence }: Draft): string =>
  createHash("sha256")
    .update(JSON.stringify([title, description, evidence]))
    .digest("base64url");

const withWords = (draft: Draft, { title, description }: Words, of: string): Draft => ({
  ...draft,
  title,
  description,
  wording: { of, title, description },
  ...(draft.automation && { automation: { ...draft.automation, alias: title } }),
});

/** Every number, time and id of the template, and no other; of a length that people read; plain text. */
export function saysTheSame(template: Words, { title, description }: Words): boolean {
  if (title.trim() === "" || description.trim() === "") return false;
  if (title.length > TITLE_MAX || description.length > DESCRIPTION_MAX) return false;
  if (/[\p{Cc}<>`\u202A-\u202E\u2066-\u2069]|\{[{%#]/u.test(title + description)) return false;
  const said = turnsIn(template);
  // Of the title alone too: it becomes the automation's name.
  if ([...turnsIn({ title, description })].some((turn) => !said.has(turn))) return false;
  if (says({ title, description: "" }, "off") !== says({ title: template.title, description: "" }, "off")) return false;
  const wanted = factsIn(template);
  const given = factsIn({ title, description });
  return [...given].every((fact) => wanted.has(fact)) && [...wanted].every((fact) => given.has(fact));
}

/** Words that turn a sentence into its opposite. */
const TURNS =
  /\b(?:not|never|no|without|unless|off|open(?:s|ed)?|unlock(?:s|ed)?|disarm(?:s|ed)?|don't|doesn't|won't)\b/g;
const turnsIn = ({ title, description }: Words): ReadonlySet<string> =>
  new Set(`${title} ${description}`.toLowerCase().match(TURNS));
const says = (words: Words, turn: string): boolean => turnsIn(words).has(turn);

const factsIn = ({ title, description }: Words): ReadonlySet<string> =>
  new Set(`${title} ${description}`.match(/[a-z_]+\.[a-z0-9_]+|\d+(?:[.,:]\d+)*/g));
