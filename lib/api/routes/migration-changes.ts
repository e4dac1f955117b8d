import * as z from "zod";
import { isHearthlineError } from "../../base/errors.ts";
import { jsonAnswer, scopedProblems } from "../documented.ts";
import {
  forceRequestShape,
  readersRequestShape,
  reasonRequestShape,
  rollbackRequestShape,
} from "../migration-requests.ts";
import { migrationShape } from "../migration-shapes.ts";
import type { MigrationAsk, Migrations } from "../ports.ts";
import { Problem } from "../problem.ts";
import { idParameter } from "../query.ts";
import { BODY_PROBLEMS, readBody } from "../read-body.ts";
import { type ApiRequest, json, type ScopedRoute } from "../route.ts";

/** What people do to a migration: each names the epoch that it saw, so that two of them never act on one view. */

export const epochTag = (epoch: number): string => `"${epoch}"`;

const EPOCH_TAG = /^(?:W\/)?"(\d{1,15})"$|^(\d{1,15})$/;

/**
 * The epoch of `If-Match`. A weak tag is taken too: gateways make tags weak when they compress.
 * @throws Problem `epoch_missing`, `request_invalid`
 */
function epochOf(request: ApiRequest): number {
  const header = request.header("if-match");
  if (header === undefined || header.trim() === "")
    throw new Problem(
      "epoch_missing",
      'A change names the epoch that its caller saw, so that two people never change one view: send "If-Match" with the ETag of GET /api/v1/migrations/{id}, such as "3".',
    );
  const digits = EPOCH_TAG.exec(header.trim());
  const epoch = digits?.[1] ?? digits?.[2];
  if (epoch !== undefined) return Number(epoch);
  const detail = `"If-Match" is "${header.slice(0, 80)}"; wanted is one epoch in quotes, such as "3".`;
  throw new Problem("request_invalid", detail, { errors: [{ field: "if-match", detail }] });
}

const CODES = ["migration_exists", "migration_state_wrong", "migration_refused", "migration_stale"] as const;

/** What the control plane refuses, as a problem. */
export async function migrationProblem<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!isHearthlineError(thrown)) throw thrown;
    const code = CODES.find((one) => one === thrown.code);
    if (code) throw new Problem(code, thrown.message);
    if (thrown.code === "not_found") throw new Problem("not_found", thrown.message);
    // Written by another version: nothing is wrong with the request, and nothing is done with the row.
    if (thrown.code === "store_incompatible") throw new Problem("service_unavailable", thrown.message);
    throw thrown;
  }
}

interface ChangeParts {
  readonly migrations: Pick<Migrations, "change">;
}

interface Change<S extends z.ZodType> {
  readonly name: string;
  readonly operationId: string;
  readonly summary: string;
  readonly schema: S;
  ask(body: z.output<S>): MigrationAsk;
}

const changeRoute = <S extends z.ZodType>({ migrations }: ChangeParts, change: Change<S>): ScopedRoute => ({
  method: "POST",
  path: `/api/v1/migrations/{id}/${change.name}`,
  scope: "admin",
  operation: {
    operationId: change.operationId,
    summary: change.summary,
    tags: ["migrations"],
    requestParams: {
      path: z.object({ id: idParameter }),
      header: z.object({
        "if-match": z
          .string()
          .regex(EPOCH_TAG)
          .meta({ description: "The epoch that the caller saw: the `ETag` of the migration." }),
      }),
    },
    requestBody: { required: false, content: { "application/json": { schema: change.schema } } },
    responses: {
      "200": jsonAnswer("The migration as it is now", migrationShape),
      ...scopedProblems(
        ...BODY_PROBLEMS,
        "not_found",
        "epoch_missing",
        "migration_stale",
        "migration_state_wrong",
        "migration_refused",
      ),
    },
  },
  async handle(request, { homeId, tokenId, tokenName: actor = tokenId }) {
    const id = request.param("id");
    const epoch = epochOf(request);
    const ask = change.ask(await bodyOf(request, change.schema));
    const migration = await migrationProblem(() => migrations.change({ homeId, id, actor, epoch }, ask));
    if (!migration) throw new Problem("not_found", `There is no migration "${id.slice(0, 80)}" in this home.`);
    return json(migration, 200, { etag: epochTag(migration.epoch) });
  },
});

/** No body is an empty one: most changes need none. */
async function bodyOf<S extends z.ZodType>(request: ApiRequest, schema: S): Promise<z.output<S>> {
  const bytes = await request.bytes();
  const isEmpty = bytes.byteLength === 0;
  const header = (name: string) => (isEmpty && name === "content-type" ? "application/json" : request.header(name));
  return readBody(
    { ...request, header, bytes: async () => (isEmpty ? new TextEncoder().encode("{}") : bytes) },
    schema,
  );
}

export const changeRoutes = (parts: ChangeParts): ScopedRoute[] => [
  changeRoute(parts, {
    name: "start",
    operationId: "startMigration",
    summary: "Begins: from now on the steps look at both sides and go on when every check passes",
    schema: reasonRequestShape,
    ask: (body) => ({ what: "start", ...body }),
  }),
  changeRoute(parts, {
    name: "pause",
    operationId: "pauseMigration",
    summary: "Holds it where it is; who answers reads stays as it is",
    schema: reasonRequestShape,
    ask: (body) => ({ what: "pause", ...body }),
  }),
  changeRoute(parts, {
    name: "resume",
    operationId: "resumeMigration",
    summary: "Goes on where it was held",
    schema: reasonRequestShape,
    ask: (body) => ({ what: "resume", ...body }),
  }),
  changeRoute(parts, {
    name: "advance",
    operationId: "advanceMigration",
    summary:
      "Goes on by hand: opens the gate it waits at, or, by force and with a reason, passes a verdict that says no",
    schema: forceRequestShape,
    ask: (body) => ({ what: "advance", ...body }),
  }),
  changeRoute(parts, {
    name: "rollback",
    operationId: "rollBackMigration",
    summary: "Takes it back, at once or stage by stage; OLD is handed what only NEW got, and is checked",
    schema: rollbackRequestShape,
    ask: (body) => ({ what: "rollback", ...body }),
  }),
  changeRoute(parts, {
    name: "abort",
    operationId: "abortMigration",
    summary: "Ends it where it is: OLD answers, nothing is handed over or checked",
    schema: forceRequestShape,
    ask: (body) => ({ what: "abort", ...body }),
  }),
  changeRoute(parts, {
    name: "readers",
    operationId: "moveMigrationReader",
    summary: "Moves one reader, by the name of its token, to OLD or NEW, or back to what the stage says",
    schema: readersRequestShape,
    ask: (body) => ({ what: "reader", ...body }),
  }),
];
