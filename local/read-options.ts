import { parseArgs } from "node:util";
import type * as z from "zod";
import { messageOf } from "../lib/base/errors.ts";

/** The options of the command line, each `--name value`. Ends the process with 2, a sentence and the usage when they are not as they should be. */
export function readOptions<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  usage: string,
): z.infer<z.ZodObject<Shape>> {
  const names = Object.keys(schema.shape);
  try {
    const { values } = parseArgs({
      options: Object.fromEntries(names.map((name) => [name, { type: "string" as const }])),
    });
    const parsed = schema.safeParse(values);
    if (parsed.success) return parsed.data;
    throw new Error(parsed.error.issues.map((issue) => `--${String(issue.path[0])}: ${issue.message}`).join("; "));
  } catch (thrown) {
    process.stderr.write(`${messageOf(thrown)}\nusage: ${usage}\n`);
    process.exit(2);
  }
}
