// `npm run deploy -- --stage NAME [--region R]`: packages and deploys; what cannot work is refused before anything is changed. Prints what the framework
// says, the stack's outputs among it, and last the API's address. Exit codes as those of `hearthline`: 1 failed, 2 wrong usage, 3 not reachable.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const USAGE = "usage: npm run deploy -- --stage NAME [--region REGION]";
const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const REACHED_WITHIN_MS = 5_000;

class Refusal extends Error {
  constructor(message, status = 2) {
    super(message);
    this.status = status;
  }
}

function readArguments() {
  try {
    const options = { stage: { type: "string" }, region: { type: "string" }, help: { type: "boolean", short: "h" } };
    return parseArgs({ options }).values;
  } catch (thrown) {
    throw new Refusal(`${thrown.message}\n${USAGE}`);
  }
}

/** @throws Refusal when this stage cannot be deployed with these settings */
function checkSettings(stage, env) {
  if (!stage || !/^[a-z][a-z0-9-]{0,19}$/.test(stage))
    throw new Refusal(
      `--stage is "${stage ?? ""}": wanted are 1 to 20 of a-z, 0-9 and -, a letter first, such as --stage local\n${USAGE}`,
    );
  if (stage === "dev")
    throw new Refusal(
      '--stage is "dev": that is the stack of `npm start`, on this machine; wanted is "local", a LocalStack.',
    );
  const store = env.HEARTHLINE_STORE || "sqlite";
  if (store !== "sqlite")
    throw new Refusal(
      `HEARTHLINE_STORE is "${store}", in which no two functions would find the same events; wanted is "sqlite", the only store of this version that they can share.`,
    );
  if (stage !== "local")
    throw new Refusal(
      `--stage ${stage} would run on AWS with the store "sqlite", which keeps its events in a file that Lambda does not have. This version has no other store, so nothing was deployed; --stage local deploys to a LocalStack.`,
    );
  if (!URL.canParse(env.AWS_ENDPOINT_URL ?? ""))
    throw new Refusal(
      `--stage local deploys to a LocalStack, and AWS_ENDPOINT_URL is "${env.AWS_ENDPOINT_URL ?? ""}"; wanted is its address, such as http://127.0.0.1:4566.`,
    );
  if (!isAbsolute(env.HEARTHLINE_SQLITE_PATH ?? ""))
    throw new Refusal(
      `--stage local keeps its events in a file that all functions share, and HEARTHLINE_SQLITE_PATH is "${env.HEARTHLINE_SQLITE_PATH ?? ""}"; wanted is an absolute path.`,
    );
  if (!existsSync(dirname(env.HEARTHLINE_SQLITE_PATH)))
    throw new Refusal(
      `HEARTHLINE_SQLITE_PATH is "${env.HEARTHLINE_SQLITE_PATH}", and there is no such folder; wanted is a file in a folder that exists.`,
    );
}

/** The framework itself would ask for minutes. @throws Refusal when no LocalStack answers there */
async function checkReached(endpoint) {
  const address = `${endpoint.replace(/\/+$/, "")}/_localstack/health`;
  const answer = await fetch(address, { signal: AbortSignal.timeout(REACHED_WITHIN_MS) }).catch((thrown) => {
    const why = thrown.cause?.code ?? thrown.message;
    throw new Refusal(
      `AWS_ENDPOINT_URL is "${endpoint}", where nobody answers (${why}); wanted is a LocalStack that runs.`,
      3,
    );
  });
  if (!answer.ok)
    throw new Refusal(
      `AWS_ENDPOINT_URL is "${endpoint}", where something answers that is no LocalStack (${answer.status} for /_localstack/health).`,
      3,
    );
}

/** Passes on what the framework says, and gives it. @throws Refusal when it fails */
function runFramework(command, { stage, region }) {
  const pinned = join(ROOT, "node_modules", ".bin", "node");
  const framework = join(ROOT, "node_modules", "serverless", "bin", "serverless.js");
  const args = [framework, command, "--verbose", "--stage", stage, ...(region ? ["--region", region] : [])];
  const child = spawn(existsSync(pinned) ? pinned : process.execPath, args, {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
    env: { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test", ...process.env },
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    process.stdout.write(text);
    said += text;
  });
  return new Promise((done, fail) => {
    child.on("error", (error) => fail(new Refusal(`The framework could not be started: ${error.message}`, 1)));
    child.on("close", (status) =>
      status === 0
        ? done(said)
        : fail(new Refusal(`The deployment of stage "${stage}" failed; what the framework said is above.`, 1)),
    );
  });
}

const apiIdIn = (said) => /https?:\/\/(\w+)\.execute-api\./.exec(said)?.[1];

async function deploy() {
  const { help, ...options } = readArguments();
  if (help) return console.log(USAGE);
  checkSettings(options.stage, process.env);
  const endpoint = process.env.AWS_ENDPOINT_URL.replace(/\/+$/, "");
  await checkReached(endpoint);
  // Where nothing has changed the framework deploys nothing, and does not say the outputs either.
  const id = apiIdIn(await runFramework("deploy", options)) ?? apiIdIn(await runFramework("info", options));
  if (!id) throw new Refusal("The stage was deployed, but its outputs name no API.", 1);
  // LocalStack answers for a REST API on its own address; the one in the outputs is a host name that nobody resolves.
  console.log(`API: ${endpoint}/_aws/execute-api/${id}/${options.stage}`);
}

await deploy().catch((thrown) => {
  if (!(thrown instanceof Refusal)) throw thrown;
  console.error(thrown.message);
  process.exitCode = thrown.status;
});
