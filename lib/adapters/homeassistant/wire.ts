import { isUtf8 } from "node:buffer";
import type { HaProblem } from "./problem.ts";

/** A message of Home Assistant; only its type is known. */
export type HaMessage = Readonly<Record<string, unknown>> & { readonly type: string };

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The messages of one frame: with `coalesce_messages` Home Assistant sends a list of all that waited, else one object.
 * UTF-8 is checked here, not by `ws`, because `ws` ends the connection for one bad byte.
 */
export function readFrame(data: Buffer, isBinary: boolean): readonly unknown[] | HaProblem {
  const size = `a frame of ${data.byteLength} bytes`;
  if (isBinary) return { kind: "frame_binary", detail: `${size} is binary; wanted is text` };
  if (!isUtf8(data)) return { kind: "frame_not_utf8", detail: `${size} is not UTF-8` };
  try {
    const parsed: unknown = JSON.parse(data.toString());
    return Array.isArray(parsed) ? parsed : [parsed];
  } catch {
    // The parser's own message quotes the frame.
    return { kind: "frame_unparsable", detail: `${size} is not JSON` };
  }
}

export const isMessage = (value: unknown): value is HaMessage => isObject(value) && typeof value.type === "string";

/**
 * What is wrong with an event, or undefined when it is one. By hand and not by zod: this runs for each event of a burst of ten thousand a second,
 * and admission checks what is inside `data` anyway.
 */
export function eventProblem(value: unknown): HaProblem | undefined {
  if (!isObject(value)) return { kind: "event_malformed", detail: "an event frame has no event" };
  const fault = faultOf(value);
  if (fault === undefined) return undefined;
  return { kind: "event_malformed", detail: `an event has no ${fault}`, ...entityOf(value.data) };
}

/** The entity that an event is about, for the report of a problem. */
export function entityOf(data: unknown): { readonly entityId?: string } {
  const entityId = isObject(data) ? data.entity_id : undefined;
  return typeof entityId === "string" ? { entityId: entityId.slice(0, 255) } : {};
}

function faultOf(event: Record<string, unknown>): string | undefined {
  if (typeof event.event_type !== "string") return "event_type";
  if (!isObject(event.data)) return "data";
  if (typeof event.time_fired !== "string") return "time_fired";
  if (typeof event.origin !== "string") return "origin";
  if (!isObject(event.context) || typeof event.context.id !== "string") return "context";
  return undefined;
}

export const isFrame = (read: readonly unknown[] | HaProblem): read is readonly unknown[] => Array.isArray(read);
