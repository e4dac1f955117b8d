import { systemClock } from "../../lib/base/clock.ts";
import { createLogger } from "../../lib/base/log.ts";
import { systemRandom } from "../../lib/base/random.ts";
import { createCloud } from "../../lib/wiring/aws.ts";
import { readConfig } from "../../lib/wiring/config.ts";
import { createEnrich } from "../../lib/wiring/enrich.ts";
import { createIndexDevices } from "../../lib/wiring/index-devices.ts";
import { createStore } from "../../lib/wiring/store.ts";
import { startEventSource } from "../../local/stack/event-source.ts";
import { createSourceQueue } from "../../local/stack/source-queue.ts";

// The three functions of an event's way behind their queues, as one process that can be killed. It says `{ready}` over IPC.

const TIMEOUT_MS = 10_000;

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const { sqs } = createCloud(config);
  const log = createLogger({ level: "warn" });
  const sources = [
    { name: "events", handler: createEnrich() },
    { name: "store", handler: createStore() },
    { name: "index", handler: createIndexDevices() },
  ];
  const running = await Promise.all(
    sources.map(async ({ name, handler }) => {
      const queue = `${config.HEARTHLINE_QUEUE_PREFIX}-${name}`;
      const { QueueUrl } = await sqs.call<{ QueueUrl: string }>("GetQueueUrl", { QueueName: queue });
      return startEventSource({
        name,
        queue: createSourceQueue(sqs, QueueUrl),
        queueArn: `arn:aws:sqs:${config.AWS_REGION}:000000000000:${queue}`,
        region: config.AWS_REGION,
        invoke: (event) => {
          const endsAtMs = performance.now() + TIMEOUT_MS;
          const context = {
            awsRequestId: crypto.randomUUID(),
            getRemainingTimeInMillis: () => endsAtMs - performance.now(),
          };
          return handler(event as unknown as Parameters<typeof handler>[0], context as Parameters<typeof handler>[1]);
        },
        timeoutMs: TIMEOUT_MS,
        reportsItemFailures: true,
        retryAfterSeconds: () => 1,
        clock: systemClock,
        random: systemRandom,
        log,
      });
    }),
  );
  const end = () => void Promise.all(running.map((source) => source.stop())).then(() => process.exit(0));
  process.on("SIGTERM", end);
  process.once("disconnect", () => process.exit(1));
  process.send?.({ ready: true });
}

main().catch((thrown: unknown) => {
  process.stderr.write(`${String(thrown)}\n`);
  process.exit(1);
});
