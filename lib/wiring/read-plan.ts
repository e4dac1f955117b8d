import type { FieldError } from "../api/ports.ts";
import { type Plan, planSchema } from "../migration/plan.ts";
import { planMembers, wirePath } from "../migration/wire.ts";

/** The plan of a body, or every wrong member by the name that its writer gave it. */
export function readPlan(body: unknown): { readonly plan: Plan } | { readonly errors: readonly FieldError[] } {
  const parsed = planSchema.safeParse(planMembers(body));
  if (parsed.success) return { plan: parsed.data };
  const errors = parsed.error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({ field: wirePath([...issue.path, key]), detail: "There is no such member." }))
      : [{ field: wirePath(issue.path), detail: issue.message }],
  );
  return { errors };
}
