import { createApiFunction } from "../lib/wiring/api.ts";

/** HTTP: the API and the pages. */
export const handler = createApiFunction();
