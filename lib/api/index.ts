/** Room 10, the API: routes and their schemas, who may call them, and health. The pages are drawn by the next room and handed in. */

/** The app of all routes; every part that it needs is an argument. */
export { type ApiParts, createApi } from "./app.ts";
/** How a caller travels from the authorizer through a gateway to the API. */
export { type AuthorizerContext, contextOf, identifiedOf } from "./authorizer-context.ts";
/** From a bearer token to its home and scopes; never throws. */
export { createIdentify, hashToken, type Identified, type Identify } from "./caller.ts";
/** The state of every part, and since when; never rejects. */
export { createHealth, type HealthSources } from "./health.ts";
/** So long a relay may say nothing, its flush interval apart. */
export { RELAY_QUIET_SECONDS } from "./health-rules.ts";
/** What `/health` answers with a token. */
export type { Health, Part } from "./health-shapes.ts";
/** What the pages' room draws, and how it hands it back. */
export type { LiveModel, Page, PageClient, Pages } from "./pages.ts";
export * from "./ports.ts";
/** Limits for each token over all instances, and for each address in this one; never rejects. */
export { createRateLimits } from "./rate-limits.ts";
/** What the routes answer, as types, for the page's client. */
export type {
  WireArea,
  WireDifference,
  WireEntity,
  WireEvent,
  WireJob,
  WireMigration,
  WireMigrationMetrics,
  WirePattern,
  WirePatternDetail,
  WireRetention,
  WireSuggestion,
} from "./wire.ts";
