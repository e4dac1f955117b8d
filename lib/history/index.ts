/** Room 2, history: what a home already knows of its past (a recorder's database, a file, an old InfluxDB, a running Home Assistant) as records, through the same envelopes as live events. */
export { createHomeAssistantSource } from "./home-assistant.ts";
/** One run: reads, numbers, writes down, sends. Can be ended at any moment and gone on with. */
export { type ImportOptions, type ImportProgress, type ImportSummary, runImport } from "./importer.ts";
export type * from "./ports.ts";
/** Throws `history_of_another_home` before anything is imported. */
export { checkSameHome } from "./same-home.ts";
