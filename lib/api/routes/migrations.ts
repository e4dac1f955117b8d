import * as z from "zod";
import { readJson } from "../body.ts";
import { jsonAnswer, NOT_MODIFIED, type Operation, scopedProblems, textAnswer } from "../documented.ts";
import { jsonWithTag, pageOf } from "../listing.ts";
import {
  auditPageShape,
  differencePageShape,
  metricsShape,
  migrationPageShape,
  migrationShape,
  reportShape,
  tuningShape,
} from "../migration-shapes.ts";
import type { Pages } from "../pages.ts";
import type { Migrations, WireDifference, WireMigrationChange } from "../ports.ts";
import { Problem } from "../problem.ts";
import { cursorParameter, idParameter, limitParameter, readQuery } from "../query.ts";
import { BODY_PROBLEMS } from "../read-body.ts";
import { type ApiRequest, json, type ScopedRoute } from "../route.ts";
import { changeRoutes, epochTag, migrationProblem } from "./migration-changes.ts";

export interface MigrationParts {
  readonly migrations: Migrations;
  readonly pages: Pick<Pages, "report">;
}

const TAGS = ["migrations"];
const pathParameters = { path: z.object({ id: idParameter }) };
const pageSchema = z.strictObject({ limit: limitParameter, cursor: cursorParameter });
const PAGE_PROBLEMS = ["request_invalid", "cursor_invalid", "cursor_of_another_query"] as const;

export const migrationRoutes = (parts: MigrationParts): ScopedRoute[] => [
  createRoute(parts),
  listRoute(parts),
  oneRoute(parts, "getMigration", {
    path: "",
    summary: "One migration: where it is, what it waits for, what its checks found",
    answer: jsonAnswer("The migration; its `ETag` is its epoch, which changing requests name", migrationShape),
    async read({ migrations }, homeId, id) {
      const found = await migrations.get(homeId, id);
      return found && json(found, 200, { etag: epochTag(found.epoch) });
    },
  }),
  oneRoute(parts, "getMigrationReport", {
    path: "/report",
    summary: "All of it: stages with their figures, differences, decisions with their evidence, checksummed",
    answer: jsonAnswer("The report", reportShape),
    async read({ migrations }, homeId, id) {
      const report = await migrations.report(homeId, id);
      return report && json(report);
    },
  }),
  oneRoute(parts, "getMigrationReportPage", {
    path: "/report.html",
    summary: "The report as one page that needs nothing else",
    answer: textAnswer("The page", "text/html", z.string()),
    async read({ migrations, pages }, homeId, id) {
      const report = await migrations.report(homeId, id);
      if (!report) return undefined;
      const { html, policy } = pages.report(report);
      const headers = { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" };
      return new Response(html, { headers: { ...headers, "content-security-policy": policy } });
    },
  }),
  oneRoute(parts, "getMigrationMetrics", {
    path: "/metrics",
    summary: "Lag of both sides, verdicts, and the times of the same reads over the last day",
    answer: jsonAnswer("The figures", metricsShape),
    async read({ migrations }, homeId, id) {
      const metrics = await migrations.metrics(homeId, id);
      return metrics && json(metrics);
    },
  }),
  oneRoute(parts, "getMigrationTuning", {
    path: "/tuning",
    summary: "What the figures propose to tune, what is being tried, and what was kept or rejected with its figures",
    answer: jsonAnswer("The proposals and trials", tuningShape),
    async read({ migrations }, homeId, id) {
      const tuning = await migrations.tuning(homeId, id);
      return tuning && json(tuning);
    },
  }),
  auditRoute(parts),
  differencesRoute(parts),
  ...changeRoutes(parts),
];

const createRoute = ({ migrations }: MigrationParts): ScopedRoute => ({
  method: "POST",
  path: "/api/v1/migrations",
  scope: "admin",
  operation: {
    operationId: "createMigration",
    summary: "Makes a migration of a plan; nothing moves before it is started",
    description: "The plan holds no secret: user, password and token of the old pipeline are settings.",
    tags: TAGS,
    requestBody: { required: true, content: { "application/json": { schema: migrations.planSchema } } },
    responses: {
      "201": jsonAnswer("The migration, prepared", migrationShape),
      ...scopedProblems(...BODY_PROBLEMS, "migration_plan_invalid", "migration_exists"),
    },
  },
  async handle(request, { homeId, tokenId, tokenName: actor = tokenId }) {
    const plan = await readJson(request);
    const made = await migrationProblem(() => migrations.create({ homeId, actor }, plan));
    if ("errors" in made) {
      const named = made.errors.map(({ field, detail }) => `${field || "plan"}: ${detail}`).join("; ");
      const { errors } = made;
      throw new Problem("migration_plan_invalid", `The plan cannot be used. ${named}`.slice(0, 2_000), { errors });
    }
    const { id, epoch } = made.migration;
    return json(made.migration, 201, { location: `/api/v1/migrations/${id}`, etag: epochTag(epoch) });
  },
});

const listRoute = ({ migrations }: MigrationParts): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/migrations",
  scope: "read",
  operation: {
    operationId: "listMigrations",
    summary: "Migrations of the home, the newest first, ended ones included",
    tags: TAGS,
    requestParams: { query: pageSchema },
    responses: {
      "200": jsonAnswer("A page of migrations", migrationPageShape),
      ...NOT_MODIFIED,
      ...scopedProblems(...PAGE_PROBLEMS),
    },
  },
  async handle(request, { homeId }) {
    const { limit, cursor } = readQuery(pageSchema, request.query);
    const all = await migrationProblem(() => migrations.list(homeId));
    const keyOf = ({ created_at, id }: (typeof all)[number]) => `${9_999_999_999_999 - Date.parse(created_at)}\n${id}`;
    const page = pageOf(all, keyOf, { limit, cursor, query: ["migrations", homeId], view: (one) => one });
    return jsonWithTag(request, { migrations: page.items, next: page.next });
  },
});

