import type { IncomingMessage, ServerResponse } from "node:http";
import * as z from "zod";
import { type FaultHooks, faultSchema, makeFault } from "../live/faults.ts";
import type { HomeCore } from "../live/home-core.ts";
import { dateOfDay } from "../people/zone.ts";
import { ROUTINES } from "../routines.ts";
import { answer, bodyOf, parseObject } from "./rest.ts";

/** Names under which the loopback is asked for: anything else is a page somewhere else that points its name here. */
const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/** The home's back door, for tests and demonstrations: `/_sim/state`, `/_sim/events`, `/_sim/faults`, `/_sim/routines`. Loopback only, no token. */
export async function serveSim(
  core: HomeCore,
  request: IncomingMessage,
  { response, hooks }: { readonly response: ServerResponse; readonly hooks: FaultHooks & { connections(): number } },
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://home");
  const route = `${request.method} ${url.pathname}`;
  if (!LOOPBACK.test(request.headers.host ?? "")) return answer(response, 403, '{"message":"Only for this machine."}');
  if (route === "GET /_sim/state") return answer(response, 200, JSON.stringify(simState(core, hooks.connections())));
  if (route === "GET /_sim/routines") return answer(response, 200, JSON.stringify(truth(core, url.searchParams)));
  if (route === "GET /_sim/events") return sendEvents(core, url.searchParams, response);
  if (route === "POST /_sim/faults") {
    const parsed = faultSchema.safeParse(parseObject((await bodyOf(request)) ?? ""));
    if (!parsed.success) return answer(response, 400, JSON.stringify({ message: z.prettifyError(parsed.error) }));
    makeFault(core, parsed.data, hooks);
    return answer(response, 200, JSON.stringify({ done: parsed.data }));
  }
  answer(response, 404, '{"message":"There is no such route."}');
}

function simState(core: HomeCore, connections: number) {
  return {
    phase: core.phase,
    is_up: core.isUp,
    version: core.flavour.version,
    seed: core.house.seed,
    now: core.flavour.isoOf(core.now()),
    live_since: core.flavour.isoOf(core.liveSince),
    past_since: core.flavour.isoOf(core.past.startsAt),
    states: core.states.size,
    connections,
    recorder_backlog: core.recorder.backlog(),
    events_sent: core.sent.total(),
    last_sent: core.sent.last() ?? null,
    events_by_entity: Object.fromEntries([...core.states.counts].sort(([, a], [, b]) => b - a)),
  };
}

/** What is planted, and when it happened between two days (`from`, `to`: `2026-11-01`; 60 days at most). */
function truth(core: HomeCore, query: URLSearchParams) {
  const dayOf = (text: string | null) =>
    text === null ? undefined : Math.floor(Date.parse(`${text}T00:00:00Z`) / 86_400_000);
  const last = dayOf(query.get("to")) ?? core.past.dayAt(core.now()).day;
  const first = Math.max(dayOf(query.get("from")) ?? last - 13, last - 59);
  const plans = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => core.past.day(first + index));
  return {
    routines: ROUTINES,
    occurrences: plans.flatMap((plan) =>
      plan.occurrences.map((one) => ({ routine_id: one.routineId, at: core.flavour.isoOf(one.at) })),
    ),
    anomalies: plans.flatMap((plan) =>
      plan.anomaly === undefined ? [] : [{ kind: plan.anomaly, date: dateOfDay(plan.day) }],
    ),
  };
}

/** What was sent, as JSON lines, from DATA/sent.jsonl and its older parts (256 MiB in all; older lines are gone). */
async function sendEvents(core: HomeCore, query: URLSearchParams, response: ServerResponse): Promise<void> {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  for await (const line of core.sent.read(query.get("from") ?? undefined, query.get("to") ?? undefined)) {
    if (response.destroyed) return;
    if (!response.write(`${line}\n`))
      await new Promise((resolve) => response.once("drain", resolve).once("close", resolve));
  }
  response.end();
}
