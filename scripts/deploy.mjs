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
  if (!STORES.includes(store))
    throw new Refusal(
      `HEARTHLINE_STORE is "${store}", in which no two functions would find the same events; wanted is ${STORES.map((each) => `"${each}"`).join(", ")}.`,
    );
  if (stage === "local" && !URL.canParse(env.AWS_ENDPOINT_URL ?? ""))
    throw new Refusal(
      `--stage local deploys to a LocalStack, and AWS_ENDPOINT_URL is "${shown(env.AWS_ENDPOINT_URL ?? "")}"; wanted is its address, such as http://127.0.0.1:4566.`,
    );
  if (stage !== "local" && env.AWS_ENDPOINT_URL)
    throw new Refusal(
      `--stage ${stage} deploys to AWS, and AWS_ENDPOINT_URL is "${shown(env.AWS_ENDPOINT_URL)}"; wanted is --stage local, or no such setting.`,
    );
  CHECKS[store](stage, env);
}

/** What may hold a user or a password is never repeated. */
const shown = (address) => (address.includes("@") ? "(an address with a user or a password in it)" : address);

const STORES = ["sqlite", "parquet", "influxdb", "timestream"];
const CHECKS = { sqlite: checkSqlite, parquet: checkParquet, influxdb: checkInfluxdb, timestream: () => {} };

function checkSqlite(stage, env) {
  if (stage !== "local")
    throw new Refusal(
      `--stage ${stage} would run on AWS with the store "sqlite", which keeps its events in a file that Lambda does not have; nothing was deployed. Wanted is HEARTHLINE_STORE=parquet with HEARTHLINE_PARQUET_URL=s3://BUCKET/PREFIX, or "influxdb" or "timestream".`,
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

function checkParquet(stage, env) {
  const url = env.HEARTHLINE_PARQUET_URL ?? "";
  if (url.startsWith("s3://") || (stage === "local" && isAbsolute(url))) return;
  throw new Refusal(
    `The store is "parquet" and HEARTHLINE_PARQUET_URL is "${shown(url)}"; wanted is s3://BUCKET/PREFIX${stage === "local" ? ", or an absolute folder" : ""}.`,
  );
}

function checkInfluxdb(_stage, env) {
  if (!URL.canParse(env.HEARTHLINE_INFLUXDB_URL ?? ""))
    throw new Refusal(
      `The store is "influxdb" and HEARTHLINE_INFLUXDB_URL is "${shown(env.HEARTHLINE_INFLUXDB_URL ?? "")}"; wanted is an address that the functions reach.`,
    );
}

/** The framework itself would ask for minutes. @throws Refusal when no LocalStack answers there */
async function checkReached(endpoint) {
  const address = `${endpoint.replace(/\/+$/, "")}/_localstack/health`;
  const answer = await fetch(address, { signal: AbortSignal.timeout(REACHED_WITHIN_MS) }).catch((thrown) => {
    const why = thrown.cause?.code ?? shown(thrown.message);
    throw new Refusal(
      `AWS_ENDPOINT_URL is "${shown(endpoint)}", where nobody answers (${why}); wanted is a LocalStack that runs.`,
      3,
    );
  });
  if (!answer.ok)
    throw new Refusal(
      `AWS_ENDPOINT_URL is "${shown(endpoint)}", where something answers that is no LocalStack (${answer.status} for /_localstack/health).`,
      3,
    );
}

/** Passes on what the framework says, and gives it. @throws Refusal when it fails */
function runFramework(command, { stage, region }) {
  const framework = join(ROOT, "node_modules", "serverless", "bin", "serverless.js");
  const args = [framework, command, "--verbose", "--stage", stage, ...(region ? ["--region", region] : [])];
  return runNode(args, stage, `The deployment of stage "${stage}" failed; what the framework said is above.`);
}

/** Runs a program on the pinned Node and passes on what it says. @throws Refusal with the message when it fails */
function runNode(args, stage, message) {
  const pinned = join(ROOT, "node_modules", ".bin", "node");
  // An emulator wants credentials and looks at none.
  const any = stage === "local" ? { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" } : {};
  const child = spawn(existsSync(pinned) ? pinned : process.execPath, args, {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...any, ...process.env },
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    process.stdout.write(text);
    said += text;
  });
  return new Promise((done, fail) => {
    child.on("error", (error) => fail(new Refusal(`"${args[0]}" could not be started: ${error.message}`, 1)));
    child.on("close", (status) => (status === 0 ? done(said) : fail(new Refusal(message, 1))));
  });
}

const apiIdIn = (said) => /https?:\/\/(\w+)\.execute-api\./.exec(said)?.[1];
const addressIn = (said) => /https:\/\/\w+\.execute-api\.[\w.-]+/.exec(said)?.[0];

async function deploy() {
  const { help, ...options } = readArguments();
  if (help) return console.log(USAGE);
  checkSettings(options.stage, process.env);
  const isLocal = options.stage === "local";
  const endpoint = (process.env.AWS_ENDPOINT_URL ?? "").replace(/\/+$/, "");
  if (isLocal) await checkReached(endpoint);
  // Before the functions are there that use it; what is there already is kept.
  await runNode(
    [join(ROOT, "scripts", "set-up-store.ts")],
    options.stage,
    "The event store could not be set up; nothing else was changed. Why is said above.",
  );
  // Where nothing has changed the framework deploys nothing, and does not say the outputs either.
  let said = await runFramework("deploy", options);
  if (!apiIdIn(said)) said = await runFramework("info", options);
  const id = apiIdIn(said);
  if (!id) throw new Refusal("The stage was deployed, but its outputs name no API.", 1);
  // LocalStack answers for a REST API on its own address; the one in the outputs is a host name that nobody resolves.
  console.log(`API: ${isLocal ? `${endpoint}/_aws/execute-api/${id}/${options.stage}` : addressIn(said)}`);
}

await deploy().catch((thrown) => {
  if (!(thrown instanceof Refusal)) throw thrown;
  console.error(thrown.message);
  process.exitCode = thrown.status;
});
