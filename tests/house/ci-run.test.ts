import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");

let folder: string;
const program = (file: string, text: string) => {
  writeFileSync(join(folder, file), text);
  chmodSync(join(folder, file), 0o755);
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-ci-"));
  for (const name of [".ci", "scripts", "bin"]) mkdirSync(join(folder, name));
  cpSync(join(root, ".ci/run"), join(folder, ".ci/run"));
  cpSync(join(root, "scripts/ensure-installed.mjs"), join(folder, "scripts/ensure-installed.mjs"));
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ packages: { "": {} } }));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Npm {
  readonly ci?: number;
  readonly install?: number;
  /** What each of both says, and its exit code. */
  readonly check?: readonly [string, number];
  readonly peers?: readonly [string, number];
  readonly chaos?: number;
}

/** Runs .ci/run with an npm that does nothing but what it is told; its last line, its exit code, and what npm was asked for. */
function ci({ ci: clean = 0, install = 0, check = ["5 passed, 0 failed", 0], peers = ["", 0], chaos = 0 }: Npm) {
  const says = ([text, code]: readonly [string, number]) => `printf '%s\\n' '${text}'; exit ${code}`;
  program(
    "bin/npm",
    `#!/bin/sh
echo "$*" >> "${folder}/asked"
case "$*" in
  ci*) exit ${clean} ;;
  install*) exit ${install} ;;
  *test:peers) ${says(peers)} ;;
  *check) ${says(check)} ;;
  *chaos*) exit ${chaos} ;;
esac
exit 9
`,
  );
  // Stands for the pinned Node, which is there once npm was.
  mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
  program("node_modules/.bin/node", "#!/bin/sh\n");
  const { npm_execpath: _, ...env } = process.env;
  const { status, stdout } = spawnSync("bash", [join(folder, ".ci/run")], {
    encoding: "utf8",
    env: { ...env, PATH: `${join(folder, "bin")}:${process.env.PATH}` },
  });
  const asked = spawnSync("cat", [join(folder, "asked")], { encoding: "utf8" }).stdout;
  const lines = stdout.trimEnd().split("\n");
  return { status, last: lines.at(-1), before: lines.at(-2), asked: asked.trimEnd().split("\n") };
}

it("counts all runs in its last line", () => {
  const { status, last, asked } = ci({ peers: ["3 passed, 0 failed, 2 skipped", 0] });
  expect([status, last]).toEqual([0, "9 passed, 0 failed, 2 skipped"]);
  expect(asked.map((args) => args.split(" ")[0])).toEqual(["ci", "run", "run", "run"]);
});

it("installs without the lock file's help when npm refuses that, and fails when this fails too", () => {
  const fallen = ci({ ci: 1 });
  expect([fallen.status, fallen.asked[1]?.startsWith("install --no-save")]).toEqual([0, true]);
  expect(ci({ ci: 1, install: 1 })).toMatchObject({ status: 1, last: "0 passed, 1 failed, 0 skipped" });
});

it("names what failed once more right before its last line", () => {
  const peers = ["7 passed, 0 failed, 0 skipped", 0] as const;
  expect(ci({ check: ["failed: the relay forgets\n4 passed, 1 failed", 1], peers }).before).toBe(
    "failed: the relay forgets",
  );
});

it.each([
  ["a failed test of the first run", { check: ["4 passed, 1 failed", 1] }, "5 passed, 1 failed, 0 skipped"],
  ["a failed peer", { peers: ["1 passed, 2 failed, 0 skipped", 1] }, "7 passed, 2 failed, 0 skipped"],
  ["a gate before the tests", { check: ["npm run check stopped", 1] }, "1 passed, 1 failed, 0 skipped"],
  ["peers that end without a word", { peers: ["", 1] }, "6 passed, 1 failed, 0 skipped"],
  ["an event that the chaos lost", { chaos: 1 }, "5 passed, 1 failed, 0 skipped"],
] as const)("fails for %s", (_what, npm, line) => {
  expect(ci(npm)).toMatchObject({ status: 1, last: line });
});
