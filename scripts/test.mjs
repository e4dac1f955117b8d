// npm test: every test that needs no outside server and does not take long (vitest.long.ts). Arguments go to vitest: `npm test -- tests/base`.
import { runVitest } from "./run-vitest.mjs";

process.exitCode = runVitest(process.argv.slice(2), (report) => {
  // A skipped test is a mistake here: nothing outside could be missing.
  const failed = report.failed + report.skipped;
  const skips = report.reasons.map((name) => `skipped, which no test may be: ${name}`);
  return { failed, lines: [...skips, `${report.passed} passed, ${failed} failed`] };
});
