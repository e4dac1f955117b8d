import { type Context, Hono } from "hono";
import type { LogFields, Logger } from "../base/log.ts";
import { admit, charge, limitHeaders } from "./admission.ts";
import { type Caller, type Identified, mayDo } from "./caller.ts";
import { requireOwnPage } from "./own-page.ts";
import { asProblem, Problem, type ProblemExtras, problemResponse } from "./problem.ts";
import { ID_MAX_CHARACTERS } from "./query.ts";
import type { RateLimits } from "./rate-limits.ts";
import type { ApiRequest, Route } from "./route.ts";
import { type AggregateParts, aggregateRoute } from "./routes/aggregate.ts";
import { type CapabilityParts, capabilityRoutes } from "./routes/capabilities.ts";
import { type ChangeParts, changeRoutes } from "./routes/changes.ts";
import { type ConflictParts, conflictRoutes } from "./routes/conflicts.ts";
import { type EventStatsParts, eventStatsRoute } from "./routes/event-stats.ts";
import { type EventParts, eventRoutes } from "./routes/events.ts";
import { healthRoutes } from "./routes/health.ts";
import { type InventoryParts, inventoryRoutes } from "./routes/inventory.ts";
import { type JobParts, jobRoutes } from "./routes/jobs.ts";
import { type LayerParts, layerRoutes } from "./routes/layers.ts";
import { type LedgerParts, ledgerRoute } from "./routes/ledger.ts";
import { type MigrationParts, migrationRoutes } from "./routes/migrations.ts";
import { type OutboxParts, outboxRoutes } from "./routes/outbox.ts";
import { type PageParts, pageRoutes } from "./routes/pages.ts";
import { type PatternParts, patternRoutes } from "./routes/patterns.ts";
import { type SuggestionParts, suggestionRoutes } from "./routes/suggestions.ts";

export interface ApiParts
  extends CapabilityParts,
    ConflictParts,
    EventParts,
    EventStatsParts,
    InventoryParts,
    JobParts,
    LayerParts,
    LedgerParts,
    MigrationParts,
    OutboxParts,
    PageParts,
    PatternParts,
    SuggestionParts {
  readonly events: EventParts["events"] &
    AggregateParts["events"] &
    EventStatsParts["events"] &
    LayerParts["events"] &
    PageParts["events"];
  readonly clock: EventParts["clock"] & ConflictParts["clock"] & SuggestionParts["clock"];
  readonly index: InventoryParts["index"] &
    CapabilityParts["index"] &
    ChangeParts["index"] &
    ConflictParts["index"] &
    PageParts["index"];
  /** Who asks, from what surrounds the request (what the gateway's authorizer found). */
  callerOf(surroundings: unknown): Identified | Promise<Identified>;
  /** Where the request comes from, as the gateway itself saw it; undefined: it did not say. Never what a header says. */
  addressOf(surroundings: unknown): string | undefined;
  readonly limits: RateLimits;
  /** What a known caller's request is handled in: who reads can be known below it, and its answer can be given headers. Absent: in nothing. */
  readonly around?: (caller: Caller, handle: () => Promise<Response>) => Promise<Response>;
  readonly pages: PageParts["pages"];
  readonly conflicts: ConflictParts["conflicts"];
  readonly patterns: PatternParts["patterns"] & LayerParts["patterns"];
  /** The gateway's name for the request, for the log. */
  requestIdOf(surroundings: unknown): string;
  readonly log: Logger;
}

/** All routes, in the order of the document. */
function routesOf(parts: ApiParts): Route[] {
  const routes: Route[] = [
    ...eventRoutes(parts),
    eventStatsRoute(parts),
    aggregateRoute(parts),
    ...inventoryRoutes(parts),
    ...capabilityRoutes(parts),
    ...changeRoutes(parts),
    ...conflictRoutes(parts),
    ...layerRoutes(parts),
    ...jobRoutes(parts),
    ...patternRoutes(parts),
    ...suggestionRoutes(parts),
    ...outboxRoutes(parts),
    ledgerRoute(parts),
    ...migrationRoutes(parts),
    ...healthRoutes(parts),
  ];
  return [...routes, ...pageRoutes(parts, routes)];
}

/**
 * The API. `fetch(request, surroundings)` answers every request: each error as a problem, each answer with the headers that keep browsers careful.
 * No CORS: pages of other sites read nothing.
 */
export function createApi(parts: ApiParts): Hono<{ Bindings: object }> {
  const app = new Hono<{ Bindings: object }>();
  const routes = routesOf(parts);
  app.use(async (context, next) => {
    const refusal = parts.pageToken === undefined ? undefined : foreignRefusal(context);
    if (refusal) context.res = refusal;
    else await next();
    secure(context.res.headers);
  });
  for (const route of routes) {
    app.on(route.method, routerPath(route.path), (context) => answer(parts, route, context));
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    app.all(routerPath(path), (context) => otherMethod(context, path, routes));
  }
  app.notFound(({ req }) =>
    problemResponse(
      new Problem(
        "not_found",
        `There is no "${req.path.slice(0, 200)}". All addresses are in /openapi.json and, readable, in /docs.`,
      ),
    ),
  );
  app.onError((thrown, { req }) => failure(parts.log, { method: req.method, path: req.path }, thrown));
  return app;
}

