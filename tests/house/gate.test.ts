import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");

let folder: string;
const plant = (file: string, text: string) => {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
};
const run = (command: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(join(root, "node_modules/.bin", command), args, {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, output: stdout + stderr };
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-gate-"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  for (const name of ["biome.json", "tsconfig.json", ".jscpd.json", ".gitignore", "knip.json"])
    cpSync(join(root, name), join(folder, name));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("format and lint", () => {
  const lint = () => run("biome", "ci", "--error-on-warnings", "--vcs-enabled=false", "lib");

  it("passes what is in order", () => {
    plant("lib/base/fine.ts", "export const fine = 1;\n");
    expect(lint()).toMatchObject({ status: 0 });
  });

  it.each([
    ["noExplicitAny", "lib/base/planted.ts", "export const f = (x: any): number => Number(x);\n"],
    ["noNonNullAssertion", "lib/base/planted.ts", "export const f = (x?: { a: number }): number => x!.a;\n"],
    ["noDefaultExport", "lib/base/planted.ts", "export default 1;\n"],
    ["useFilenamingConvention", "lib/base/plantedFile.ts", "export const a = 1;\n"],
    [
      "useImportType",
      "lib/base/planted.ts",
      'import { Clock } from "./clock.ts";\n\nexport const f = (c: Clock): number => c.nowMs();\n',
    ],
    ["useNodejsImportProtocol", "lib/base/planted.ts", 'import { join } from "path";\n\nexport const f = join;\n'],
    ["noConsole", "lib/base/planted.ts", 'console.log("a");\n'],
    ["noUnusedVariables", "lib/base/planted.ts", "const a = 1;\n\nexport const b = 2;\n"],
    ["format", "lib/base/planted.ts", "export const a   =  1\n"],
  ])("%s catches a planted violation", (rule, file, text) => {
    plant(file, text);
    const { status, output } = lint();
    expect(output).toContain(rule);
    expect(status).not.toBe(0);
  });
});

describe("types", () => {
  const types = () => run("tsc", "--noEmit", "-p", ".");

  it.each([
    ["noUncheckedIndexedAccess", "export const f = (x: number[]): number => x[0];\n", "TS2322"],
    ["exactOptionalPropertyTypes", "const o: { a?: number } = { a: undefined };\nexport const p = o;\n", "TS2375"],
    ["strict", "export const f = (x): number => x;\n", "TS7006"],
    ["erasableSyntaxOnly", "export enum E {\n  A,\n}\n", "TS1294"],
    [
      "verbatimModuleSyntax",
      'import { Clock } from "./clock.ts";\nexport const f = (c: Clock): number => c.nowMs();\n',
      "TS1484",
    ],
  ])("%s catches a planted violation", (_option, text, code) => {
    plant("lib/base/clock.ts", "export interface Clock {\n  nowMs(): number;\n}\n");
    plant("lib/base/planted.ts", text);
    const { status, output } = types();
    expect(output).toContain(code);
    expect(status).not.toBe(0);
  });
});

describe("types of the page's client", () => {
  it("catch a planted violation, which the others do not look at", () => {
    plant("package.json", JSON.stringify({ name: "planted", type: "module" }));
    plant("lib/web/app/planted.tsx", "export const Planted = () => <p hidden={1}>{document.nothing}</p>;\n");
    plant("lib/base/fine.ts", "export const fine = 1;\n");
    cpSync(join(root, "lib/web/app/tsconfig.json"), join(folder, "lib/web/app/tsconfig.json"));
    expect(run("tsc", "--noEmit", "-p", ".")).toMatchObject({ status: 0, output: "" });
    const { status, output } = run("tsc", "--noEmit", "-p", "lib/web/app");
    expect(output).toContain("TS2339");
    expect(status).not.toBe(0);
  });
});

describe("unused code", () => {
  const unused = () => run("knip", "--no-progress", "--no-gitignore");

  beforeEach(() => {
    plant("package.json", JSON.stringify({ name: "planted", type: "module", dependencies: { zod: "4.6.7" } }));
    plant(
      "functions/enrich.ts",
      'import { used } from "../lib/base/used.ts";\nimport * as z from "zod";\n\nexport const handler = () => z.string().parse(used);\n',
    );
    plant("lib/base/used.ts", 'export const used = "a";\n');
  });

  it("passes what is in order", () => {
    const { status, output } = unused();
    expect(output).not.toContain("Unused");
    expect(status).toBe(0);
  });

  it("catches a planted unused export", () => {
    plant("lib/base/used.ts", 'export const used = "a";\nexport const planted = "b";\n');
    const { status, output } = unused();
    expect(output).toMatch(/Unused exports[\s\S]*planted/);
    expect(status).not.toBe(0);
  });

  it("catches a planted unused file", () => {
    plant("lib/base/lonely.ts", "export const lonely = 1;\n");
    const { status, output } = unused();
    expect(output).toMatch(/Unused files[\s\S]*lib\/base\/lonely\.ts/);
    expect(status).not.toBe(0);
  });

  it("catches a planted unused dependency", () => {
    plant(
      "package.json",
      JSON.stringify({ name: "planted", type: "module", dependencies: { zod: "4.6.7", ws: "8.23.0" } }),
    );
    const { status, output } = unused();
    expect(output).toMatch(/Unused dependencies[\s\S]*ws/);
    expect(status).not.toBe(0);
  });
});

describe("copied code", () => {
  const copied = () => run("jscpd", "--config", ".jscpd.json");
  const block = (name: string) =>
    `export function ${name}(values: readonly number[]): number {\n  let sum = 0;\n  for (const value of values) {\n    if (value > 10) sum += value * 2;\n    else if (value < -10) sum -= value;\n    else sum += 1;\n  }\n  const mean = sum / Math.max(1, values.length);\n  const spread = values.map((value) => (value - mean) ** 2).reduce((a, b) => a + b, 0);\n  return Math.sqrt(spread) + mean;\n}\n`;

  it("catches a planted copy, and passes without it", () => {
    for (const each of ["functions", "local", "scripts", "bench"]) plant(`${each}/empty.ts`, "export {};\n");
    plant("lib/base/one.ts", block("one"));
    expect(copied()).toMatchObject({ status: 0 });
    plant("lib/base/two.ts", block("one"));
    expect(copied()).toMatchObject({ status: 1 });
  });
});
