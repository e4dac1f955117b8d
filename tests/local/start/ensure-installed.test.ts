import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeProblem, reasonToInstall } from "../../../scripts/ensure-installed.mjs";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-installed-"));
  mkdirSync(join(folder, "node_modules", ".bin"), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lock = (packages: object) =>
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ packages: { "": {}, ...packages } }));
const installed = (packages: object) =>
  writeFileSync(join(folder, "node_modules", ".package-lock.json"), JSON.stringify({ packages }));
const zod = (version: string) => ({ "node_modules/zod": { version } });

describe("reasonToInstall", () => {
  it("has none when all that the lock file names is there, packages of other systems left aside", () => {
    lock({
      ...zod("1.0.0"),
      "node_modules/for-windows": { version: "1.0.0", optional: true },
      "node_modules/link": { link: true },
    });
    installed(zod("1.0.0"));
    expect(reasonToInstall(folder)).toBeUndefined();
  });

  it("sees that nothing is installed, or that an installation was cut off", () => {
    lock(zod("1.0.0"));
    expect(reasonToInstall(folder)).toBe("nothing is installed");
  });

  it("sees that the lock file has changed since", () => {
    lock({ ...zod("1.1.0") });
    installed(zod("1.0.0"));
    expect(reasonToInstall(folder)).toBe("zod is 1.0.0, wanted is 1.1.0");
    lock({ ...zod("1.0.0"), "node_modules/@scope/more": { version: "2.0.0" } });
    expect(reasonToInstall(folder)).toBe("@scope/more is missing");
  });
});

describe("nodeProblem", () => {
  it("has none with the pinned Node, or with a system's own that is new enough", () => {
    expect(nodeProblem(folder, "24.0.0")).toBeUndefined();
    writeFileSync(join(folder, "node_modules", ".bin", "node"), "");
    expect(nodeProblem(folder, "20.20.0")).toBeUndefined();
  });

  it("says which Node is wanted where neither is there", () => {
    expect(nodeProblem(folder, "20.20.0")).toMatch(/runs on Node 24 or newer; this is Node 20\.20\.0/);
  });
});
