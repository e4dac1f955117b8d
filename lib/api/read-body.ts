import type * as z from "zod";
import { readJson } from "./body.ts";
import { invalid } from "./query.ts";
import type { ApiRequest } from "./route.ts";

/** The problems of a route that reads a body. */
export const BODY_PROBLEMS = [
  "request_invalid",
  "body_not_json",
  "body_too_deep",
  "body_too_large",
  "media_type_unsupported",
] as const;

/** @throws Problem as `readJson`, and `request_invalid` that names every wrong member */
export async function readBody<S extends z.ZodType>(request: ApiRequest, schema: S): Promise<z.output<S>> {
  const parsed = schema.safeParse(await readJson(request));
  if (parsed.success) return parsed.data;
  throw invalid("The body is not valid", parsed.error);
}