/** What a request is answered that comes to this machine by another site's trick; undefined: it does not. */
function foreignRefusal({ req }: Context): Response | undefined {
  try {
    requireOwnPage({ method: req.method, header: (name) => req.header(name) });
    return undefined;
  } catch (thrown) {
    return problemResponse(asProblem(thrown));
  }
}

const routerPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ":$1");

async function answer(parts: ApiParts, route: Route, context: Context): Promise<Response> {
  const startedMs = parts.clock.monotonicMs();
  const { method, path } = context.req;
  const fields: Record<string, unknown> = { requestId: parts.requestIdOf(context.env), method, path };
  let response: Response;
  try {
    const identified = await parts.callerOf(context.env);
    if ("caller" in identified) fields.homeId = identified.caller.homeId;
    await admit(parts.limits, identified, parts.addressOf(context.env));
    response = await handledWithin(parts, route, { request: requestOf(context, parts.limits), identified });
    if ("caller" in identified)
      for (const [name, value] of Object.entries(limitHeaders(parts.limits))) response.headers.set(name, value);
  } catch (thrown) {
    response = failure(parts.log, fields, thrown);
  }
  const durationMs = Math.round((parts.clock.monotonicMs() - startedMs) * 10) / 10;
  const line = { ...fields, status: response.status, durationMs };
  // Reads are many (a page asks every two seconds) and change nothing.
  if (method === "GET" && response.status < 500) parts.log.debug("request", line);
  else parts.log.info("request", line);
  return response;
}

interface Handled {
  readonly request: ApiRequest;
  readonly identified: Identified;
}

const handledWithin = ({ around }: ApiParts, route: Route, { request, identified }: Handled): Promise<Response> =>
  around && "caller" in identified
    ? around(identified.caller, () => handled(route, request, identified))
    : handled(route, request, identified);

const handled = (route: Route, request: ApiRequest, identified: Identified): Promise<Response> =>
  route.scope === "none"
    ? route.handle(request, "caller" in identified ? identified.caller : undefined)
    : route.handle(request, requireScope(identified, route.scope));

const TOKEN_PROBLEMS = {
  token_missing: 'This needs a token: send the header "Authorization: Bearer hl_...".',
  token_invalid: "The token is not known. It may have been revoked, or belong to another installation.",
  token_expired: "The token was good until it expired. Make a new one.",
} as const;

/** @throws Problem 401, 403, 503 */
function requireScope(identified: Identified, scope: Parameters<typeof mayDo>[1]): Caller {
  if ("error" in identified) {
    if (identified.error === "token_unchecked") {
      throw new Problem(
        "service_unavailable",
        "The token cannot be checked: the table of tokens does not answer now. Try again.",
      );
    }
    // Guessers have been turned away before.
    const error = identified.error === "token_guessed" ? "token_invalid" : identified.error;
    throw new Problem(error, TOKEN_PROBLEMS[error]);
  }
  const { caller } = identified;
  if (mayDo(caller, scope)) return caller;
  throw new Problem("scope_missing", `This needs the scope "${scope}"; the token has "${caller.scopes.join(", ")}".`);
}

const requestOf = ({ req }: Context, limits: RateLimits): ApiRequest => ({
  param: (name) => nameOf(req.param(name) ?? ""),
  query: new URL(req.url).searchParams,
  header: (name) => req.header(name),
  bytes: async () => new Uint8Array(await req.arrayBuffer()),
  charge: (caller, units) => charge(limits, caller, units),
});

/** Nothing has a longer name, and no table can be asked for it. @throws Problem `not_found` */
function nameOf(text: string): string {
  if (text.length <= ID_MAX_CHARACTERS) return text;
  throw new Problem("not_found", `There is nothing called "${text.slice(0, 80)}...".`);
}

function otherMethod({ req }: Context, path: string, routes: readonly Route[]): Response {
  const methods = routes.filter((route) => route.path === path).map((route) => route.method);
  const allow = [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ");
  if (req.method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
  const extras: ProblemExtras = { headers: { allow } };
  return problemResponse(
    new Problem("method_not_allowed", `"${req.method}" is not answered here; what is: ${allow}.`, extras),
  );
}

function failure(log: Logger, fields: LogFields, thrown: unknown): Response {
  const problem = asProblem(thrown);
  if (problem.code === "unexpected") {
    const stack = thrown instanceof Error ? thrown.stack : undefined;
    log.error("a request could not be answered", { ...fields, error: thrown, stack });
  } else if (problem !== thrown) log.warn("a request met a part that does not answer", { ...fields, error: thrown });
  return problemResponse(problem);
}

/** Answers are data, never a document that may run or be framed; a page brings its own, wider policy. */
function secure(headers: Headers): void {
  headers.set("x-content-type-options", "nosniff");
  headers.set("referrer-policy", "no-referrer");
  headers.set("x-frame-options", "DENY");
  headers.set("cross-origin-resource-policy", "same-origin");
  if (!headers.has("content-security-policy"))
    headers.set("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
}
