import * as z from "zod";
import type { Clock } from "../../base/clock.ts";
import { createRegistryView, type DeviceIndex, type HomeDirectory } from "../../devices/index.ts";
import { toWireEvent } from "../../event/index.ts";
import type { EventStore } from "../../store/index.ts";
import { type Identify, mayDo } from "../caller.ts";
import { jsonAnswer, NOT_MODIFIED, problemAnswers, scopedProblems, textAnswer } from "../documented.ts";
import type { GatherHealth } from "../health.ts";
import { isKnown } from "../listing.ts";
import { documentOf } from "../openapi.ts";
import type { LiveModel, Page, PageClient, Pages } from "../pages.ts";
import { PROBLEMS, Problem } from "../problem.ts";
import { json, type OpenRoute, type Route, type ScopedRoute } from "../route.ts";

export interface PageParts {
  readonly pages: Pages;
  /** Of a page on this machine: its token. Then everything answers only when it is asked for by a name of this machine (`requireOwnPage`). */
  readonly pageToken?: string | undefined;
  /** Undefined: there is none, and the page is a status page. */
  readonly pageClient?: PageClient | undefined;
  /** Local time at which a home's day ends: `03:00`. */
  readonly analysisTime: string;
  readonly identify: Identify;
  readonly health: GatherHealth;
  readonly homes: Pick<HomeDirectory, "get">;
  readonly index: Pick<DeviceIndex, "list">;
  readonly events: Pick<EventStore, "range">;
  readonly clock: Clock;
  readonly version: string;
}

const EVENTS_SHOWN = 50;
/** Names change rarely and cost a read of two registries; the page asks every two seconds. */
const NAMES_KEPT_MS = 15_000;

const CLIENT_PATH = "/page/app.js";
const HTML = "text/html; charset=utf-8";

/** The page, its live part, its client, the readable document. `routes`: all others, for the document. */
export function pageRoutes(parts: PageParts, routes: readonly Route[]): Route[] {
  const live = createLive(parts);
  const all: Route[] = [
    homeRoute(parts, live),
    liveRoute(parts, live),
    clientRoute(parts),
    docsRoute(parts, () => document()),
    documentRoute(() => document()),
  ];
  let made: object | undefined;
  // Made when it is first asked for: a function that answers events should not pay for it at its start.
  function document(): object {
    made ??= documentOf([...routes, ...all], parts.version);
    return made;
  }
  return all;
}

type ReadLive = (homeId: string) => Promise<LiveModel>;

const homeRoute = (parts: PageParts, live: ReadLive): OpenRoute => ({
  method: "GET",
  path: "/",
  scope: "none",
  operation: {
    operationId: "getPage",
    summary: "The page: live state of every part, and the last events",
    tags: ["pages"],
    responses: { "200": textAnswer("The page", "text/html", z.string()), ...problemAnswers() },
  },
  async handle() {
    const { pageToken: token, pageClient, pages } = parts;
    const script = pageClient && { client: `${CLIENT_PATH}?v=${pageClient.version}` };
    if (token === undefined) return pageResponse(pages.home({ ...script }));
    const identified = await parts.identify(`Bearer ${token}`);
    if (!("caller" in identified) || !mayDo(identified.caller, "read")) return pageResponse(pages.home({ ...script }));
    return pageResponse(pages.home({ live: await live(identified.caller.homeId), token, ...script }));
  },
});

const liveRoute = ({ pages }: PageParts, live: ReadLive): ScopedRoute => ({
  method: "GET",
  path: "/page/live",
  scope: "read",
  operation: {
    operationId: "getLivePart",
    summary: "The part of the page that changes",
    tags: ["pages"],
    responses: { "200": textAnswer("A piece of HTML", "text/html", z.string()), ...scopedProblems() },
  },
  async handle(_request, { homeId }) {
    return new Response(pages.live(await live(homeId)), {
      headers: { "content-type": HTML, "cache-control": "no-store" },
    });
  },
});

