import { createAuthorize } from "../lib/wiring/authorize.ts";

/** HTTP authorizer: from a bearer token to its home and scopes. */
export const handler = createAuthorize();
