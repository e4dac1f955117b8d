import { HearthlineError, messageOf } from "../../base/errors.ts";
import { type Microseconds, parseIsoUs } from "../../base/time.ts";
import { EVENT_KINDS, type EventKind } from "../../event/index.ts";
import type { PastRow } from "../../history/ports.ts";

type Loose = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Loose =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ID_MAX_CHARACTERS = 64;
const ORIGIN_MAX_CHARACTERS = 16;

/**
 * One line: `{"entity_id","state","last_updated","last_changed"?,"attributes"?,"context"?,"kind"?,"origin"?}`; what else it holds is not looked at, so lines of
 * `events export` are taken as they are. `state: null`, or `kind: "removed"`, is a removal.
 * @throws HearthlineError by what is wrong, as `enrich` would name it
 */
export function parseLine(bytes: Buffer, place: number): PastRow {
  const value = parseJson(bytes);
  if (!isObject(value)) {
    throw new HearthlineError("event_malformed", `The line is ${kindOf(value)}; wanted is one JSON object a line.`);
  }
  const { entity_id, state, last_updated, last_changed, attributes = {}, context, kind, origin } = value;
  if (typeof entity_id !== "string") {
    throw new HearthlineError("event_entity_id_invalid", `"entity_id" is ${kindOf(entity_id)}; wanted is a text.`);
  }
  const isRemoval = state === null || kind === "removed";
  if (!isRemoval && typeof state !== "string") {
    throw new HearthlineError(
      "event_state_invalid",
      `"state" is ${kindOf(state)}; wanted is a text, also for a number.`,
    );
  }
  if (!isObject(attributes)) {
    throw new HearthlineError(
      "event_attributes_invalid",
      `"attributes" is ${kindOf(attributes)}; wanted is an object.`,
    );
  }
  const lastChangedUs =
    last_changed === undefined || last_changed === null ? undefined : timeOf(last_changed, "last_changed");
  const said = EVENT_KINDS.find((each) => each === kind);
  const from = textOf(origin, "origin", ORIGIN_MAX_CHARACTERS);
  const given = contextOf(context);
  return {
    entityId: entity_id,
    state: isRemoval ? null : (state as string),
    attributes,
    atUs: timeOf(last_updated, "last_updated"),
    ...(lastChangedUs !== undefined && { lastChangedUs }),
    ...(given && { context: given }),
    ...(from !== undefined && { origin: from }),
    ...(said && { kind: said satisfies EventKind }),
    place,
  };
}

function parseJson(bytes: Buffer): unknown {
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch (thrown) {
    throw new HearthlineError("record_malformed", "The line is not UTF-8.", { cause: thrown });
  }
  try {
    return JSON.parse(text);
  } catch (thrown) {
    // V8's own message quotes the text, in which there may be a secret.
    const position = / at position \d+/.exec(messageOf(thrown))?.[0] ?? "";
    throw new HearthlineError("record_malformed", `The line of ${text.length} characters is not JSON${position}.`);
  }
}

function kindOf(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}

function timeOf(value: unknown, name: string): Microseconds {
  if (typeof value === "string") return parseIsoUs(value);
  throw new HearthlineError(
    "event_time_invalid",
    `"${name}" is ${kindOf(value)}; wanted is ISO 8601 with an offset, such as "2026-11-22T05:47:09.185382+00:00".`,
  );
}

function contextOf(context: unknown): PastRow["context"] {
  if (context === undefined || context === null) return undefined;
  if (!isObject(context)) {
    throw new HearthlineError("event_malformed", `"context" is ${kindOf(context)}; wanted is an object with an "id".`);
  }
  const id = textOf(context.id, "context.id", ID_MAX_CHARACTERS);
  if (id === undefined) throw new HearthlineError("event_malformed", `"context" has no "id".`);
  return {
    id,
    parent_id: textOf(context.parent_id, "context.parent_id", ID_MAX_CHARACTERS) ?? null,
    user_id: textOf(context.user_id, "context.user_id", ID_MAX_CHARACTERS) ?? null,
  };
}

function textOf(value: unknown, name: string, maxCharacters: number): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" && value.length <= maxCharacters) return value;
  const what = typeof value === "string" ? `${value.length} characters long` : kindOf(value);
  throw new HearthlineError("event_malformed", `"${name}" is ${what}; wanted is a text of at most ${maxCharacters}.`);
}
