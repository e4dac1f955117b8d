import { systemClock } from "../../lib/base/clock.ts";
import { messageOf } from "../../lib/base/errors.ts";
import { type EmbeddedServer, startQueues, startTables } from "../stack/embedded.ts";

/**
 * A process that is one embedded server: `part-main.ts queues|tables FOLDER PORT`. It says `{ready, port}` over IPC, and ends on SIGTERM or when its parent is gone.
 * On `{release: true}` the queues show again what was in flight: those who had it are dead.
 */
async function main([kind, folder = "", port]: readonly string[]): Promise<void> {
  const region = process.env.AWS_REGION ?? "us-east-1";
  const options = { folder, port: Number(port), region, clock: systemClock };
  let server: EmbeddedServer;
  if (kind === "queues") {
    const queues = await startQueues(options);
    process.on("message", (message: { release?: boolean }) => {
      if (message.release) queues.release();
    });
    server = queues;
  } else {
    server = await startTables(options);
  }
  let isEnding = false;
  const end = () => {
    if (isEnding) return;
    isEnding = true;
    void server.stop().finally(() => process.exit(0));
  };
  process.on("SIGTERM", end);
  process.once("disconnect", end);
  process.send?.({ ready: true, port: server.port });
}

main(process.argv.slice(2)).catch((thrown: unknown) => {
  process.stderr.write(`${messageOf(thrown)}\n`);
  process.exit(1);
});
