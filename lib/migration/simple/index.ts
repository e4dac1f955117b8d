/** The simple way (row A9): stop, back up, switch, validate, restore on failure. */
export { createSimplePorts } from "./joined.ts";
export { type Finding, type SimpleJournal, type SimpleJournalStore, simpleJournalSchema } from "./journal.ts";
export { moveSimple } from "./move.ts";
export { runSimple, type SimpleOutcome, type SimplePorts } from "./run.ts";
