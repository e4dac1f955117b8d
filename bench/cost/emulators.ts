/**
 * SQS, S3, DynamoDB and Timestream in a process of their own, so that their work is not taken for the functions'. Says where they are; `{nowMs}` sets Timestream's
 * clock; ends with the process that started it.
 */
import { startDynaliteServer } from "../../tests/support/dynalite.ts";
import { startFauxqsServer } from "../../tests/support/fauxqs.ts";
import { startSmallTimestream } from "../../tests/support/small-timestream.ts";

let nowMs = Date.now();
process.on("message", (said: { readonly nowMs: number }) => {
  nowMs = said.nowMs;
});
process.on("disconnect", () => process.exit());
const [queues, tables, timestream] = await Promise.all([
  startFauxqsServer(),
  startDynaliteServer(),
  startSmallTimestream({ clock: { nowMs: () => nowMs } }),
]);
process.send?.({ queues: queues.url, tables: tables.url, timestream: timestream.url });
