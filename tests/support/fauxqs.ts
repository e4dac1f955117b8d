import { buildApp } from "fauxqs";
import { createAwsClient } from "../../lib/adapters/aws/client.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { systemRandom } from "../../lib/base/random.ts";

/** SQS in this process, in memory, on a free port of loopback (`startFauxqs` would listen on every address). */
export async function startFauxqsServer() {
  const app = buildApp({ logger: false });
  await app.listen({ port: 0, host: "127.0.0.1" });
  const address = app.server.address();
  if (address === null || typeof address === "string") throw new Error(`fauxqs listens on ${address}`);
  const url = `http://127.0.0.1:${address.port}`;
  return { url, client: sqsClientAt(url), stop: () => app.close() };
}

/** Any SQS at an address, with credentials that emulators take. */
export const sqsClientAt = (endpoint: string) =>
  createAwsClient({
    service: "sqs",
    region: "us-east-1",
    endpoint,
    credentials: () => ({ accessKeyId: "test", secretAccessKey: "test" }),
    clock: systemClock,
    random: systemRandom,
  });
