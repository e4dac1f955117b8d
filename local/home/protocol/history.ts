import { HearthlineError } from "../../../lib/base/errors.ts";
import { floatSecondsToUs, parseIsoUs } from "../../../lib/base/time.ts";
import type { Row } from "../generate/past.ts";
import { recordedAttributes } from "../house/attributes.ts";
import type { HomeCore } from "../live/home-core.ts";
import { CommandError } from "./answers.ts";

const ENTITY_ID = /^[a-z0-9_]+\.[a-z0-9_]+$/;
/** Domains whose attributes say something by themselves: their rows are all significant. Source: core recorder/history/const.py. */
const SIGNIFICANT = ["climate", "device_tracker", "humidifier", "thermostat", "water_heater"];
const NEED_ATTRIBUTES = ["climate", "humidifier", "input_datetime", "water_heater"];
const DAY_SECONDS = 86_400;

const isOff = (value: unknown, fallback: boolean): boolean => (typeof value === "boolean" ? value : fallback) === false;

export function secondsOf(value: unknown, code: string, message: string): number {
  try {
    return parseIsoUs(String(value)) / 1e6;
  } catch (thrown) {
    if (thrown instanceof HearthlineError) throw new CommandError(code, message);
    throw thrown;
  }
}

/** Rows of one entity from wherever they are: the generated past up to `liveSince`, the recorder after it, nothing older than is kept. */
export function* historyRows(core: HomeCore, entityId: string, from: number, to: number): Generator<Row> {
  const oldest = Math.max(from, core.now() - core.keepDays * DAY_SECONDS);
  const entity = core.house.byId.get(entityId);
  if (entity && entity.spec.disabledBy === undefined && oldest < core.liveSince)
    for (const row of core.past.rows(entity, oldest, Math.min(to, core.liveSince)))
      yield { ...row, attributes: recordedAttributes(entity.domain, row.attributes) };
  yield* core.recorder.rows(entityId, Math.max(oldest, from), to);
}

/** The last row at or before a moment. */
export function rowBefore(core: HomeCore, entityId: string, moment: number): Row | undefined {
  const live = core.recorder.lastBefore(entityId, moment);
  if (live) return live;
  const entity = core.house.byId.get(entityId);
  if (!entity || entity.spec.disabledBy !== undefined) return undefined;
  const row = core.past.stateAt(entity, Math.min(moment, core.liveSince));
  return row && { ...row, attributes: recordedAttributes(entity.domain, row.attributes) };
}

interface Shape {
  readonly isSignificantOnly: boolean;
  readonly isMinimal: boolean;
  readonly hasAttributes: boolean;
}

/** The rows of one entity as they stand in the answer: `s`, `a`, `lu`, and `lc` where it differs (whole microseconds, as the recorder keeps it). */
function* compressed(
  core: HomeCore,
  entityId: string,
  rows: Iterable<Row>,
  shape: Shape,
): Generator<Record<string, unknown>> {
  const domain = entityId.slice(0, entityId.indexOf("."));
  const isMinimal = shape.isMinimal && !NEED_ATTRIBUTES.includes(domain);
  let previous: string | null | undefined;
  for (const row of rows) {
    const isAttributesOnly = row.changedAt !== row.at;
    if (shape.isSignificantOnly && isAttributesOnly && !SIGNIFICANT.includes(domain)) continue;
    const [lu, lc] = [core.flavour.stamp(row.at), floatSecondsToUs(core.flavour.stamp(row.changedAt)) / 1e6];
    if (isMinimal && previous !== undefined) {
      if (row.state === previous) continue;
      previous = row.state;
      yield { s: row.state, lu };
      continue;
    }
    previous = row.state;
    yield { s: row.state, a: shape.hasAttributes ? row.attributes : {}, lu, ...(isAttributesOnly && { lc }) };
  }
}

/** `history/history_during_period`: the answer's JSON. Flags and defaults as the real one's. @throws CommandError */
export function historyDuringPeriod(core: HomeCore, message: Readonly<Record<string, unknown>>): string {
  const from = secondsOf(message.start_time, "invalid_start_time", "Invalid start_time");
  const to =
    message.end_time === undefined ? undefined : secondsOf(message.end_time, "invalid_end_time", "Invalid end_time");
  const ids = message.entity_ids;
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === "string"))
    throw new CommandError("invalid_format", `expected list at 'entity_ids'. Got ${JSON.stringify(ids)}`);
  const now = core.now();
  if (from > now) return "{}";
  if (!ids.every((id) => ENTITY_ID.test(id))) throw new CommandError("invalid_entity_ids", "Invalid entity_ids");
  const shape: Shape = {
    isSignificantOnly: !isOff(message.significant_changes_only, true),
    isMinimal: !isOff(message.minimal_response, false),
    hasAttributes: isOff(message.no_attributes, false),
  };
  const parts: string[] = [];
  for (const id of new Set(ids)) {
    const start = isOff(message.include_start_time_state, true) ? undefined : rowBefore(core, id, from);
    const first = start && start.state !== null ? [{ ...start, at: from, changedAt: from }] : [];
    const rows = historyRows(core, id, from, Math.min(to ?? Number.POSITIVE_INFINITY, now + 1));
    const list = [...compressed(core, id, concat(first, rows), shape)];
    if (list.length > 0) parts.push(`${JSON.stringify(id)}:${JSON.stringify(list)}`);
  }
  return `{${parts.join(",")}}`;
}

function* concat<T>(first: Iterable<T>, second: Iterable<T>): Generator<T> {
  yield* first;
  yield* second;
}
