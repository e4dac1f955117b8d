import { createRelayProcess, type RelayStatus, relayExit } from "../lib/wiring/relay.ts";
import { relayEnvironment } from "../lib/wiring/relay-environment.ts";

/** Whatever hangs: a part that is told to end is gone within five seconds. */
const END_WITHIN_MS = 4_800;

/**
 * The process in the house: the relay, and its status page. Says `{ready, port}` over IPC where there is a parent;
 * ends on SIGTERM, on SIGINT, and when the parent is gone.
 */
async function main(): Promise<void> {
  const relay = await createRelayProcess(await relayEnvironment(process.env), { isAlone: process.send === undefined });
  let status: RelayStatus;
  try {
    status = await relay.serveStatus();
  } catch (thrown) {
    await relay.stop();
    throw thrown;
  }
  const end = () => {
    setTimeout(() => process.exit(1), END_WITHIN_MS).unref();
    void relay.stop();
  };
  // Not once: without a listener the second signal (a supervisor's, and the one passed on by its parent) would end it in the middle.
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  process.on("SIGHUP", end);
  process.once("disconnect", end);
  const { host, port } = status;
  relay.log.info("The relay has started.", {
    status: `http://${host.includes(":") ? `[${host}]` : host}:${port}/health`,
  });
  process.send?.({ ready: true, port });
  try {
    await relay.run();
  } finally {
    status.close();
  }
}

main().then(
  () => process.exit(0),
  (thrown: unknown) => {
    const { code, message } = relayExit(thrown);
    process.stderr.write(`${message}\n`);
    process.exit(code);
  },
);
