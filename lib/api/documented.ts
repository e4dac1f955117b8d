import type * as z from "zod";
import type { ZodOpenApiOperationObject, ZodOpenApiResponsesObject } from "zod-openapi";
import { PROBLEMS, type ProblemCode } from "./problem.ts";
import { problemShape } from "./shapes.ts";

/** Helpers with which a route says what it answers; the OpenAPI document is made of these. */

const SCOPED: readonly ProblemCode[] = ["token_missing", "token_invalid", "token_expired", "scope_missing"];

export const jsonAnswer = (description: string, schema: z.ZodType) => ({
  description,
  content: { "application/json": { schema } },
});

export const textAnswer = (description: string, mediaType: string, schema: z.ZodType) => ({
  description,
  content: { [mediaType]: { schema } },
});

/** What every route may answer: too many requests, a request that comes to this machine by another's name or page, and what nobody foresaw. */
const EVERYWHERE: readonly ProblemCode[] = ["rate_limited", "host_not_local", "origin_foreign", "unexpected"];

/** The errors of a route by status, each naming its codes, with those of every route. */
export function problemAnswers(...codes: readonly ProblemCode[]): ZodOpenApiResponsesObject {
  const byStatus = Map.groupBy(new Set([...codes, ...EVERYWHERE]), (code) => PROBLEMS[code][0]);
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => [
      `${status}` as const,
      {
        description: ofStatus.map((code) => `\`${code}\`: ${PROBLEMS[code][1]}`).join("; "),
        content: { "application/problem+json": { schema: problemShape } },
      },
    ]),
  );
}

/** What a route with a scope answers beside its own: errors of the token, of the request, and of parts that are away. */
export const scopedProblems = (...codes: readonly ProblemCode[]): ZodOpenApiResponsesObject =>
  problemAnswers(...SCOPED, "service_unavailable", ...codes);

export type Operation = ZodOpenApiOperationObject;

/** For lists with an ETag. */
export const NOT_MODIFIED = { "304": { description: "As it was when the caller got this ETag." } } as const;
