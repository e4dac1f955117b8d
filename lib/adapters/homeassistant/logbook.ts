import { floatSecondsToUs, formatIsoUs } from "../../base/time.ts";
import type { HistoryQuery, LogbookEntry } from "../../relay/ports.ts";
import { unusable } from "./answers.ts";
import { isObject } from "./wire.ts";

export const LOGBOOK = "logbook/get_events";

/** A microsecond wider on each side: what is equal to an end is left out. */
export const logbookMessage = ({ entityIds, fromUs, toUs }: HistoryQuery) => ({
  type: LOGBOOK,
  start_time: formatIsoUs(fromUs - 1),
  end_time: formatIsoUs(toUs + 1),
  entity_ids: entityIds,
});

const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
/** Longer ones are none of Home Assistant's, and no event may have them. */
const ID_MAX = 64;
const idOf = (value: unknown): string | undefined => textOf(value)?.slice(0, ID_MAX);
const isRun = (entityId: string | undefined): entityId is string => /^(automation|script)\./.test(entityId ?? "");

/** Services of the domain `script` that run none; all others are `turn_on`, `toggle` and the scripts' own names. */
const NO_RUN = new Set(["turn_off", "reload"]);
const NAMELESS = new Set(["turn_on", "toggle"]);

/**
 * Lines are of three kinds: a state (`state`), a run (`context_id`, in the domain `automation` or `script`), anything that an integration or a person has
 * written (neither; left out). What stands first in a line's context is told in `context_*`: an event (`context_event_type`; of a service also its domain and name)
 * or a state (`context_entity_id` and `context_state`). Source: core components/logbook/processor.py, and what 2024.3.3, 2026.2.3 and 2026.11.0 answered.
 * @throws HearthlineError `home_assistant_command_failed`
 */
export function readLogbookAnswer(
  answer: unknown,
  { fromUs, toUs }: Pick<HistoryQuery, "fromUs" | "toUs">,
): LogbookEntry[] {
  if (!Array.isArray(answer)) throw unusable(LOGBOOK, "it is no list");
  return answer.flatMap((line: unknown): LogbookEntry[] => {
    if (!isObject(line) || typeof line.when !== "number" || !Number.isFinite(line.when)) return [];
    const entityId = textOf(line.entity_id);
    const atUs = floatSecondsToUs(line.when);
    if (entityId === undefined || atUs < fromUs || atUs >= toUs) return [];
    const userId = idOf(line.context_user_id);
    const shared = { entityId, atUs, ...(userId !== undefined && { userId }) };
    if (typeof line.state === "string") return [{ ...shared, state: line.state, ...causeOf(line) }];
    const contextId = idOf(line.context_id);
    return isRun(entityId) && contextId !== undefined ? [{ ...shared, contextId }] : [];
  });
}

/** What did it. A script that a person starts has no event before the person's call of the service. */
function causeOf(line: Readonly<Record<string, unknown>>): Pick<LogbookEntry, "run" | "call"> {
  const cause = textOf(line.context_entity_id);
  if (isRun(cause)) return { run: { entityId: cause } };
  const event = line.context_event_type;
  if (event === "automation_triggered" || event === "script_started") return { run: {} };
  const [domain, service] = [textOf(line.context_domain), textOf(line.context_service)];
  if (event !== "call_service" || domain === undefined || service === undefined) return {};
  if (domain !== "script" || NO_RUN.has(service)) return { call: `${domain}.${service}` };
  return { run: NAMELESS.has(service) ? {} : { entityId: `script.${service}` } };
}
