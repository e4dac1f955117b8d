import { type Command, InvalidArgumentError } from "commander";
import { QUEUES } from "../../lib/wiring/config.ts";
import { confirm, operatorOf } from "./operator.ts";
import { table } from "./output.ts";
import { countOf, type Tools } from "./tools.ts";

const QUEUE_NAMES = QUEUES.flatMap((name) => [name, `${name}-dead`]);
const queueName =
  (names: readonly string[]) =>
  (text: string): string => {
    if (!names.includes(text)) throw new InvalidArgumentError(`wanted is one of ${names.join(", ")}`);
    return text;
  };

/** `queues list|peek|redrive|purge` */
export function addQueueCommands(program: Command, tools: Tools): void {
  const queues = program.command("queues").description("the queues and their dead letters");
  queues
    .command("list")
    .description("how many messages wait, are worked on, were set aside")
    .action(async () => {
      const { context, output } = tools();
      const depths = await operatorOf(context).queues.depths();
      const found = depths.map(({ name, visible, inFlight, dead }) => ({
        name,
        waiting: visible,
        in_flight: inFlight,
        dead,
      }));
      const rows = found.map((queue) => [queue.name, queue.waiting, queue.in_flight, queue.dead]);
      output.data({ queues: found }, () => table(["QUEUE", "WAITING", "IN FLIGHT", "DEAD"], rows, "no queues"));
    });
  queues
    .command("peek")
    .description("looks at messages without taking them; of dead letters it shows the reason")
    .argument("<queue>", QUEUE_NAMES.join(", "), queueName(QUEUE_NAMES))
    .option("--limit <n>", "how many at most", countOf(1, 100), 10)
    .action(async (name: string, { limit }: { limit: number }) => {
      const { context, output } = tools();
      const messages = await operatorOf(context).queues.peek(name, limit);
      const rows = messages.map(({ id, sentAt, receiveCount, attributes, body }) => [
        id,
        sentAt,
        receiveCount,
        attributes.reason_code,
        attributes.reason_detail ?? `${body.length} characters`,
      ]);
      output.data({ messages }, () => table(["MESSAGE", "SENT", "RECEIVED", "REASON", "DETAIL"], rows, "no messages"));
    });
  queues
    .command("redrive")
    .description("puts dead letters back into their queue")
    .argument("<queue>", QUEUES.join(", "), queueName(QUEUES))
    .option("--limit <n>", "how many at most", countOf(1, 100_000))
    .action(async (name: string, { limit }: { limit?: number }) => {
      const { context, output } = tools();
      const done = await operatorOf(context).queues.redrive(name, limit);
      output.data(done, () => `${done.moved} moved to "${name}", ${done.remaining} left`);
    });
  queues
    .command("purge")
    .description("deletes every message of a queue; what was not stored is lost")
    .argument("<queue>", QUEUE_NAMES.join(", "), queueName(QUEUE_NAMES))
    .option("--yes", "do not ask")
    .action(async (name: string, { yes }: { yes?: boolean }) => {
      const { context, output } = tools();
      await confirm(`This deletes every message of "${name}" for ever.`, yes);
      const deleted = await operatorOf(context).queues.purge(name);
      output.data({ deleted }, () => `about ${deleted} deleted`);
    });
}
