import type * as z from "zod";
import type { toWireEvent } from "../event/index.ts";
import type { retentionShape } from "./layer-shapes.ts";
import type {
  auditEntryShape,
  differenceShape,
  metricsShape,
  migrationShape,
  reportShape,
  tuningShape,
} from "./migration-shapes.ts";
import type { patternDetailShape, patternShape } from "./pattern-shapes.ts";
import type { areaShape, entityShape, jobShape } from "./shapes.ts";
import type { suggestionShape } from "./suggestion-shapes.ts";

/** What the routes answer, for whoever reads the answers: types alone. */
export type WireEvent = ReturnType<typeof toWireEvent>;
export type WireEntity = z.infer<typeof entityShape>;
export type WireArea = z.infer<typeof areaShape>;
export type WirePattern = z.infer<typeof patternShape>;
export type WirePatternDetail = z.infer<typeof patternDetailShape>;
export type WireSuggestion = z.infer<typeof suggestionShape>;
export type WireJob = z.infer<typeof jobShape>;
export type WireRetention = z.infer<typeof retentionShape>;
export type WireMigration = z.infer<typeof migrationShape>;
export type WireMigrationChange = z.infer<typeof auditEntryShape>;
export type WireMigrationReport = z.infer<typeof reportShape>;
export type WireMigrationMetrics = z.infer<typeof metricsShape>;
export type WireMigrationTuning = z.infer<typeof tuningShape>;
export type WireDifference = z.infer<typeof differenceShape>;
