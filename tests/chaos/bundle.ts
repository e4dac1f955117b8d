import { mkdtempSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build } from "esbuild";

const root = resolve(import.meta.dirname, "../..");

export interface Programs {
  /** The file of each program. */
  readonly relay: string;
  readonly home: string;
  readonly embedded: string;
  readonly functions: string;
  remove(): void;
}

/** Each program as one file, so that a thousand starts cost little. Below node_modules, because what is not bundled is found from there. */
export async function bundlePrograms(): Promise<Programs> {
  const cache = join(root, "node_modules", ".cache");
  await mkdir(cache, { recursive: true });
  const outdir = mkdtempSync(join(cache, "hearthline-chaos-"));
  await build({
    absWorkingDir: root,
    entryPoints: {
      relay: "local/relay.ts",
      home: "local/home/main.ts",
      embedded: "local/start/part-main.ts",
      functions: "tests/chaos/functions-process.ts",
    },
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    outExtension: { ".js": ".mjs" },
    outdir,
    external: ["fauxqs", "dynalite", "bufferutil", "utf-8-validate"],
    // Packages in CommonJS ask for node's own modules by require.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    logLevel: "warning",
  });
  const file = (name: string) => join(outdir, `${name}.mjs`);
  return {
    relay: file("relay"),
    home: file("home"),
    embedded: file("embedded"),
    functions: file("functions"),
    remove: () => rmSync(outdir, { recursive: true, force: true }),
  };
}
