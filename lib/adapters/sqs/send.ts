import type { Clock } from "../../base/clock.ts";
import { HearthlineError } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { backoffMs } from "../../base/retry.ts";
import type { AwsClient } from "../aws/client.ts";

/** What the batch operations of SQS answer: each entry by its id, taken or not. */
interface BatchAnswer {
  readonly Successful?: readonly { readonly Id: string }[];
  readonly Failed?: readonly {
    readonly Id: string;
    readonly Code?: string;
    readonly Message?: string;
    readonly SenderFault?: boolean;
  }[];
}

export interface SqsBatchOptions {
  readonly client: AwsClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal?: AbortSignal;
}

/** Attempts for the entries that a batch answer names as failed; the request itself is tried again by the client. */
const ATTEMPTS = 5;

/**
 * Calls a batch operation until every entry is in `Successful`. An entry that the answer names in neither list counts as failed: only what is confirmed is done.
 * @throws HearthlineError `queue_send_failed` with the count and the first reason, after bounded attempts; at once for entries that are the sender's fault
 */
export async function callSqsBatch(
  call: { readonly operation: string; readonly queueUrl: string; readonly queue: string },
  entries: readonly object[],
  { client, clock, random, signal }: SqsBatchOptions,
): Promise<void> {
  let pending = entries.map((entry, index) => ({ ...entry, Id: String(index) }));
  for (let attempt = 1; ; attempt++) {
    const answer = await client.call<BatchAnswer>(
      call.operation,
      { QueueUrl: call.queueUrl, Entries: pending },
      { ...(signal && { signal }) },
    );
    const taken = new Set(answer.Successful?.map(({ Id }) => Id));
    pending = pending.filter(({ Id }) => !taken.has(Id));
    if (pending.length === 0) return;
    const failed = answer.Failed ?? [];
    // Being throttled counts as the sender's fault too, and passes.
    const hopeless = failed.find(({ SenderFault, Code = "" }) => SenderFault === true && !/Throttl/.test(Code));
    if (hopeless || attempt >= ATTEMPTS || signal?.aborted) {
      const { Code = "no reason", Message = "" } = hopeless ?? failed[0] ?? {};
      throw new HearthlineError(
        "queue_send_failed",
        `${call.operation} to "${call.queue}": ${pending.length} of ${entries.length} were not taken after ${attempt} attempts; the first reason is "${Code}${Message && `: ${Message}`}".`,
      );
    }
    await clock.sleep(backoffMs(attempt, random, { baseMs: 50, maxMs: 5_000 }), signal);
  }
}
