import type { Context } from "../generate/day-writer.ts";
import type { Row } from "../generate/past.ts";
import type { HomeCore } from "../live/home-core.ts";
import { CommandError } from "./answers.ts";
import { historyRows, rowBefore, secondsOf } from "./history.ts";

type Line = Readonly<Record<string, unknown>>;

/** One run of an automation or of a script, as its event stands in the logbook. */
interface Run {
  readonly entityId: string;
  readonly at: number;
  readonly context: Context;
}

/** So long before what is asked for a run may have begun whose doing it is. */
const RUN_SECONDS = 3_600;
const domainOf = (entityId: string) => entityId.slice(0, entityId.indexOf("."));

/**
 * `logbook/get_events`: the changes of state of the entities, and the runs of those that are automations or scripts; of each what stands first in its context.
 * Whole days of all entities are not asked for here, so `entity_ids` is wanted. @throws CommandError
 */
export function logbookEvents(core: HomeCore, message: Readonly<Record<string, unknown>>): Line[] {
  const from = secondsOf(message.start_time, "invalid_start_time", "Invalid start_time");
  const to =
    message.end_time === undefined ? core.now() : secondsOf(message.end_time, "invalid_end_time", "Invalid end_time");
  const ids = message.entity_ids;
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === "string"))
    throw new CommandError("invalid_format", `expected list at 'entity_ids'. Got ${JSON.stringify(ids)}`);
  if (from > core.now()) return [];
  const end = Math.min(to, core.now() + 1);
  const runs = new Map<string, Run>();
  for (const run of runsOf(core, from - RUN_SECONDS, end)) if (!runs.has(run.context.id)) runs.set(run.context.id, run);
  const asked = new Set<string>(ids);
  const lines = [...runs.values()]
    .filter(({ entityId, at }) => asked.has(entityId) && at > from && at < end)
    .map((run) => ({ ...described(core, run), context_id: run.context.id, when: when(core, run.at) }) as Line);
  for (const id of asked) lines.push(...changesOf(core, id, { from, end, runs }));
  return lines.sort((a, b) => Number(a.when) - Number(b.when));
}

const when = (core: HomeCore, at: number) => core.flavour.stamp(at);

/** An automation's run is seen by its attributes, a script's by its state. */
function* runsOf(core: HomeCore, from: number, to: number): Generator<Run> {
  // Those that are gone have run too.
  for (const entityId of new Set([...core.house.live.map(({ id }) => id), ...core.recorder.entityIds()])) {
    const domain = domainOf(entityId);
    if (domain !== "automation" && domain !== "script") continue;
    for (const row of historyRows(core, entityId, from, to)) {
      const isRun = domain === "automation" ? row.changedAt !== row.at : row.state === "on" && row.changedAt === row.at;
      if (isRun && row.context) yield { entityId, at: row.at - 0.000_01, context: row.context };
    }
  }
}

function described(core: HomeCore, { entityId }: Pick<Run, "entityId">): Line {
  const name = core.states.get(entityId)?.attributes.friendly_name ?? entityId;
  const isScript = domainOf(entityId) === "script";
  return { name, message: isScript ? "started" : "triggered", entity_id: entityId, domain: domainOf(entityId) };
}

interface Asked {
  readonly from: number;
  readonly end: number;
  readonly runs: ReadonlyMap<string, Run>;
}

/** Changes from one state to another; first states, removals and attributes are not in the logbook. */
function* changesOf(core: HomeCore, entityId: string, { from, end, runs }: Asked): Generator<Line> {
  let before: string | null | undefined = rowBefore(core, entityId, from)?.state;
  for (const row of historyRows(core, entityId, from, end)) {
    const isChange = before !== undefined && before !== null && row.state !== null && row.state !== before;
    before = row.state;
    if (isChange && row.changedAt === row.at)
      yield {
        when: when(core, row.at),
        state: row.state,
        entity_id: entityId,
        ...causeOf(core, row, { entityId, runs }),
      };
  }
}

/** A run's event stands first in its context; in a person's there is the call of a service. */
function causeOf(core: HomeCore, row: Row, of: { readonly entityId: string; readonly runs: Asked["runs"] }): Line {
  if (!row.context) return {};
  const user = row.context.user_id === null ? {} : { context_user_id: row.context.user_id };
  const run = of.runs.get(row.context.id);
  if (run) {
    const { name, message, domain } = described(core, run);
    const type = domain === "script" ? "script_started" : "automation_triggered";
    return {
      ...user,
      context_event_type: type,
      context_domain: domain,
      context_name: name,
      context_message: message,
      context_entity_id: run.entityId,
    };
  }
  if (row.context.user_id === null) return {};
  const service = row.state === "off" ? "turn_off" : "turn_on";
  return {
    ...user,
    context_domain: domainOf(of.entityId),
    context_service: service,
    context_event_type: "call_service",
  };
}
