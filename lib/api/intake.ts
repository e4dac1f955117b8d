import { createHash } from "node:crypto";
import type * as z from "zod";
import { type ErrorCode, HearthlineError, isHearthlineError } from "../base/errors.ts";
import type { EventRecord, RemovedRecord, StateRecord } from "../event/index.ts";
import { type EventTimes, readRecords } from "../ingest/index.ts";
import { noSecrets, withoutSecretState, withoutSecrets } from "../relay/index.ts";
import {
  changeDataShape,
  type contextShape,
  eventFrameShape,
  plainEventShape,
  type stateShape,
} from "./event-shapes.ts";

/** One event of a request that was not taken. `index` counts from 0; `code` is stable. */
export interface Rejected {
  readonly index: number;
  readonly code: ErrorCode;
  readonly detail: string;
}

export interface Taken {
  readonly records: readonly EventRecord[];
  readonly rejected: readonly Rejected[];
}

/**
 * Each value of the list to a record, by itself: a wrong one costs only itself. Order stays. What is taken here is what `enrich` will take:
 * the same checks say so. Secrets are left out as the relay leaves them out, before anything is queued.
 */
export function takeEvents(values: readonly unknown[], times: EventTimes): Taken {
  const records: EventRecord[] = [];
  const rejected: Rejected[] = [];
  values.forEach((value, index) => {
    try {
      const record = toRecord(value);
      const [wrong] = readRecords([JSON.stringify(record)], { first: 0, last: 0, times }).rejected;
      if (wrong) rejected.push({ index, code: wrong.code, detail: wrong.detail });
      else records.push(record);
    } catch (thrown) {
      if (!isHearthlineError(thrown)) throw thrown;
      rejected.push({ index, code: thrown.code, detail: thrown.message });
    }
  });
  return { records, rejected };
}

function toRecord(value: unknown): EventRecord {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new HearthlineError("event_malformed", `The event is ${kindOf(value)}; wanted is an object.`);
  }
  if ("data" in value) {
    const event = parse(eventFrameShape, value);
    return fromChange(event.data, event);
  }
  if ("new_state" in value || "old_state" in value) return fromChange(parse(changeDataShape, value), {});
  return fromPlain(parse(plainEventShape, value));
}

const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`;

function parse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, 5).map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  const isTimeOnly = parsed.error.issues.every(
    (issue) => issue.code === "custom" && issue.params?.code === "event_time_invalid",
  );
  throw new HearthlineError(
    isTimeOnly ? "event_time_invalid" : "event_malformed",
    `The event cannot be read. ${issues.join("; ")}.`,
  );
}

type Change = z.infer<typeof changeDataShape>;
type Context = z.infer<typeof contextShape>;
/** What stands around the data in a whole event. */
interface Around {
  readonly origin?: string | undefined;
  readonly time_fired?: string | undefined;
  readonly context?: Context | undefined;
}

function fromChange(data: Change, around: Around): EventRecord {
  const { entity_id, new_state: now, old_state: before } = data;
  const old = before && {
    state: openState(entity_id, before),
    last_changed: before.last_changed ?? before.last_updated,
    last_updated: before.last_updated,
  };
  const shared = { n: 0, source: "api" as const, entity_id, origin: around.origin ?? "LOCAL", ...(old && { old }) };
  if (!now) return removedRecord(shared, around);
  return {
    ...shared,
    t: "state",
    kind: kindOfChange(now, before ?? undefined),
    state: openState(entity_id, now),
    attributes: openAttributes(now.attributes),
    last_changed: now.last_changed ?? now.last_updated,
    last_updated: now.last_updated,
    context: contextOf(now.context ?? around.context, entity_id, now.last_updated),
  };
}

function removedRecord(shared: Omit<RemovedRecord, "t" | "time_fired" | "context">, around: Around): RemovedRecord {
  const { time_fired } = around;
  if (time_fired === undefined) {
    throw new HearthlineError(
      "event_time_invalid",
      `The removal of "${shared.entity_id}" has no "time_fired"; wanted is the whole event, not its data alone.`,
    );
  }
  return { ...shared, t: "removed", time_fired, context: contextOf(around.context, shared.entity_id, time_fired) };
}

type State = z.infer<typeof stateShape>;

/** Given as `withoutSecretState` gives a text back: a text. */
const openState = (entityId: string, { state, attributes }: Pick<State, "state" | "attributes">): string =>
  String(withoutSecretState({ entityId, state, attributes }, noSecrets()));

function openAttributes(attributes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  try {
    return { ...(withoutSecrets(attributes, noSecrets()) as Record<string, unknown>) };
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    throw new HearthlineError(
      "event_too_large",
      `The attributes cannot be looked through for secrets. ${thrown.message}`,
    );
  }
}

/** As the relay sees it: without an old state, or restored, nothing has changed. */
function kindOfChange(now: State, before: State | undefined): StateRecord["kind"] {
  if (!before || now.attributes?.restored === true) return "restore";
  const isSame = now.last_changed === undefined ? now.state === before.state : now.last_changed === before.last_changed;
  return isSame ? "attributes" : "change";
}

/** Its sender says that the entity took this state at that moment; what it was before is not known. */
function fromPlain(event: z.infer<typeof plainEventShape>): StateRecord {
  return {
    n: 0,
    t: "state",
    kind: "change",
    source: "api",
    entity_id: event.entity_id,
    state: openState(event.entity_id, event),
    attributes: openAttributes(event.attributes),
    last_changed: event.timestamp,
    last_updated: event.timestamp,
    origin: "REMOTE",
    context: contextOf(undefined, event.entity_id, event.timestamp),
  };
}

/** Events are told to belong together by an equal context id, so an event without one gets an id of its own; the same event gets the same. */
function contextOf(given: Context | undefined, entity: string, at: string): StateRecord["context"] {
  if (given) return { id: given.id, parent_id: given.parent_id ?? null, user_id: given.user_id ?? null };
  const id = createHash("sha256").update(`${entity}\n${at}`).digest("hex").slice(0, 32);
  return { id, parent_id: null, user_id: null };
}
