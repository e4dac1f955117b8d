// `npm run build:relay [-- FOLDER]`: the relay as one file, `relay.mjs`, that Node 22 and 24 run without anything else; into the folder of the Home Assistant app
// unless told otherwise. Prints where it is and how large.
import { statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { build } from "esbuild";

const ROOT = resolve(import.meta.dirname, "..");
const APP = "deploy/home-assistant-app/hearthline-relay";

const folder = resolve(process.argv[2] ?? join(ROOT, APP));
const outfile = join(folder, "relay.mjs");
await build({
  absWorkingDir: ROOT,
  entryPoints: ["local/relay.ts"],
  outfile,
  bundle: true,
  platform: "node",
  target: "node22",
  format: "esm",
  minifySyntax: true,
  legalComments: "inline",
  // `ws` is CommonJS and asks for node's own modules by `require`; its two native helpers are optional, and not taken along.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module";\nconst require = __createRequire(import.meta.url);',
  },
  external: ["bufferutil", "utf-8-validate"],
  logLevel: "warning",
});
console.log(`${relative(process.cwd(), outfile)}: ${Math.ceil(statSync(outfile).size / 1024)} KiB`);
