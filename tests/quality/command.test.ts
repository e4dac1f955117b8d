import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const script = join(import.meta.dirname, "../../scripts/quality.mjs");
const run = (...args: string[]) => spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });

describe("npm run quality", () => {
  it("ends with one JSON object of figures and goals; draws no bar where there is no terminal", () => {
    const { stdout, stderr, status } = run(
      "--kind",
      "time-of-day",
      "--recipe",
      "null-poisson",
      "--seeds",
      "1",
      "--days",
      "4",
      "--train",
    );
    expect(status).toBe(0);
    expect(stderr).not.toContain("[");
    const last = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
    expect(last.quality).toMatchObject({ seeds: "1-1", homes: 1, days: 4 });
    expect(Object.keys(last.goals)).toContain("F1 time-of-day");
  });

  it("says which kinds there are", () => {
    const { stderr, status } = run("--kind", "moods");
    expect(status).toBe(2);
    expect(stderr).toContain('There is no kind "moods"');
  });

  it("says what it takes", () => {
    const { stdout, status } = run("--help");
    expect(status).toBe(0);
    expect(stdout).toContain("--train");
  });
});
