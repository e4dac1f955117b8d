import { type Command, Option } from "commander";
import { CommandFailure } from "./outcome.ts";
import { table } from "./output.ts";
import { allPages } from "./pages.ts";
import { durationText } from "./progress.ts";
import type { Tools } from "./tools.ts";

export interface JobAnswer {
  readonly id: string;
  readonly kind: string;
  readonly date: string;
  readonly status: "queued" | "running" | "succeeded" | "degraded" | "failed";
  readonly phases: readonly {
    readonly name: string;
    readonly status: string;
    readonly duration_ms: number;
    readonly counts: Readonly<Record<string, number>>;
    readonly error?: string;
  }[];
  readonly queued_at: string;
  readonly started_at?: string;
  readonly finished_at?: string;
  readonly peak_rss_bytes?: number;
}

export const JOB_KIND_OPTION = () =>
  new Option("--kind <kind>", "which job").choices(["daily", "weekly", "monthly"]).default("daily");

/** `jobs list|show|run` */
export function addJobCommands(program: Command, tools: Tools): void {
  const jobs = program.command("jobs").description("the nightly jobs of the home");
  jobs
    .command("list")
    .description("by date: what each came to")
    .option("--limit <number>", "only so many, the newest", "30")
    .action(async ({ limit }: { limit: string }) => {
      const { api, output } = tools();
      const newest = Number(limit);
      if (!Number.isInteger(newest) || newest < 1)
        throw new CommandFailure(2, `--limit is "${limit}"; wanted is a whole number from 1.`);
      const all = await allPages<JobAnswer, "jobs">(api, "/api/v1/jobs", "jobs");
      const shown = all.slice(-newest);
      output.data({ jobs: shown }, () =>
        table(
          ["JOB", "STATUS", "TOOK", "PHASES"],
          shown.map((job) => [job.id, job.status, tookOf(job), job.phases.map(phaseWord).join(" ")]),
          "no job has run yet: the first comes in the night after the home was added, or by hearthline analyze",
        ),
      );
    });
  jobs
    .command("show")
    .description("one job, its phases, and what each counted")
    .argument("<id>", "as jobs list shows it")
    .action(async (id: string) => {
      const { api, output } = tools();
      const job = await api.get<JobAnswer>(`/api/v1/jobs/${encodeURIComponent(id)}`);
      output.data(job, () => jobText(job));
    });
  jobs
    .command("run")
    .description("has a job run once more, or for the first time, and does not wait for it")
    .addOption(JOB_KIND_OPTION())
    .requiredOption("--date <date>", "any local day of it, YYYY-MM-DD")
    .action(async ({ kind, date }: { kind: string; date: string }) => {
      const { api, output } = tools();
      const job = await api.post<JobAnswer>("/api/v1/jobs", { kind, date });
      output.data(job, () => `${job.id} is ${job.status}; hearthline jobs show ${job.id} says what comes of it`);
    });
}

const phaseWord = ({ name, status }: JobAnswer["phases"][number]): string =>
  status === "succeeded" ? name : `${name}:${status.toUpperCase()}`;

function tookOf({ started_at, finished_at }: JobAnswer): string {
  if (started_at === undefined || finished_at === undefined) return "-";
  return durationText(Date.parse(finished_at) - Date.parse(started_at));
}

/** A job for people: a line a phase, with its time and its counts, or its error. */
export function jobText(job: JobAnswer): string {
  const rows = job.phases.map(({ name, status, duration_ms, counts, error }) => [
    name,
    status,
    `${(duration_ms / 1000).toFixed(1)} s`,
    error ??
      Object.entries(counts)
        .map(([what, count]) => `${what.replaceAll("_", " ")} ${count.toLocaleString("en")}`)
        .join(", "),
  ]);
  const memory = job.peak_rss_bytes === undefined ? "" : `, ${Math.round(job.peak_rss_bytes / 1e6)} MB`;
  return `${job.id}: ${job.status} in ${tookOf(job)}${memory}\n${table(["PHASE", "STATUS", "TOOK", "DID"], rows, "no phase has run yet")}`;
}