const clientRoute = ({ pageClient }: PageParts): OpenRoute => ({
  method: "GET",
  path: CLIENT_PATH,
  scope: "none",
  operation: {
    operationId: "getPageClient",
    summary: "The script with which the page shows what the home does, and what it could",
    description: "It holds nothing of any home. `v`: its version, under which it never changes.",
    tags: ["pages"],
    requestParams: { query: z.object({ v: z.string().optional() }) },
    responses: {
      "200": textAnswer("The script", "text/javascript", z.string()),
      ...NOT_MODIFIED,
      ...problemAnswers("not_found"),
    },
  },
  async handle(request) {
    if (!pageClient) throw new Problem("not_found", "This installation has no client for the page.");
    const { text, version } = pageClient;
    const etag = `"${version}"`;
    // Under another version (a page that was opened before a deployment) it is what it is today, and asked for again.
    const isThis = request.query.get("v") === version;
    const headers = { etag, "cache-control": isThis ? "public, max-age=31536000, immutable" : "no-cache" };
    if (isKnown(request.header("if-none-match"), etag)) return new Response(null, { status: 304, headers });
    return new Response(text, { headers: { ...headers, "content-type": "text/javascript; charset=utf-8" } });
  },
});

const docsRoute = (parts: PageParts, document: () => object): OpenRoute => ({
  method: "GET",
  path: "/docs",
  scope: "none",
  operation: {
    operationId: "getDocs",
    summary: "The OpenAPI document, readable",
    tags: ["pages"],
    responses: { "200": textAnswer("The page", "text/html", z.string()), ...problemAnswers() },
  },
  async handle() {
    return pageResponse(parts.pages.docs(document(), PROBLEMS));
  },
});

const documentRoute = (document: () => object): OpenRoute => ({
  method: "GET",
  path: "/openapi.json",
  scope: "none",
  operation: {
    operationId: "getDocument",
    summary: "This document",
    tags: ["pages"],
    responses: { "200": jsonAnswer("OpenAPI 3.1", z.record(z.string(), z.unknown())), ...problemAnswers() },
  },
  handle: async () => json(document(), 200, { "cache-control": "public, max-age=300" }),
});

const pageResponse = ({ html, policy }: Page): Response =>
  new Response(html, {
    headers: { "content-type": HTML, "cache-control": "no-store", "content-security-policy": policy },
  });

function createLive(parts: PageParts): ReadLive {
  const { health, homes, index, events, clock, analysisTime } = parts;
  const named = new Map<string, { readonly names: Promise<Names>; readonly untilMs: number }>();

  function namesOf(homeId: string): Promise<Names> {
    const known = named.get(homeId);
    if (known && known.untilMs > clock.monotonicMs()) return known.names;
    const names = readNames(homes, index, homeId);
    if (named.size > 1_000) named.clear();
    named.set(homeId, { names, untilMs: clock.monotonicMs() + NAMES_KEPT_MS });
    names.catch(() => named.delete(homeId));
    return names;
  }

  return async (homeId) => {
    const [gathered, page, names] = await Promise.all([
      health(homeId),
      events.range({ homeId, order: "desc", limit: EVENTS_SHOWN }).catch(() => null),
      namesOf(homeId).catch(() => NO_NAMES),
    ]);
    return {
      ...names,
      homeName: names.homeName || homeId,
      dayStart: analysisTime,
      health: gathered,
      events: page?.events.map(toWireEvent) ?? null,
    };
  };
}

type Names = Pick<LiveModel, "homeName" | "timeZone" | "areaNames" | "entityNames">;
const NO_NAMES: Names = { homeName: "", timeZone: "UTC", areaNames: new Map(), entityNames: new Map() };

async function readNames(homes: PageParts["homes"], index: PageParts["index"], homeId: string): Promise<Names> {
  const [home, areas, devices, entities] = await Promise.all([
    homes.get(homeId),
    index.list(homeId, "areas"),
    index.list(homeId, "devices"),
    index.list(homeId, "entities"),
  ]);
  const view = createRegistryView({ areas, devices, entities });
  return {
    homeName: home?.name ?? "",
    timeZone: home?.timeZone ?? "UTC",
    areaNames: new Map(areas.map(({ areaId, name }) => [areaId, name])),
    entityNames: new Map(entities.map(({ entityId }) => [entityId, view.entity(entityId)?.name ?? entityId])),
  };
}
