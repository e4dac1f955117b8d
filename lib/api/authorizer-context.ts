import * as z from "zod";
import { CALLER_ERRORS, type CallerError, type Identified } from "./caller.ts";
import { SCOPES, type Scope } from "./ports.ts";

/** What the authorizer hands to the API through the gateway: flat text, because a REST API carries nothing else. */
export type AuthorizerContext =
  | { readonly home_id: string; readonly scopes: string; readonly token_id: string; readonly token_name?: string }
  | { readonly error: CallerError };

export const contextOf = (identified: Identified): AuthorizerContext =>
  "error" in identified
    ? { error: identified.error }
    : {
        home_id: identified.caller.homeId,
        scopes: identified.caller.scopes.join(" "),
        token_id: identified.caller.tokenId,
        ...(identified.caller.tokenName !== undefined && { token_name: identified.caller.tokenName }),
      };

const callerSchema = z.object({
  home_id: z.string().min(1),
  scopes: z.string(),
  token_id: z.string(),
  token_name: z.string().optional(),
});
const errorSchema = z.object({ error: z.enum(CALLER_ERRORS) });

const isScope = (text: string): text is Scope => SCOPES.some((scope) => scope === text);

/** Back again. Anything else, nothing included, is no caller: what no authorizer has seen may do nothing. */
export function identifiedOf(context: unknown): Identified {
  const caller = callerSchema.safeParse(context);
  if (caller.success) {
    const { home_id: homeId, scopes, token_id: tokenId, token_name: tokenName } = caller.data;
    const found = { homeId, scopes: scopes.split(" ").filter(isScope), tokenId };
    return { caller: tokenName === undefined ? found : { ...found, tokenName } };
  }
  const error = errorSchema.safeParse(context);
  return { error: error.success ? error.data.error : "token_missing" };
}
