// The one gate, `npm run check`: format, lint, types, import rules, unused code, copied code, then the tests. Stops at the first that fails.
import { spawnSync } from "node:child_process";
import { performance } from "node:perf_hooks";

const GATES = [
  ["format and lint", "biome", ["ci", "--error-on-warnings", "--max-diagnostics=50"]],
  ["types", "tsc", ["--noEmit", "-p", "."]],
  ["types of the page's client", "tsc", ["--noEmit", "-p", "lib/web/app"]],
  ["import rules", "depcruise", ["--config", ".dependency-cruiser.cjs", "functions", "lib", "local"]],
  ["unused code", "knip", ["--no-progress"]],
  ["copied code", "jscpd", ["--config", ".jscpd.json"]],
];

for (const [what, command, args] of GATES) {
  const started = performance.now();
  const { status } = spawnSync(command, args, { stdio: "inherit", shell: false });
  console.log(`${status === 0 ? "ok" : "FAILED"}  ${what} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (status !== 0) {
    console.log(`npm run check stopped at "${what}"; the tests were not run.`);
    process.exit(1);
  }
}
process.exit(spawnSync("npm", ["test", "--silent"], { stdio: "inherit" }).status ?? 1);
