/** Room 8, suggestions: from patterns and unused features to ranked automations that Home Assistant takes, and what became of them. */

/** What we suggest is a part of what Home Assistant takes; as a home of some version takes it. */
export { automationSchema, forVersion } from "../event/index.ts";
/** One suggestion that could be made; `draftOfPattern` gives none for what nothing is to be done about. */
export { draftOfFeature, draftOfPattern } from "./draft.ts";
/** The phase of the nightly job. */
export { type SuggestionsPhaseOptions, suggestionsPhase } from "./phase.ts";
export type * from "./ports.ts";
export { SUGGESTION_STATUSES } from "./ports.ts";
/** The best of a night, without what is settled or alike. */
export { rankDrafts, SUGGESTIONS_TOLD } from "./rank.ts";
/** What a person decides, and what was seen of it in the house. */
export { type Decision, SNOOZE_DAYS_MAX, settle, withOutcome } from "./settle.ts";
/** How accepted automations fare in the house. */
export { createWatch } from "./watch.ts";
export type { Names } from "./words.ts";
/** An automation as people put it into their files. */
export { toYaml } from "./yaml.ts";
