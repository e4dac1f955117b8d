import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { readOptions } from "../../local/read-options.ts";
import { bundlePrograms } from "./bundle.ts";
import { type ChaosHome, realHome, simulatedHome } from "./homes.ts";
import type { Numbers } from "./numbers.ts";
import { type Rig, startRig } from "./rig.ts";
import { type Outcome, runChaos } from "./run.ts";
import { type Fault, makeSchedule, TROUBLES } from "./schedule.ts";

const USAGE =
  "npm run chaos -- [--rounds 25] [--seed N] [--kills 40 (a round)] [--home simulated|real] [--version newest]";

const count = (max: number) => z.coerce.number().int().min(1).max(max);
const optionsSchema = z.object({
  rounds: count(100_000).default(25),
  seed: z.coerce.number().int().min(0).max(4_294_967_295).optional(),
  kills: count(1_000).optional(),
  home: z.enum(["simulated", "real"]).default("simulated"),
  version: z.enum(["2024", "current", "newest"]).default("newest"),
});

/** Changes a second: the home's own life, and the numbered ones. */
const LIFE_PER_SECOND = 40;
const NUMBERS_PER_SECOND = 60;

const SIMULATED = {
  killsPerRound: 40,
  pauseMs: [40, 600],
  weights: { relay: 64, functions: 14, queues: 10, home: 6, tables: 6 },
  troubles: TROUBLES,
} as const;
/** A real one takes seconds to start, and has no back door. */
const REAL = {
  killsPerRound: 5,
  pauseMs: [300, 2_500],
  weights: { relay: 50, functions: 15, queues: 15, home: 20 },
  troubles: TROUBLES.filter((trouble) => !trouble.startsWith("home-") || trouble.startsWith("home-line-")),
} as const;

const say = (line: string) => void process.stdout.write(`${line}\n`);

function countFaults(faults: readonly Fault[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const fault of faults) {
    const name = fault.kind === "kill" ? `kill ${fault.target}` : fault.trouble;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** The last line: names carry their unit. `lost` are those that nothing accounts for. */
function figures(outcome: Outcome, rig: Rig, more: { seed: number; faults: readonly Fault[]; seconds: number }) {
  const { verdict, ledgers, roundsDone } = outcome;
  return {
    chaos: "hearthline",
    seed: more.seed,
    rounds: roundsDone,
    kills: more.faults.filter(({ kind }) => kind === "kill").length,
    troubles: more.faults.filter(({ kind }) => kind === "trouble").length,
    events: verdict.made,
    same_key: verdict.sameKey.length,
    stored: verdict.stored,
    recovered: rig.tap.recovered(),
    lost: verdict.acknowledgedAndLost.length + verdict.unnamed.length,
    lost_acknowledged: verdict.acknowledgedAndLost.length,
    lost_unnamed: verdict.unnamed.length,
    lost_named: verdict.named.length,
    lost_named_though_recorded: outcome.lostThoughRecorded.length,
    duplicates: verdict.repeated.length,
    invented: verdict.invented.length,
    gap_records: rig.tap.gaps.length,
    loss_records: rig.tap.losses.length,
    ledgers_incomplete: ledgers.filter(({ completeUpTo }) => completeUpTo === undefined).length,
    relays: ledgers.length,
    dead_letters_sent_back: outcome.redriven,
    relay_kills_while_starting: rig.relay.counts.killsWhileStarting,
    relay_ended_by_itself: rig.relay.counts.ends,
    disk_full: rig.disk.isReal ? "real" : "left out: nothing can be mounted here",
    longest_recovery_seconds: Number(outcome.longestRecoverySeconds.toFixed(1)),
    seconds: Math.round(more.seconds),
  };
}

function showFailures({ verdict, lostThoughRecorded }: Outcome): void {
  const lists = {
    "acknowledged and lost": verdict.acknowledgedAndLost,
    "lost and not named": verdict.unnamed,
    duplicates: verdict.repeated,
    "never happened": verdict.invented,
    "lost and named, though the recorder had them": lostThoughRecorded,
  };
  for (const [what, names] of Object.entries(lists)) {
    if (names.length === 0) continue;
    say(`${what}: ${names.length}`);
    for (const name of names.slice(0, 10)) say(`  ${name}`);
  }
}

async function main(): Promise<void> {
  const startedMs = performance.now();
  const options = readOptions(optionsSchema, USAGE);
  const seed = options.seed ?? Math.floor(performance.timeOrigin) % 4_294_967_296;
  const plan = options.home === "real" ? REAL : SIMULATED;
  const killsPerRound = options.kills ?? plan.killsPerRound;
  const schedule = makeSchedule({ ...plan, killsPerRound, seed, rounds: options.rounds });
  const folder = mkdtempSync(join(tmpdir(), "hearthline-chaos-"));
  say(`seed ${seed}, ${options.rounds} rounds of ${killsPerRound} kills, evidence in ${folder}`);
  const programs = await bundlePrograms();
  let numbers: Numbers | undefined;
  const makeHome = (env: NodeJS.ProcessEnv, port: number): ChaosHome | Promise<ChaosHome> =>
    options.home === "real"
      ? realHome(options.version, () => numbers)
      : simulatedHome({
          program: programs.home,
          folder: join(folder, "home"),
          logFile: join(folder, "home.log"),
          ...{ port, seed, env },
          ratePerSecond: LIFE_PER_SECOND,
        });
  let rig: Rig | undefined;
  const stop = () => {
    const ended = rig?.end() ?? Promise.resolve();
    void ended.finally(() => {
      programs.remove();
      process.exit(130);
    });
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  try {
    rig = await startRig({ folder, programs, makeHome });
    const onNumbers = (made: Numbers) => {
      numbers = made;
    };
    const outcome = await runChaos({ rig, schedule, ratePerSecond: NUMBERS_PER_SECOND, onNumbers, say });
    const faults = schedule.slice(0, outcome.roundsDone).flat();
    const seconds = (performance.now() - startedMs) / 1000;
    const result = figures(outcome, rig, { seed, faults, seconds });
    const isGood =
      result.lost + result.duplicates + result.invented + result.ledgers_incomplete === 0 &&
      outcome.roundsDone === options.rounds;
    for (const [name, times] of Object.entries(countFaults(faults)).sort(([, a], [, b]) => b - a))
      say(`${String(times).padStart(6)}  ${name}`);
    showFailures(outcome);
    if (!isGood) {
      const { gaps, losses } = rig.tap;
      writeFileSync(join(folder, "verdict.json"), JSON.stringify({ ...outcome, gaps, losses, schedule }, null, 1));
      say(`the evidence is in ${folder}`);
    }
    say(JSON.stringify(result));
    process.exitCode = isGood ? 0 : 1;
  } finally {
    await rig?.end();
    programs.remove();
    if (process.exitCode === 0) rmSync(folder, { recursive: true, force: true });
  }
}

main().then(
  // What is still open (a connection to a part that was killed) holds nothing back.
  () => process.exit(),
  (thrown: unknown) => {
    process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
    process.exit(1);
  },
);
