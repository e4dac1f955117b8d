import { readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type BuildContext, context } from "esbuild";
import type { Parts } from "./world.ts";

const LIB = join(import.meta.dirname, "../../../lib");

/** A place of the real code, as it stands, and what stands there in the variant. */
export interface Change {
  /** A folder of lib, or a file. */
  readonly under: string;
  readonly from: string;
  readonly to: string;
}

const sources = new Map<string, readonly { readonly path: string; readonly text: string }[]>();

function sourcesUnder(under: string) {
  const known = sources.get(under);
  if (known) return known;
  const path = join(LIB, under);
  const paths = statSync(path).isFile()
    ? [path]
    : readdirSync(path, { recursive: true }).map((name) => join(path, String(name)));
  const found = paths
    .filter((each) => each.endsWith(".ts"))
    .map((each) => ({ path: each, text: readFileSync(each, "utf8") }));
  sources.set(under, found);
  return found;
}

/** The file in which it stands. @throws when it does not stand there exactly once: the code has moved on, and so must the variant */
function fileOf({ under, from }: Change): string {
  const files = sourcesUnder(under).filter(({ text }) => text.includes(from));
  const [file] = files;
  if (!file || files.length > 1 || file.text.split(from).length > 2)
    throw new Error(
      `lib/${under} has "${from}" in ${files.map(({ path }) => path).join(" and ") || "no file"}; wanted is once.`,
    );
  return file.path;
}

/** Bundles the real code with some places changed; nothing of it stays behind in any other test. */
export class Variants {
  #context: BuildContext | undefined;
  #changes: readonly (Change & { readonly path: string })[] = [];

  async build(changes: readonly Change[]): Promise<Parts> {
    this.#changes = changes.map((change) => ({ ...change, path: fileOf(change) }));
    this.#context ??= await context({
      entryPoints: [join(import.meta.dirname, "parts.ts")],
      ...{ bundle: true, write: false, format: "cjs", platform: "node", target: "node24", logLevel: "silent" },
      external: ["zod", "aws4fetch", "@aws-sdk/*"],
      plugins: [
        {
          name: "variant",
          setup: (build) => {
            build.onLoad({ filter: /\/lib\/.*\.ts$/ }, ({ path }) => {
              const own = this.#changes.filter((change) => change.path === path);
              if (own.length === 0) return undefined;
              const text = readFileSync(path, "utf8");
              return { loader: "ts", contents: own.reduce((now, { from, to }) => now.replace(from, () => to), text) };
            });
          },
        },
      ],
    });
    const { outputFiles = [] } = await this.#context.rebuild();
    const module = { exports: {} };
    const run = new Function("module", "exports", "require", outputFiles[0]?.text ?? "");
    run(module, module.exports, createRequire(import.meta.url));
    return module.exports as Parts;
  }

  async close(): Promise<void> {
    await this.#context?.dispose();
  }
}
