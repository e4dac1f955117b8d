import * as z from "zod";
import { askForJob, JOB_KINDS, type Job, type JobStore } from "../../analysis/index.ts";
import type { Clock } from "../../base/clock.ts";
import { isHearthlineError } from "../../base/errors.ts";
import type { HomeDirectory } from "../../devices/index.ts";
import type { Queue } from "../../ingest/index.ts";
import { jsonAnswer, NOT_MODIFIED, scopedProblems } from "../documented.ts";
import { byKey, jsonWithTag, pageOf } from "../listing.ts";
import { Problem } from "../problem.ts";
import { cursorParameter, idParameter, limitParameter, readQuery } from "../query.ts";
import { BODY_PROBLEMS, readBody } from "../read-body.ts";
import { json, type ScopedRoute } from "../route.ts";
import { jobPageShape, jobShape } from "../shapes.ts";

export interface JobParts {
  readonly jobs: Pick<JobStore, "get" | "list" | "create" | "requeue">;
  readonly homes: Pick<HomeDirectory, "get">;
  /** The queue of jobs. */
  readonly analysisQueue: Queue;
  /** Local time at which a home's day ends: `03:00`. */
  readonly analysisTime: string;
  readonly clock: Pick<Clock, "nowMs">;
}

/** The list reaches back over this many jobs: more than two years of nights. */
const HISTORY_MAX = 1_000;

const querySchema = z.strictObject({ limit: limitParameter, cursor: cursorParameter });

const bodySchema = z
  .strictObject({
    kind: z.enum(JOB_KINDS),
    date: z.iso.date().meta({ description: "Any local day of the day, week or month; it must have ended." }),
    home_id: z.string().max(64).optional().meta({ description: "The token's own home, if it is said at all." }),
  })
  .meta({ id: "JobRequest" });

export const jobRoutes = (parts: JobParts): ScopedRoute[] => [runRoute(parts), ...readRoutes(parts)];

const runRoute = (parts: JobParts): ScopedRoute => ({
  method: "POST",
  path: "/api/v1/jobs",
  scope: "write",
  operation: {
    operationId: "runJob",
    summary: "Runs the nightly job of a day, week or month that has ended",
    description:
      "One that is done runs once more; one that waits or runs does so once. A job done twice leaves the same.",
    tags: ["jobs"],
    requestBody: { required: true, content: { "application/json": { schema: bodySchema } } },
    responses: {
      "202": jsonAnswer("The job, which waits or runs", jobShape),
      ...scopedProblems(...BODY_PROBLEMS, "not_found"),
    },
  },
  async handle(request, { homeId }) {
    const { kind, date, home_id } = await readBody(request, bodySchema);
    const home = home_id === undefined || home_id === homeId ? await parts.homes.get(homeId) : undefined;
    if (!home) throw new Problem("not_found", `There is no home "${home_id ?? homeId}" that this token may speak for.`);
    try {
      const job = await askForJob(home, { kind, date }, { ...parts, queue: parts.analysisQueue });
      return json(toWireJob(job), 202, { location: `/api/v1/jobs/${job.id}` });
    } catch (thrown) {
      if (isHearthlineError(thrown) && thrown.code === "request_invalid")
        throw new Problem("request_invalid", thrown.message, { errors: [{ field: "date", detail: thrown.message }] });
      throw thrown;
    }
  },
});

const readRoutes = ({ jobs }: JobParts): ScopedRoute[] => [
  {
    method: "GET",
    path: "/api/v1/jobs",
    scope: "read",
    operation: {
      operationId: "listJobs",
      summary: "Jobs by date, the newest 1,000",
      tags: ["jobs"],
      requestParams: { query: querySchema },
      responses: {
        "200": jsonAnswer("A page of jobs", jobPageShape),
        ...NOT_MODIFIED,
        ...scopedProblems("request_invalid", "cursor_invalid", "cursor_of_another_query"),
      },
    },
    async handle(request, { homeId }) {
      const { limit, cursor } = readQuery(querySchema, request.query);
      const keyOf = (job: Job) => `${job.date}\n${job.kind}\n${job.id}`;
      const history = (await jobs.list(homeId, HISTORY_MAX)).toSorted(byKey(keyOf));
      const { items, next } = pageOf(history, keyOf, { limit, cursor, query: ["jobs", homeId], view: toWireJob });
      return jsonWithTag(request, { jobs: items, next });
    },
  },
  {
    method: "GET",
    path: "/api/v1/jobs/{id}",
    scope: "read",
    operation: {
      operationId: "getJob",
      summary: "One job with its phases",
      tags: ["jobs"],
      requestParams: { path: z.object({ id: idParameter }) },
      responses: { "200": jsonAnswer("The job", jobShape), ...NOT_MODIFIED, ...scopedProblems("not_found") },
    },
    async handle(request, { homeId }) {
      const id = request.param("id");
      const job = await jobs.get(homeId, id);
      if (!job) throw new Problem("not_found", `There is no job "${id}" in this home.`);
      return jsonWithTag(request, toWireJob(job));
    },
  },
];

const toWireJob = (job: Job) => ({
  id: job.id,
  home_id: job.homeId,
  kind: job.kind,
  date: job.date,
  status: job.status,
  phases: job.phases.map((phase) => ({
    name: phase.name,
    status: phase.status,
    started_at: phase.startedAt,
    duration_ms: phase.durationMs,
    counts: phase.counts,
    ...(phase.error !== undefined && { error: phase.error }),
  })),
  ...(job.peakRssBytes !== undefined && { peak_rss_bytes: job.peakRssBytes }),
  queued_at: job.queuedAt,
  ...(job.startedAt !== undefined && { started_at: job.startedAt }),
  ...(job.finishedAt !== undefined && { finished_at: job.finishedAt }),
});
