import { createAnalyze } from "../lib/wiring/analyze.ts";

/** The analysis queue: runs one home's job. */
export const handler = createAnalyze();
