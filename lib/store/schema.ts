import * as z from "zod";
import { HearthlineError } from "../base/errors.ts";
import { DAY_PARTS, EVENT_KINDS, EVENT_SOURCES, type HomeEvent } from "../event/index.ts";
import { HA_STATE_MAX_CHARACTERS } from "../limits.ts";

const id = z.string().min(1).max(255);
// A character outside the basic plane counts as one in Home Assistant and as two here.
const state = z.string().max(2 * HA_STATE_MAX_CHARACTERS);
/** Stores order and compare ids as bytes: two that differ only in broken surrogates would become one. */
const key = id.refine((text) => text.isWellFormed(), "wanted is well-formed Unicode");

/** An event as it travels in the store queue. Members that this version does not know are left out. */
export const homeEventSchema: z.ZodType<HomeEvent> = z.object({
  homeId: key,
  entityId: key,
  atUs: z.int(),
  lastChangedUs: z.int(),
  kind: z.enum(EVENT_KINDS),
  source: z.enum(EVENT_SOURCES),
  state,
  value: z.union([z.number(), z.boolean()]).exactOptional(),
  unit: z.string().exactOptional(),
  quality: z.enum(["ok", "unknown", "unavailable"]),
  oldState: state.exactOptional(),
  secondsInOldState: z.number().exactOptional(),
  areaId: id.exactOptional(),
  deviceId: id.exactOptional(),
  domain: id,
  deviceClass: z.string().exactOptional(),
  localTime: z.string().max(40),
  dayPart: z.enum(DAY_PARTS),
  origin: z.string().max(16),
  context: z.object({
    id: z.string().max(64),
    parentId: z.string().max(64).exactOptional(),
    userId: z.string().max(64).exactOptional(),
  }),
  attributes: z.record(z.string(), z.unknown()),
  weather: z
    .object({
      condition: z.string(),
      temperature: z.number().exactOptional(),
      humidity: z.number().exactOptional(),
      windSpeed: z.number().exactOptional(),
      pressure: z.number().exactOptional(),
    })
    .exactOptional(),
});

/**
 * One line of the store queue to the event of that home.
 * @throws HearthlineError `event_malformed`: no JSON, members missing or of another type, another home's event
 */
export function parseHomeEvent(line: string, homeId: string): HomeEvent {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (thrown) {
    throw malformed(`it is not JSON: "${line.slice(0, 80)}"`, thrown);
  }
  const parsed = homeEventSchema.safeParse(json);
  if (!parsed.success) throw malformed(z.prettifyError(parsed.error).replaceAll("\n", " ").slice(0, 300));
  if (parsed.data.homeId !== homeId) {
    throw malformed(`it is of home "${parsed.data.homeId}", its message of home "${homeId}"`);
  }
  return parsed.data;
}

const malformed = (state: string, cause?: unknown) =>
  new HearthlineError("event_malformed", `An event cannot be stored: ${state}.`, { cause });
