// Runs before the npm scripts, on any Node from 20 on and with nothing installed: so it uses Node alone.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const WANTED_MAJOR = 24;

/** What makes an installation necessary, in a few words; undefined when all that the lock file names is there. */
export function reasonToInstall(root) {
  const lock = readJson(join(root, "package-lock.json"));
  if (!lock) return "there is no package-lock.json";
  // npm writes this file last: without it an installation was cut off.
  const installed = readJson(join(root, "node_modules", ".package-lock.json"));
  if (!installed) return "nothing is installed";
  for (const [path, wanted] of Object.entries(lock.packages)) {
    if (path === "" || wanted.link) continue;
    const found = installed.packages[path];
    // An optional package for another system is rightly not there.
    if (!found && (wanted.optional || wanted.devOptional || wanted.peer)) continue;
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    if (!found) return `${name} is missing`;
    if (found.version !== wanted.version) return `${name} is ${found.version}, wanted is ${wanted.version}`;
  }
  return undefined;
}

/** Which Node the npm scripts will find, and why that does not do; undefined when it does. */
export function nodeProblem(root, version = process.versions.node) {
  if (existsSync(join(root, "node_modules", ".bin", "node"))) return undefined;
  if (Number(version.split(".")[0]) >= WANTED_MAJOR) return undefined;
  return `Hearthline runs on Node ${WANTED_MAJOR} or newer; this is Node ${version}, and for ${process.platform} on ${process.arch} npm has no build that could be installed along. Install Node ${WANTED_MAJOR} from https://nodejs.org and try again.`;
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function npm(root, args, isSilent) {
  const program = process.env.npm_execpath;
  const all = [...args, "--no-audit", "--no-fund", "--loglevel=error"];
  // Progress belongs to standard error: the scripts' last line of standard output is theirs.
  const options = { cwd: root, stdio: ["ignore", isSilent ? "ignore" : 2, isSilent ? "ignore" : 2] };
  return program?.endsWith("js")
    ? spawnSync(process.execPath, [program, ...all], options).status
    : spawnSync("npm", all, { ...options, shell: process.platform === "win32" }).status;
}

function install(root, reason) {
  process.stderr.write(`installing the packages (${reason}); this takes up to a minute\n`);
  // npm ci refuses a lock file that does not know every optional package of every other system, such as one that was written behind a registry
  // that does not have them. Without saving, npm install takes exactly the same versions, checks them likewise, and leaves the lock file as it is.
  if (npm(root, ["ci"], true) === 0) return 0;
  return npm(root, ["install", "--no-save"], false) ?? 1;
}

export function ensureInstalled(root) {
  const reason = reasonToInstall(root);
  const status = reason ? install(root, reason) : 0;
  if (status !== 0) {
    process.stderr.write(
      `The packages could not be installed: npm ended with code ${status}. The lines above say why; without a network nothing can be installed.\n`,
    );
    return status;
  }
  const problem = nodeProblem(root);
  if (problem) process.stderr.write(`${problem}\n`);
  return problem ? 1 : 0;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  process.exitCode = ensureInstalled(resolve(dirname(fileURLToPath(import.meta.url)), ".."));
