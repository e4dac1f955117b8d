import type { Command } from "commander";
import { addDays } from "../../lib/base/zone.ts";
import { type ApiClient, refusal } from "./api-client.ts";
import { JOB_KIND_OPTION, type JobAnswer, jobText } from "./jobs.ts";
import { CommandFailure, type ExitCode } from "./outcome.ts";
import { printable, table } from "./output.ts";
import { allPages } from "./pages.ts";
import { createProgressBar } from "./progress.ts";
import type { Tools } from "./tools.ts";

interface Flags {
  readonly kind: string;
  readonly date?: string;
  readonly from?: string;
  readonly to?: string;
}
interface PatternAnswer {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly title: string;
  readonly hits: number;
  readonly opportunities: number;
  readonly reliability: number;
  readonly automated: boolean;
}

const HELP = `
The nightly job of each day in order, as if its night were now. A day is named by the date on which it begins and runs from HEARTHLINE_ANALYSIS_TIME to the next, 03:00 to 03:00 local.
A day that was analysed before is analysed once more, which leaves the same as long as its raw events are kept. Ctrl-C stops waiting; what was asked for runs all the same.`;
/** A range holds no more: two years. */
const DAYS_MAX = 731;
const POLL_MS = 500;
/** A job that nobody begins for so long: there is nobody. */
const UNBEGUN_MS = 120_000;
/** For so long the server may be away in between. */
const AWAY_MS = 60_000;
const DATE = /^\d{4}-\d\d-\d\d$/;

/** `analyze`; `setCode`: what the command ends with. */
export function addAnalyzeCommand(program: Command, tools: Tools, setCode: (code: ExitCode) => void): void {
  program
    .command("analyze")
    .description("runs the nightly batch for a past day or for each day of a range, and prints its phases and patterns")
    .addOption(JOB_KIND_OPTION())
    .option("--date <date>", "one day, YYYY-MM-DD")
    .option("--from <date>", "the first day of a range")
    .option("--to <date>", "its last day, included")
    .addHelpText("after", HELP)
    .action(async (flags: Flags) => {
      const { api, output, clock, signal } = tools();
      const dates = datesOf(flags);
      const bar = output.draw && createProgressBar(output.draw, clock, "days");
      const jobs: JobAnswer[] = [];
      try {
        for (const [index, date] of dates.entries()) {
          // A week or month is named by its last day, and is run once.
          if (date <= (jobs.at(-1)?.date ?? "")) continue;
          if (signal.aborted) throw new CommandFailure(1, `Stopped before ${date}.`);
          bar?.show({ rows: index, fraction: index / dates.length, note: date });
          const asked = await api.post<JobAnswer>("/api/v1/jobs", { kind: flags.kind, date });
          jobs.push(await ended(asked, { api, clock, signal }));
        }
      } finally {
        bar?.end();
      }
      const patterns = await allPages<PatternAnswer, "patterns">(api, "/api/v1/patterns", "patterns");
      output.data({ jobs, patterns }, () => `${jobs.map(jobText).join("\n\n")}\n\n${patternsText(patterns)}`);
      if (jobs.some(({ status }) => status !== "succeeded")) setCode(1);
    });
}

function datesOf({ date, from, to }: Flags): string[] {
  for (const [name, value] of Object.entries({ date, from, to }))
    if (value !== undefined && !isDate(value))
      throw new CommandFailure(2, `--${name} is "${value}"; wanted is a date such as 2026-11-21.`);
  if (date !== undefined && from === undefined && to === undefined) return [date];
  if (date !== undefined || from === undefined || to === undefined)
    throw new CommandFailure(2, "Wanted is --date DATE, or --from DATE and --to DATE.");
  if (to < from) throw new CommandFailure(2, `--to "${to}" is before --from "${from}".`);
  const dates: string[] = [];
  for (let day = from; day <= to; day = addDays(day, 1)) {
    dates.push(day);
    if (dates.length > DAYS_MAX)
      throw new CommandFailure(
        2,
        `The range from ${from} to ${to} holds more than ${DAYS_MAX} days; ask for parts of it.`,
      );
  }
  return dates;
}

const isDate = (text: string): boolean =>
  DATE.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text);

/** The job when it is done. */
async function ended(
  asked: JobAnswer,
  { api, clock, signal }: Pick<ReturnType<Tools>, "clock" | "signal"> & { readonly api: ApiClient },
): Promise<JobAnswer> {
  let job = asked;
  const beganMs = clock.monotonicMs();
  let heardMs = beganMs;
  while (job.status === "queued" || job.status === "running") {
    if (job.status === "queued" && job.phases.length === 0 && clock.monotonicMs() - beganMs > UNBEGUN_MS)
      throw new CommandFailure(
        3,
        `The job ${job.id} waits and nobody begins it: does the function analyze run? It runs when it does.`,
      );
    await clock.sleep(POLL_MS, signal);
    if (signal.aborted) throw new CommandFailure(1, `Stopped waiting; the job ${job.id} goes on by itself.`);
    const isPatient = clock.monotonicMs() - heardMs <= AWAY_MS;
    const heard = isPatient ? await looked(job.id, api) : await api.get<JobAnswer>(pathOf(job.id));
    if (heard) [job, heardMs] = [heard, clock.monotonicMs()];
  }
  return job;
}

const pathOf = (id: string): string => `/api/v1/jobs/${encodeURIComponent(id)}`;

/** undefined: the server is away, or busy, for the moment; a night's range must not end by a restart. */
async function looked(id: string, api: ApiClient): Promise<JobAnswer | undefined> {
  try {
    const { status, body } = await api.ask<JobAnswer>("GET", pathOf(id));
    if (status === 429 || status >= 500) return undefined;
    if (status >= 300) throw refusal(`GET ${pathOf(id)}`, status, body);
    return body;
  } catch (thrown) {
    if (thrown instanceof CommandFailure && thrown.exitCode === 3) return undefined;
    throw thrown;
  }
}

function patternsText(patterns: readonly PatternAnswer[]): string {
  const shown = patterns
    .filter(({ status }) => status !== "ended")
    .sort((a, b) => b.reliability - a.reliability)
    .map(({ id, kind, title, hits, opportunities, reliability, automated }) => [
      id,
      kind,
      `${hits} of ${opportunities}`,
      reliability.toFixed(2),
      automated ? "automated" : "",
      printable(title),
    ]);
  return table(
    ["PATTERN", "KIND", "HITS", "RELIABILITY", "", "TITLE"],
    shown,
    "no pattern yet: most need two to four weeks",
  );
}
