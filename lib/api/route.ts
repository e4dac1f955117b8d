import type { ZodOpenApiOperationObject } from "zod-openapi";
import type { Caller } from "./caller.ts";
import type { Scope } from "./ports.ts";

/** A request as handlers see it: nothing of Lambda, nothing of the router. */
export interface ApiRequest {
  /** Members of the path, by name. */
  param(name: string): string;
  readonly query: URLSearchParams;
  header(name: string): string | undefined;
  /** The body as it came. */
  bytes(): Promise<Uint8Array>;
  /** Counts the request as so many more against its token's limit. @throws Problem `rate_limited` */
  charge(caller: Caller, units: number): Promise<void>;
}

interface RouteBase {
  readonly method: "GET" | "POST";
  /** As in OpenAPI: `/api/v1/devices/{id}`. */
  readonly path: string;
  readonly operation: ZodOpenApiOperationObject;
}

/** Answered only to a token with the scope. */
export interface ScopedRoute extends RouteBase {
  readonly scope: Scope;
  handle(request: ApiRequest, caller: Caller): Promise<Response>;
}

/** Answered to everybody; who brings a token may see more. A token that is not valid counts as none. */
export interface OpenRoute extends RouteBase {
  readonly scope: "none";
  handle(request: ApiRequest, caller: Caller | undefined): Promise<Response>;
}

export type Route = ScopedRoute | OpenRoute;

/** JSON that must not be kept: it is somebody's home. */
export const json = (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  });
