import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { PATTERN_KINDS, type PatternKind } from "../lib/analysis/patterns/types.ts";
import { loadDetectors } from "./detectors.ts";
import { jobsOf } from "./job.ts";
import { runAll } from "./pool.ts";
import { printReport, progressBar } from "./report.ts";
import { goalsOf, summarize } from "./summary.ts";

const DEFAULT_SEEDS = 12;
const TRAINING_FROM = 1;
const HELD_OUT_FROM = 101;

const HELP = `npm run quality -- [options]

  --kind A,B     only these detectors, and the homes that have something of them planted, plus those in which nothing is to be found
  --recipe A,B   only these homes (local/home/scenario/recipes.ts says what is planted in each)
  --seeds N      seeds ${HELD_OUT_FROM} and following, for reporting; with --train 1 and following, for choosing (${DEFAULT_SEEDS})
  --train        the seeds on which thresholds are chosen
  --days N       another length of the homes of up to 60 days
  --workers N    processes at once (all cores)
  --verbose      every miss, every false finding and what is told long after its end, by name

The last line is one JSON object: figures and goals.
`;

const { values } = parseArgs({
  options: {
    kind: { type: "string" },
    seeds: { type: "string" },
    days: { type: "string" },
    recipe: { type: "string" },
    workers: { type: "string" },
    train: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const wanted = values.kind?.split(",") ?? PATTERN_KINDS;
const unknown = wanted.filter((kind) => !PATTERN_KINDS.some((one) => one === kind));
if (unknown.length > 0) {
  process.stderr.write(`There is no kind "${unknown[0]}"; wanted is one of ${PATTERN_KINDS.join(", ")}.\n`);
  process.exit(2);
}
const detectors = await loadDetectors(wanted as PatternKind[]);
const kinds = detectors.map(({ kind }) => kind);
const count = Number(values.seeds ?? DEFAULT_SEEDS);
const first = values.train ? TRAINING_FROM : HELD_OUT_FROM;
const seeds = Array.from({ length: count }, (_, index) => first + index);
const jobs = jobsOf({
  kinds,
  isEveryKind: values.kind === undefined,
  seeds,
  ...(values.days !== undefined && { days: Number(values.days) }),
  ...(values.recipe !== undefined && { recipes: values.recipe.split(",") }),
});
const bar = progressBar(jobs.length);
const started = performance.now();
const { results, errors } = await runAll(jobs, {
  kinds,
  workers: Number(values.workers ?? availableParallelism()),
  onDone: (job) => bar.step(`${job.recipe} ${job.seed}`),
});
bar.end();
const seconds = Math.round((performance.now() - started) / 100) / 10;
const figures = { seeds: `${first}-${first + count - 1}`, seconds, ...summarize(results, kinds) };
const goals = goalsOf(figures);
printReport({ results, errors, figures, goals, isVerbose: values.verbose });
process.stdout.write(`${JSON.stringify({ quality: figures, goals })}\n`);
if (errors.length > 0) process.exitCode = 1;
