import { randomUUID } from "node:crypto";
import { pathToFileURL } from "node:url";
import type { Clock } from "../../lib/base/clock.ts";
import { HearthlineError } from "../../lib/base/errors.ts";

/** Calls a function in this process. */
export type Invoke = (event: unknown) => Promise<unknown>;

export interface InvokeOptions {
  /** The full name, such as `hearthline-local-enrich`. */
  readonly name: string;
  /** The handler's module, absolute. */
  readonly file: string;
  /** The name of its export. */
  readonly exported: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly clock: Clock;
}

/**
 * Loads a handler and calls it as Lambda's runtime would. In the process and not over serverless-offline's endpoint, because that costs an HTTP request,
 * and two rounds of JSON for each batch (measured in DECISIONS.md), and refuses payloads at 6 MB that Lambda itself takes.
 * @throws HearthlineError `setting_invalid` when the module has no such export
 */
export async function loadInvoke(options: InvokeOptions): Promise<Invoke> {
  const { name, file, exported, timeoutMs, clock } = options;
  const module = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  const handler = module[exported];
  if (typeof handler !== "function")
    throw new HearthlineError(
      "setting_invalid",
      `The function "${name}" cannot be loaded: "${file}" exports no "${exported}".`,
    );
  return async (event) => {
    const endsAtMs = clock.monotonicMs() + timeoutMs;
    return await handler(event, {
      awsRequestId: randomUUID(),
      functionName: name,
      functionVersion: "$LATEST",
      invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
      memoryLimitInMB: String(options.memoryMb),
      logGroupName: `/aws/lambda/${name}`,
      logStreamName: "local",
      callbackWaitsForEmptyEventLoop: false,
      getRemainingTimeInMillis: () => Math.max(0, endsAtMs - clock.monotonicMs()),
    });
  };
}
