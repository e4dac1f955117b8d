import * as z from "zod";
import {
  checkOutboxMessage,
  OUTBOX_KINDS,
  OUTBOX_STATUSES,
  outboxAutomationSchema,
  outboxMessageShape,
} from "../event/index.ts";

/** The shapes in which the outbox is asked and answers. */

const time = z.string().meta({ format: "date-time", example: "2026-11-22T05:47:09.185000+00:00" });
const { topic, payload, qos, retain } = outboxMessageShape;

/** A day: a message that waited longer for the house is old news. */
const EXPIRES_DEFAULT_SECONDS = 86_400;
const EXPIRES_MAX_SECONDS = 604_800;

const expiresIn = z
  .int()
  .min(60, "wanted is 60 or more")
  .max(EXPIRES_MAX_SECONDS, `wanted is ${EXPIRES_MAX_SECONDS} or less`)
  .default(EXPIRES_DEFAULT_SECONDS)
  .meta({ description: "Nobody does it later than that." });

export const outboxRequestShape = z
  .discriminatedUnion("kind", [
    z
      .strictObject({
        kind: z.literal("mqtt"),
        topic: topic.meta({
          description:
            "`hearthline/...`, or `homeassistant/<component>/hearthline.../config` with topics below `hearthline/` in its payload. No other: a token must not switch the house.",
          example: "hearthline/suggestions/1",
        }),
        payload,
        qos: qos.default(1),
        retain: retain.default(false),
        expires_in_seconds: expiresIn,
      })
      .check(checkOutboxMessage),
    z.strictObject({ kind: z.literal("capabilities"), expires_in_seconds: expiresIn }),
    z.strictObject({
      kind: z.literal("automation"),
      automation: outboxAutomationSchema.meta({
        description:
          "An automation that Hearthline writes into Home Assistant, in the keys of 2024.10 and later; `config` null removes it. Only ids that begin with `hearthline_`, and only what suggestions do: nothing that unlocks, opens doors or runs programs, and no templates.",
      }),
      expires_in_seconds: expiresIn,
    }),
  ])
  .meta({ id: "OutboxRequest" });

export const outboxItemShape = z
  .object({
    id: z.string(),
    home_id: z.string(),
    kind: z.enum(OUTBOX_KINDS),
    status: z.enum(OUTBOX_STATUSES),
    created_at: time,
    expires_at: time,
    attempts: z.int().nonnegative().meta({ description: "How often the relay tried; known when the item has ended." }),
    delivered_at: time.optional(),
    error: z.string().optional().meta({ description: "Why it failed." }),
    topic: z.string().optional(),
    payload: z.string().optional().meta({ description: "Only while the item waits." }),
    qos: qos.optional(),
    automation: z
      .object({
        id: z.string(),
        removes: z.boolean(),
        config: z
          .record(z.string(), z.unknown())
          .nullable()
          .optional()
          .meta({ description: "Only while the item waits; null: it is to be removed." }),
      })
      .optional(),
    retain: retain.optional(),
    sink: z
      .string()
      .optional()
      .meta({ description: "Of kind `sink`: which one. Only the control plane of a migration asks for it." }),
    state: z
      .enum(["on", "off"])
      .optional()
      .meta({ description: "Of kind `sink`: whether it is sent to from then on." }),
    flush_seconds: z
      .number()
      .optional()
      .meta({ description: "Of kind `sink`: how long it collects instead of as its relay's settings say." }),
    batch_records: z
      .int()
      .optional()
      .meta({ description: "Of kind `sink`: how many records a message takes at most, instead of as many as fit." }),
    refetch: z
      .object({ entity_ids: z.array(z.string()), from: z.string(), to: z.string() })
      .optional()
      .meta({ description: "Of kind `refetch`: what the recorder is asked for again; only a repair asks for it." }),
    until: z.string().optional().meta({ description: "Of kind `sink`: when that ends by itself." }),
  })
  .meta({ id: "OutboxItem" });

export const outboxPageShape = z
  .object({
    items: z.array(outboxItemShape),
    next: z.string().nullable().meta({ description: "The cursor of the next page; null when this is the last one." }),
  })
  .meta({ id: "OutboxPage" });
