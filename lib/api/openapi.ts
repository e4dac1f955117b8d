import { createDocument, type oas31, type ZodOpenApiPathsObject } from "zod-openapi";
import type { Route } from "./route.ts";

/** The document of the routes, from the schemas that check the requests. */
export function documentOf(routes: readonly Route[], version: string): oas31.OpenAPIObject {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { method, path, scope, operation } of routes) {
    const item = paths[path] ?? {};
    item[method.toLowerCase()] = { ...operation, ...securityOf(scope) };
    paths[path] = item;
  }
  return createDocument({
    openapi: "3.1.0",
    info: {
      title: "Hearthline",
      version,
      description: DESCRIPTION,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: [
      { name: "events", description: "What happened in the home" },
      { name: "index", description: "What there is in the home" },
      { name: "jobs", description: "The nightly batch" },
      { name: "outbox", description: "What the home's relay is asked to do" },
      { name: "migrations", description: "Moving from an old pipeline while both run" },
      { name: "operation", description: "How the whole is" },
      { name: "pages", description: "For people" },
    ],
    components: {
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description: "A token of one home with its scopes: `read`, `write`, `admin`.",
        },
      },
    },
    paths: paths as ZodOpenApiPathsObject,
  });
}

const DESCRIPTION =
  "Names are snake_case, times ISO 8601 with an offset. Lists are pages: `next` is the cursor of the page after. Ranges include `from` and exclude `to`. " +
  "Errors are RFC 9457 with a stable `code`. A token names its home; what belongs to another home is not found. " +
  "A token may ask so often in a minute as `RateLimit-Policy` says, then comes 429 with `Retry-After`; several instances may let a few more through.";

/** An open route shows more to who brings a token. */
const securityOf = (scope: Route["scope"]) =>
  scope === "none" ? { security: [{}, { token: [] }] } : { security: [{ token: [] }], "x-hearthline-scope": scope };
