// `npm run bench -- NAME`: runs bench/NAME.bench.ts; without a name all, one after the other. The last line of each is one JSON object.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";

const folder = resolve(import.meta.dirname, "../bench");
const names = readdirSync(folder)
  .flatMap((file) => (file.endsWith(".bench.ts") ? [file.slice(0, -".bench.ts".length)] : []))
  .sort();
const [name, ...rest] = process.argv.slice(2);
if (name !== undefined && !names.includes(name)) {
  console.error(`There is no bench "${name}"; wanted is one of ${names.join(", ")}.`);
  process.exit(2);
}
let failed = 0;
for (const each of name === undefined ? names : [name]) {
  const { status } = spawnSync(process.execPath, [join(folder, `${each}.bench.ts`), ...rest], { stdio: "inherit" });
  if (status !== 0) failed = 1;
}
process.exit(failed);
