/** Room 7: the nightly jobs of each home: which are due, how they are sent, run and kept. Time zones and the clock come as arguments. */
export { type AnalyzeOptions, analyzeMessage } from "./analyze-message.ts";
/** A job by hand. */
export { askForJob } from "./ask-for-job.ts";
/** What the devices can do: asks for it where it is not known. */
export { capabilitiesPhase } from "./capabilities-phase.ts";
/** Every detector of patterns. */
export { DETECTORS } from "./detectors/all.ts";
/** The scheduled work that makes the due jobs; see `TICK_MS` for how often it is called. */
export { type DispatchOutcome, dispatch, TICK_MS } from "./dispatch.ts";
/** Which jobs are due (pure), and the one job that there can be for a home, kind and date. */
export { dueJobs, jobIdOf, LOOK_BACK_NIGHTS, newJob } from "./due.ts";
/** Layers 2 and 3 of what each entity did; `windowOf` reads a row of them. */
export { createEntityLayers } from "./entities/layers.ts";
export { ENTITIES, type EntityRow, unpackRows, windowOf } from "./entities/rows.ts";
/** The phase that makes them. */
export { eventsPhase } from "./events-phase.ts";
/** What is used of what the devices can do; `featuresReader` reads each day along with the detectors. */
export { featuresReader } from "./features/uses.ts";
export { featuresPhase } from "./features-phase.ts";
/** The message of the analysis queue that names a job. */
export { jobMessage } from "./message.ts";
/** How often a pattern is to be expected from now on. */
export { expectedShareOf } from "./patterns/expected.ts";
/** Layer 4: what the detectors learn from each day, and the patterns that come of it; `handOn` gives them the late days. */
export { createLearning, handOn } from "./patterns/learning.ts";
export { patternsPhase } from "./patterns-phase.ts";
/** One step of a job; a kind of job is a list of them. */
export type { Phase, PhaseTime } from "./phases.ts";
export type * from "./ports.ts";
export { AGGREGATE_LAYERS, JOB_KINDS, PATTERN_KINDS, WEEKDAYS } from "./ports.ts";
/** Deletes what is older than each layer's retention. */
export { firstUndoneOfAll, retentionPhase } from "./retention.ts";
export type { Retention } from "./retention-rules.ts";
/** Runs one job under its lease. */
export { JOB_LEASE_MS, type PhasesByKind, runJob } from "./run-job.ts";
