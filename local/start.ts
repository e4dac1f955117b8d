import { join, resolve } from "node:path";
import { systemClock } from "../lib/base/clock.ts";
import { HearthlineError, isHearthlineError, messageOf } from "../lib/base/errors.ts";
import { systemRandom } from "../lib/base/random.ts";
import { setUpStore } from "../lib/wiring/store-setup.ts";
import { takeLock } from "./stack/embedded.ts";
import { readOptions } from "./start/options.ts";
import { parentGone } from "./start/parent.ts";
import { freePorts, portProblem } from "./start/ports.ts";
import { processStarted, readRun } from "./start/run-file.ts";
import { readSettings, type Settings } from "./start/settings.ts";
import { createStackRun, type StackRun } from "./start/stack-run.ts";

/** `npm start`: everything on this machine, until it is told to stop. */
async function main(): Promise<void> {
  const startedMs = systemClock.monotonicMs();
  const root = resolve(import.meta.dirname, "..");
  const settings = readSettings(readOptions(process.argv.slice(2)), process.env, root);
  const { options } = settings;
  const unlock = takeDataFolder(settings);
  const say = (line: string) => {
    if (!options.quiet) process.stdout.write(`${line}\n`);
  };
  const run = await createStackRun({
    settings,
    root,
    port: await usablePort(options.port),
    processStarted: processStarted(process.pid) ?? "",
    startedAt: new Date(systemClock.nowMs()).toISOString(),
    clock: systemClock,
    random: systemRandom,
    say,
    warn: (line) => void process.stderr.write(`${line}\n`),
  });
  const isToldToStop = stopOnSignal(run, unlock, say);
  try {
    await setUpStore(settings.config, settings.env);
    await run.start();
    if (isToldToStop()) return;
  } catch (thrown) {
    // A part that was ended while it came up did not fail.
    if (isToldToStop()) return;
    process.stderr.write(`${messageOf(thrown)}\n`);
    await run.stop();
    process.exit(1);
  }
  process.stdout.write(`ready in ${((systemClock.monotonicMs() - startedMs) / 1000).toFixed(1)} s: ${run.url}\n`);
  await run.past();
}

/** Only one stack at a time works on a data folder; the lock ends with this process, however that ends. */
function takeDataFolder({ dataFolder }: Settings): () => void {
  try {
    return takeLock(join(dataFolder, "start.lock"));
  } catch (thrown) {
    if (!/locked/.test(messageOf(thrown)))
      throw new HearthlineError(
        "data_folder_unusable",
        `The data folder "${dataFolder}" cannot be used: ${messageOf(thrown)}`,
      );
    const running = readRun(dataFolder);
    throw new HearthlineError(
      "already_running",
      `Hearthline runs already on the data folder "${dataFolder}"${running ? `: ${running.url} (process ${running.pid})` : ""}.`,
    );
  }
}

async function usablePort(port: number): Promise<number> {
  if (port === 0) return (await freePorts(1))[0] ?? 0;
  const problem = await portProblem(port);
  if (problem)
    throw new HearthlineError(
      "port_taken",
      `The port ${port} of 127.0.0.1 cannot be used: ${problem}. Wanted is a free one, see --port (0: any).`,
    );
  return port;
}

/** Signals within this time are one: a terminal or a supervisor sends it to the whole group, and a parent passes it on. */
const SAME_SIGNAL_MS = 500;

/** @returns whether a signal has come; the process ends by itself then */
function stopOnSignal(run: StackRun, unlock: () => void, say: (line: string) => void): () => boolean {
  let firstMs: number | undefined;
  const onSignal = () => {
    const nowMs = systemClock.monotonicMs();
    if (firstMs !== undefined) {
      if (nowMs - firstMs < SAME_SIGNAL_MS) return;
      run.kill();
      process.exit(130);
    }
    firstMs = nowMs;
    say("stopping: what is under way is finished first (once more: at once)");
    void run.stop().then(() => {
      unlock();
      say("stopped");
      process.exit(0);
    });
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  // Started by npm: `kill` of npm reaches its shell alone.
  if (process.env.npm_lifecycle_event)
    void parentGone({ parentId: () => process.ppid, clock: systemClock }).then(() => {
      if (firstMs === undefined) onSignal();
    });
  return () => firstMs !== undefined;
}

main().catch((thrown: unknown) => {
  process.stderr.write(`${messageOf(thrown)}\n`);
  process.exit(isHearthlineError(thrown) && thrown.code === "setting_invalid" ? 2 : 1);
});
