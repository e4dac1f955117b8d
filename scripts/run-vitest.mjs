// Runs vitest and ends with one line that a person or a program can read. For Node 20 on, with nothing installed at first.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureInstalled } from "./ensure-installed.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** What a JSON report of vitest says: how many passed, failed, were skipped, which those were that were skipped, and that failed. */
export function readReport(report) {
  const files = report.testResults ?? [];
  const tests = files.flatMap(({ assertionResults }) => assertionResults);
  const count = (...statuses) => tests.filter(({ status }) => statuses.includes(status)).length;
  // A file that cannot be loaded has failed, though none of its tests has.
  const broken = files.filter(
    ({ status, assertionResults }) => status === "failed" && !assertionResults.some(isFailed),
  );
  const skipped = tests.filter(({ status }) => ["pending", "skipped", "todo", "disabled"].includes(status));
  return {
    passed: count("passed"),
    failed: count("failed") + broken.length,
    skipped: skipped.length,
    reasons: skipped.map(({ fullName }) => fullName),
    names: [...tests.filter(isFailed).map(({ fullName }) => fullName), ...broken.map(({ name }) => name)],
  };
}

const isFailed = ({ status }) => status === "failed";

/**
 * Runs vitest with these arguments and prints the last line.
 * @param summarise makes of what `readReport` returns `{ lines, failed }`: the lines to print last, and how many failed in its eyes
 * @returns the exit code
 */
export function runVitest(args, summarise) {
  const notReady = ensureInstalled(root);
  if (notReady !== 0) return notReady;
  const pinned = join(root, "node_modules", ".bin", "node");
  const node = existsSync(pinned) ? pinned : process.execPath;
  const folder = mkdtempSync(join(tmpdir(), "hearthline-tests-"));
  const file = join(folder, "report.json");
  try {
    const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const { status } = spawnSync(node, [vitest, "run", ...reporters, ...args], { cwd: root, stdio: "inherit" });
    const report = existsSync(file) ? readReport(JSON.parse(readFileSync(file, "utf8"))) : nothing;
    // Something outside of the tests may fail too: an error that nobody caught, a pattern that no file matches.
    const outside = status !== 0 && report.failed === 0 ? 1 : 0;
    const { lines, failed } = summarise({ ...report, failed: report.failed + outside });
    // Once more, near the end: of a long output people often have the end alone.
    for (const name of report.names) process.stdout.write(`failed: ${name}\n`);
    for (const line of lines) process.stdout.write(`${line}\n`);
    return failed === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const nothing = { passed: 0, failed: 0, skipped: 0, reasons: [], names: [] };
