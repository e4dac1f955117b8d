// npm run test:peers: the tests against real servers of others, which the scripts beside the project install and start.
import { runVitest } from "./run-vitest.mjs";

const given = process.argv.slice(2);
const args = given.includes("--config") ? given : ["--config", "vitest.peers.config.ts", ...given];

process.exitCode = runVitest(args, ({ passed, failed, skipped, reasons }) => {
  const skips = reasons.map((reason) => `skipped: ${reason}`);
  return { failed, lines: [...skips, `${passed} passed, ${failed} failed, ${skipped} skipped`] };
});
