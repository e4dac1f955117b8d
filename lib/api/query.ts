import * as z from "zod";
import { isHearthlineError } from "../base/errors.ts";
import { parseIsoUs } from "../base/time.ts";
import { Problem } from "./problem.ts";

export const LIMIT_MAX = 1_000;
export const LIMIT_DEFAULT = 100;
/** No query asks for more entities by name. */
const ENTITY_IDS_MAX = 100;
/** Of whatever has a name: no table takes longer keys, and Home Assistant has none. */
export const ID_MAX_CHARACTERS = 255;

/** ISO 8601 with an offset, to microseconds. A `+` that a URL turned into a space is read as the `+` it was. */
export const timeParameter = z
  .string()
  .max(40)
  .meta({ format: "date-time", example: "2026-11-22T05:47:09.185382+00:00" })
  .transform((text, context) => {
    try {
      return parseIsoUs(text.replace(/ (\d\d:?\d\d)$/, "+$1"));
    } catch (thrown) {
      context.addIssue({ code: "custom", message: isHearthlineError(thrown) ? thrown.message : "wanted is a time" });
      return z.NEVER;
    }
  });

export const limitParameter = z
  .int("wanted is a whole number from 1 to 1,000")
  .min(1, "wanted is 1 or more")
  .max(LIMIT_MAX, "wanted is 1,000 or less")
  .default(LIMIT_DEFAULT);

export const cursorParameter = z
  .string()
  .min(1)
  // The longest that we give ourselves: a position of 255 characters, each an escape in JSON, in base64.
  .max(4_096)
  .optional()
  .meta({ description: "`next` of the page before; only for the same query." });

export const idParameter = z.string().min(1).max(ID_MAX_CHARACTERS);

export const entityIdsParameter = z
  .array(
    z
      .string()
      .max(ID_MAX_CHARACTERS)
      .regex(/^[a-z0-9_]+\.[a-z0-9_]+$/, "wanted is an entity id such as light.kitchen"),
  )
  .min(1)
  .max(ENTITY_IDS_MAX)
  .optional()
  .meta({ description: "Repeated, or a list with commas." });

export const domainParameter = z
  .string()
  .max(64)
  .regex(/^[a-z0-9_]+$/, "wanted is a domain such as light");

const LISTS: ReadonlySet<string> = new Set(["entity_id", "functions"]);
const NUMBERS: ReadonlySet<string> = new Set(["limit"]);

/**
 * The query string by its schema. A parameter that is not in the schema is an error too: a misspelt filter would otherwise give everything.
 * @throws Problem `request_invalid` that names every wrong parameter
 */
export function readQuery<S extends z.ZodType>(schema: S, query: URLSearchParams): z.output<S> {
  const raw: Record<string, unknown> = Object.create(null);
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name);
    const [only] = values;
    if (LISTS.has(name)) raw[name] = values.flatMap((value) => value.split(","));
    else if (values.length !== 1 || only === undefined) raw[name] = values;
    else raw[name] = NUMBERS.has(name) && /^-?\d{1,15}$/.test(only) ? Number(only) : only;
  }
  const parsed = schema.safeParse({ ...raw });
  if (parsed.success) return parsed.data;
  throw invalid("The query string is not valid", parsed.error);
}

/** Every issue as a named field. */
export function invalid(what: string, error: z.ZodError): Problem {
  const errors = error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({ field: [...issue.path, key].join("."), detail: "There is no such parameter." }))
      : [{ field: issue.path.join("."), detail: issue.message }],
  );
  const named = errors.map(({ field, detail }) => `${field}: ${detail}`).join("; ");
  return new Problem("request_invalid", `${what}. ${named}`.slice(0, 2_000), { errors });
}

/** @throws Problem `request_invalid` when a span of time ends before it begins */
export function checkSpan({
  from,
  to,
}: {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}): void {
  if (from === undefined || to === undefined || from <= to) return;
  throw invalid(
    "The query string is not valid",
    new z.ZodError([
      { code: "custom", path: ["to"], message: "wanted is a moment that is not before `from`", input: to },
    ]),
  );
}
