import * as z from "zod";
import { JOB_KINDS } from "../analysis/index.ts";
import { DAY_PARTS, EVENT_KINDS, EVENT_SOURCES } from "../event/index.ts";
import { conflictShape } from "./change-shapes.ts";
import { PROBLEMS } from "./problem.ts";
import { utilisationShape } from "./utilisation-shapes.ts";

/** What the API answers with: the same schemas make the OpenAPI document, and the tests hold every answer against it. */

const time = z.string().meta({ format: "date-time", example: "2026-11-22T05:47:09.185382+00:00" });
const count = z.int().nonnegative();
const next = z
  .string()
  .nullable()
  .meta({ description: "The cursor of the next page; null when this is the last one." });

export const eventShape = z
  .object({
    home_id: z.string(),
    entity_id: z.string(),
    state: z.string(),
    value: z.union([z.number(), z.boolean()]).optional(),
    unit: z.string().optional(),
    quality: z.enum(["ok", "unknown", "unavailable"]),
    kind: z.enum(EVENT_KINDS),
    last_changed: time,
    last_updated: time,
    old_state: z.string().optional(),
    seconds_in_old_state: z.number().optional(),
    area_id: z.string().optional(),
    device_id: z.string().optional(),
    domain: z.string(),
    device_class: z.string().optional(),
    local_time: time,
    day_part: z.enum(DAY_PARTS),
    origin: z.string(),
    source: z.enum(EVENT_SOURCES),
    context: z.object({ id: z.string(), parent_id: z.string().optional(), user_id: z.string().optional() }),
    attributes: z.record(z.string(), z.unknown()),
    weather: z
      .object({
        condition: z.string(),
        temperature: z.number().optional(),
        humidity: z.number().optional(),
        wind_speed: z.number().optional(),
        pressure: z.number().optional(),
      })
      .optional(),
  })
  .meta({ id: "Event" });

export const eventPageShape = z.object({ events: z.array(eventShape), next }).meta({ id: "EventPage" });

export const eventStatsShape = z
  .object({
    entities: z.array(
      z.object({
        entity_id: z.string(),
        count,
        first: time,
        last: time,
        bytes: count.meta({ description: "About what its events take in the store." }),
        longest_gap_seconds: z.number().nonnegative().meta({ description: "Between two neighbouring events." }),
      }),
    ),
    next,
  })
  .meta({ id: "EventStats" });

export const acceptedShape = z
  .object({
    accepted: count,
    rejected: z.array(z.object({ index: count, code: z.string(), detail: z.string() })),
  })
  .meta({ id: "Accepted", description: "How many events are durably queued, and which were not taken and why." });

export const entityShape = z
  .object({
    entity_id: z.string(),
    domain: z.string(),
    name: z.string().optional(),
    area_id: z
      .string()
      .optional()
      .meta({ description: "Its own area, else that of its device, else that of the device above." }),
    device_id: z.string().optional(),
    platform: z.string().optional(),
    device_class: z.string().optional(),
    unit: z.string().optional(),
    entity_category: z.string().optional(),
    disabled_by: z.string().optional(),
    hidden_by: z.string().optional(),
    labels: z.array(z.string()),
    state: z.string().optional().meta({ description: "Of its latest event." }),
    last_seen: time.optional(),
  })
  .meta({ id: "Entity" });
export const entityPageShape = z.object({ entities: z.array(entityShape), next }).meta({ id: "EntityPage" });

const pairs = z.array(z.array(z.string()));
export const deviceShape = z
  .object({
    device_id: z.string(),
    name: z.string(),
    manufacturer: z.string().optional(),
    model: z.string().optional(),
    sw_version: z.string().optional(),
    area_id: z.string().optional().meta({ description: "Its own area, else that of the device above." }),
    parent_device_id: z.string().optional(),
    via_device_id: z.string().optional(),
    disabled_by: z.string().optional(),
    labels: z.array(z.string()),
    entity_count: count,
    conflict_count: count.meta({ description: "Where sources disagree about it: `/api/v1/conflicts`." }),
    open_conflict_count: count.meta({ description: "Of these, how many wait for somebody to settle them." }),
    utilisation: utilisationShape
      .optional()
      .meta({ description: "Absent: no night has looked yet, or it has nothing to use." }),
    last_seen: time.optional().meta({ description: "When one of its entities was seen last." }),
  })
  .meta({ id: "Device" });
export const devicePageShape = z.object({ devices: z.array(deviceShape), next }).meta({ id: "DevicePage" });
export const deviceDetailShape = deviceShape
  .extend({
    identifiers: pairs,
    connections: pairs,
    conflicts: z.array(conflictShape),
    entities: z.array(entityShape),
  })
  .meta({ id: "DeviceDetail" });

export const areaShape = z
  .object({
    area_id: z.string(),
    name: z.string(),
    floor_id: z.string().optional(),
    floor_name: z.string().optional(),
    labels: z.array(z.string()),
    device_count: count,
    entity_count: count,
    last_seen: time.optional(),
  })
  .meta({ id: "Area" });
export const areaPageShape = z.object({ areas: z.array(areaShape), next }).meta({ id: "AreaPage" });

export const jobShape = z
  .object({
    id: z.string(),
    home_id: z.string(),
    kind: z.enum(JOB_KINDS),
    date: z.string().meta({ format: "date" }),
    status: z.enum(["queued", "running", "succeeded", "degraded", "failed"]),
    phases: z.array(
      z.object({
        name: z.string(),
        status: z.enum(["running", "succeeded", "failed"]),
        started_at: time,
        duration_ms: z.number(),
        counts: z.record(z.string(), z.number()),
        error: z.string().optional(),
      }),
    ),
    peak_rss_bytes: count.optional(),
    queued_at: time,
    started_at: time.optional(),
    finished_at: time.optional(),
  })
  .meta({ id: "Job" });
export const jobPageShape = z.object({ jobs: z.array(jobShape), next }).meta({ id: "JobPage" });

export const problemShape = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(PROBLEMS) as (keyof typeof PROBLEMS)[]),
    detail: z.string(),
    errors: z.array(z.object({ field: z.string(), detail: z.string() })).optional(),
    rejected: acceptedShape.shape.rejected.optional(),
  })
  .meta({ id: "Problem", description: "RFC 9457, with a stable `code`." });
