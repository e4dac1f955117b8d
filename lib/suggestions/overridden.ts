import type { Microseconds } from "../base/time.ts";
import type { HomeEvent } from "../event/index.ts";
import type { EventStore, Position, RangeQuery } from "../store/ports.ts";
import type { Suggestion } from "./ports.ts";

/** So far back runs are looked at: as long as raw events are kept as a rule. */
export const WATCHED_DAYS = 7;
/** Of its last runs so many are looked at, and so many undone ones make it overridden (chosen by us: once or twice is a mood). */
const RUNS = 5;
const UNDONE_RUNS = 3;
/** A person who undoes what happened does it soon. */
const SOON_US = 10 * 60 * 1_000_000;
/** A home whose automations loop tells more; the oldest of them do not count then. */
const EVENTS_MAX = 20_000;
const PAGE = 1_000;

/** What happened lately to automations and to what the watched ones switch, ascending by time. */
export interface Acts {
  /** Events of all automations and scripts: whose contexts they began. */
  readonly runs: readonly HomeEvent[];
  readonly byEntity: ReadonlyMap<string, readonly HomeEvent[]>;
}

const targetsOf = ({ automation }: Suggestion): readonly string[] =>
  (automation?.actions ?? []).flatMap(({ target }) => {
    const ids = (target as { entity_id?: string | readonly string[] } | undefined)?.entity_id;
    return ids === undefined ? [] : [ids].flat();
  });

export async function actsOf(
  homeId: string,
  watched: readonly Suggestion[],
  { events, fromUs }: { readonly events: Pick<EventStore, "range">; readonly fromUs: Microseconds },
): Promise<Acts> {
  const entityIds = [...new Set(watched.flatMap(targetsOf))];
  const read = (query: Pick<RangeQuery, "domain" | "entityIds">) => latest(events, { homeId, fromUs, ...query });
  const [automations, scripts, targets] = await Promise.all([
    read({ domain: "automation" }),
    read({ domain: "script" }),
    entityIds.length > 0 ? read({ entityIds }) : [],
  ]);
  const changes = targets.filter(({ kind }) => kind === "change");
  return { runs: [...automations, ...scripts], byEntity: Map.groupBy(changes, ({ entityId }) => entityId) };
}

async function latest(
  events: Pick<EventStore, "range">,
  query: Omit<RangeQuery, "order" | "limit">,
): Promise<readonly HomeEvent[]> {
  const found: HomeEvent[] = [];
  for (let after: Position | undefined; found.length < EVENTS_MAX; ) {
    const page = await events.range({ ...query, order: "desc", limit: PAGE, ...(after && { after }) });
    found.push(...page.events);
    if (!page.next) break;
    after = page.next;
  }
  return found.toReversed();
}

/** Whether people have undone what the automation did on most of its last runs. */
export function isOverridden(suggestion: Suggestion, automationEntityId: string, acts: Acts): boolean {
  const byMachines = new Set(acts.runs.map(({ context }) => context.id));
  // A run writes its automation's `last_triggered`, once or twice, under a context of its own.
  const own = acts.runs.filter(
    ({ entityId, attributes, kind }) =>
      entityId === automationEntityId && kind === "attributes" && typeof attributes.last_triggered === "string",
  );
  const contexts = [...new Set(own.map(({ context }) => context.id))].slice(-RUNS);
  const changes = targetsOf(suggestion).map((id) => acts.byEntity.get(id) ?? []);
  const undone = contexts.filter((context) => changes.some((some) => isUndone(some, context, byMachines)));
  return undone.length >= UNDONE_RUNS;
}

/** Whether a person took the entity out of the state that the run had brought it into. */
function isUndone(changes: readonly HomeEvent[], runContext: string, byMachines: ReadonlySet<string>): boolean {
  const did = changes.findLast(({ context }) => context.id === runContext);
  if (!did) return false;
  const next = changes.find(({ atUs, state }) => atUs > did.atUs && state !== did.state);
  if (!next || next.atUs - did.atUs > SOON_US || next.quality !== "ok") return false;
  const { id, parentId, userId } = next.context;
  return !byMachines.has(id) && (parentId === undefined || userId !== undefined);
}
