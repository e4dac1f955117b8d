// `npm run quality`: how well the detectors find what is planted into simulated homes, and how often they find what is not there. Options: quality/main.ts.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

const main = resolve(import.meta.dirname, "../quality/main.ts");
process.exit(spawnSync(process.execPath, [main, ...process.argv.slice(2)], { stdio: "inherit" }).status ?? 1);
