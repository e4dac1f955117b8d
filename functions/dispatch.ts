import { createDispatch } from "../lib/wiring/dispatch.ts";

/** The schedule, every 15 minutes: sends the nightly job of each home whose night has come. */
export const handler = createDispatch();