interface One {
  readonly path: string;
  readonly summary: string;
  readonly answer: NonNullable<Operation["responses"]>["200"];
  /** undefined: there is no such migration. */
  read(parts: MigrationParts, homeId: string, id: string): Promise<Response | undefined>;
}

const oneRoute = (parts: MigrationParts, operationId: string, { path, summary, answer, read }: One): ScopedRoute => ({
  method: "GET",
  path: `/api/v1/migrations/{id}${path}`,
  scope: "read",
  operation: {
    operationId,
    summary,
    tags: TAGS,
    requestParams: pathParameters,
    responses: { "200": answer, ...scopedProblems("not_found") },
  },
  async handle(request, { homeId }) {
    const id = request.param("id");
    const response = await migrationProblem(() => read(parts, homeId, id));
    if (!response) throw noMigration(id);
    return response;
  },
});

export const noMigration = (id: string): Problem =>
  new Problem("not_found", `There is no migration "${id.slice(0, 80)}" in this home.`);

const pagedOperation = (operationId: string, summary: string, answer: One["answer"]): Operation => ({
  operationId,
  summary,
  tags: TAGS,
  requestParams: { ...pathParameters, query: pageSchema },
  responses: { "200": answer, ...NOT_MODIFIED, ...scopedProblems(...PAGE_PROBLEMS, "not_found") },
});

/** A wrong query or cursor is wrong whatever the id is: both are looked at before it is said that there is no such migration. */
const pageQuery = (request: ApiRequest) => ({ ...readQuery(pageSchema, request.query), id: request.param("id") });

const auditRoute = ({ migrations }: MigrationParts): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/migrations/{id}/audit",
  scope: "read",
  operation: pagedOperation(
    "getMigrationAudit",
    "Every change of the migration with its evidence, in order",
    jsonAnswer("A page of changes", auditPageShape),
  ),
  async handle(request, { homeId }) {
    const { id, limit, cursor } = pageQuery(request);
    const changes = await migrationProblem(() => migrations.audit(homeId, id));
    const keyOf = ({ epoch }: WireMigrationChange) => String(epoch).padStart(12, "0");
    const query = ["migration-audit", homeId, id];
    const { items, next } = pageOf(changes ?? [], keyOf, { limit, cursor, query, view: (one) => one });
    if (!changes) throw noMigration(id);
    return jsonWithTag(request, { changes: items, next });
  },
});

const differencesRoute = ({ migrations }: MigrationParts): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/migrations/{id}/differences",
  scope: "read",
  operation: pagedOperation(
    "getMigrationDifferences",
    "Rows in which OLD and NEW differ, each looked at twice; the counts are of all, the first 10,000 are listed",
    jsonAnswer("A page of differences", differencePageShape),
  ),
  async handle(request, { homeId }) {
    const { id, limit, cursor } = pageQuery(request);
    const found = await migrationProblem(() => migrations.differences(homeId, id));
    const keyOf = (one: WireDifference) => `${one.at}\n${one.entity_id}\n${one.class}\n${one.field ?? ""}`;
    const query = ["migration-differences", homeId, id];
    const { items, next } = pageOf(found?.differences ?? [], keyOf, { limit, cursor, query, view: (one) => one });
    if (!found) throw noMigration(id);
    return jsonWithTag(request, { counts: found.counts, differences: items, next });
  },
});
