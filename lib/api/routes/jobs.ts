import * as z from "zod";
import type { Job, JobStore } from "../../analysis/index.ts";
import { jsonAnswer, NOT_MODIFIED, scopedProblems } from "../documented.ts";
import { byKey, jsonWithTag, pageOf } from "../listing.ts";
import { Problem } from "../problem.ts";
import { cursorParameter, idParameter, limitParameter, readQuery } from "../query.ts";
import type { ScopedRoute } from "../route.ts";
import { jobPageShape, jobShape } from "../shapes.ts";

export interface JobParts {
  readonly jobs: Pick<JobStore, "get" | "list">;
}

/** The list reaches back over this many jobs: more than two years of nights. */
const HISTORY_MAX = 1_000;

const querySchema = z.strictObject({ limit: limitParameter, cursor: cursorParameter });

export const jobRoutes = ({ jobs }: JobParts): ScopedRoute[] => [
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
