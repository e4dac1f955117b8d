import * as z from "zod";
import { jsonAnswer, type Operation, problemAnswers, textAnswer } from "../documented.ts";
import type { GatherHealth } from "../health.ts";
import { healthShape, readyShape } from "../health-shapes.ts";
import { OPENMETRICS_TYPE, openMetrics } from "../metrics.ts";
import type { Migrations } from "../ports.ts";
import { Problem } from "../problem.ts";
import { json, type OpenRoute } from "../route.ts";

/** What operators and their machines ask: at the root, where probes look, and beside the other routes. */
export function healthRoutes({ health: gather, migrations }: HealthParts): OpenRoute[] {
  return ["", "/api/v1"].flatMap((prefix) => [
    healthRoute(prefix, gather),
    readyRoute(prefix, gather),
    metricsRoute(prefix, gather, migrations),
  ]);
}

export interface HealthParts {
  readonly health: GatherHealth;
  readonly migrations: Pick<Migrations, "list" | "metrics">;
}

const operation = (prefix: string, name: string, rest: Omit<Operation, "operationId" | "tags">): Operation => ({
  operationId: prefix === "" ? `${name}AtRoot` : name,
  tags: ["operation"],
  ...rest,
});

const healthRoute = (prefix: string, gather: GatherHealth): OpenRoute => ({
  method: "GET",
  path: `${prefix}/health`,
  scope: "none",
  operation: operation(prefix, "getHealth", {
    summary: "How the whole is; with a token also every part, since when, and the ledger",
    responses: {
      "200": jsonAnswer("ok or degraded", healthShape),
      "503": jsonAnswer("down: a store, table or queue does not answer", healthShape),
      ...problemAnswers(),
    },
  }),
  async handle(_request, caller) {
    const health = await gather(caller?.homeId);
    const status = health.status === "down" ? 503 : 200;
    return json(caller ? health : { status: health.status }, status, status === 503 ? { "retry-after": "5" } : {});
  },
});

const readyRoute = (prefix: string, gather: GatherHealth): OpenRoute => ({
  method: "GET",
  path: `${prefix}/ready`,
  scope: "none",
  operation: operation(prefix, "getReady", {
    summary: "Whether requests can be answered",
    responses: { "200": jsonAnswer("Yes", readyShape), ...problemAnswers("not_ready") },
  }),
  async handle() {
    const { status } = await gather();
    if (status === "down") throw new Problem("not_ready", "A store, table or queue does not answer.");
    return json({ status: "ready" });
  },
});

const metricsRoute = (prefix: string, gather: GatherHealth, migrations: HealthParts["migrations"]): OpenRoute => ({
  method: "GET",
  path: `${prefix}/metrics`,
  scope: "none",
  operation: operation(prefix, "getMetrics", {
    summary: "The health as OpenMetrics; with a token also every part, queue, relay, ledger, and the newest migration",
    responses: { "200": textAnswer("OpenMetrics 1.0", OPENMETRICS_TYPE, z.string()), ...problemAnswers() },
  }),
  async handle(_request, caller) {
    const health = await gather(caller?.homeId);
    const migration = caller && (await newestMigration(migrations, caller.homeId));
    return new Response(openMetrics(health, { details: caller !== undefined, migration }), {
      headers: { "content-type": OPENMETRICS_TYPE, "cache-control": "no-store" },
    });
  },
});

/** undefined: there is none, or the table does not answer, which the health says. */
async function newestMigration(migrations: HealthParts["migrations"], homeId: string) {
  try {
    const [newest] = await migrations.list(homeId);
    return newest && (await migrations.metrics(homeId, newest.id));
  } catch {
    return undefined;
  }
}
