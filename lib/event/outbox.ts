import * as z from "zod";
import { automationIdSchema, automationSchema } from "./automation.ts";
import { ENVELOPE_MAX_RECORDS } from "./envelope.ts";
import { topicProblem } from "./outbox-topic.ts";

/** What the cloud asks of the relay: items that wait in the outbox until the relay has done them. Names and shape as the API shows them. */

/**
 * - `mqtt`: publish a message.
 * - `capabilities`: read what Zigbee2MQTT's devices can do, and send it up.
 * - `automation`: write an automation of ours into Home Assistant, or remove it.
 * - `sink`: stop writing to a sink of the relay beside the cloud, or begin again; or let the cloud's collect for longer or shorter, or more or less into a message, for a while or from then on.
 * - `refetch`: ask Home Assistant's recorder once more what some entities did in a span, and send it.
 */
export const OUTBOX_KINDS = ["mqtt", "capabilities", "automation", "sink", "refetch"] as const;
export type OutboxKind = (typeof OUTBOX_KINDS)[number];

/** `expired`: nobody did it in time. `failed`: it can never be done. */
export const OUTBOX_STATUSES = ["pending", "delivered", "failed", "expired"] as const;
export type OutboxStatus = (typeof OUTBOX_STATUSES)[number];

/** A payload takes no more (chosen by us: a discovery message of a whole device takes 10 to 50 KB, and an item of the table holds 400 KB). */
export const OUTBOX_PAYLOAD_MAX_BYTES = 131_072;
/** Of an error text. */
export const OUTBOX_ERROR_MAX_CHARACTERS = 400;

/** The members of a message for the home's broker. */
export const outboxMessageShape = {
  topic: z.string().min(1).max(255),
  payload: z.string(),
  qos: z.union([z.literal(0), z.literal(1)]),
  retain: z.boolean(),
} as const;

/** What of a message is wrong beyond its shape, as zod reports it. */
export function checkOutboxMessage({
  value: { topic, payload },
  issues,
}: {
  readonly value: { readonly topic: string; readonly payload: string };
  readonly issues: z.core.$ZodRawIssue[];
}): void {
  const problem = topicProblem(topic, payload);
  if (problem) issues.push({ code: "custom", input: topic, path: ["topic"], message: problem });
  const bytes = Buffer.byteLength(payload);
  if (bytes <= OUTBOX_PAYLOAD_MAX_BYTES) return;
  const message = `the payload has ${bytes} bytes; wanted are at most ${OUTBOX_PAYLOAD_MAX_BYTES}`;
  issues.push({ code: "custom", input: "", path: ["payload"], message });
}

/** A message for the home's broker. */
export const outboxMessageSchema = z.object(outboxMessageShape).check(checkOutboxMessage);
export type OutboxMessage = z.infer<typeof outboxMessageSchema>;

/** An automation of ours; without a configuration it is removed. */
export const outboxAutomationSchema = z.strictObject({
  id: automationIdSchema,
  config: automationSchema.nullable(),
});
export type OutboxAutomation = z.infer<typeof outboxAutomationSchema>;

/**
 * Dual write, by the name of the sink. `off` holds over restarts: nothing is kept for the sink any more, and what comes meanwhile never reaches it; `on` begins with what comes then.
 */
export const outboxSinkSchema = z.object({
  sink: z.string().min(1).max(32),
  state: z.enum(["on", "off"]),
  /** Of the cloud's sink alone: how long it collects instead of as its relay's settings say. */
  flush_seconds: z.number().min(0.1).max(900).optional(),
  /** Of the cloud's sink alone: how many records a message takes at most. */
  batch_records: z.int().min(10).max(ENVELOPE_MAX_RECORDS).optional(),
  /** When it goes back by itself, at the latest with the relay's next start, ISO 8601 with an offset; absent: it stays, over restarts, until the setting itself is changed. */
  until: z.iso.datetime({ offset: true }).max(40).optional(),
});
export type OutboxSink = z.infer<typeof outboxSinkSchema>;

/** All that is asked of a recorder at once is held up by it: whoever wants more asks again. */
const REFETCH_MAX_MS = 2 * 86_400_000;

/** A span of the past, half-open, and whose. */
export const outboxRefetchSchema = z
  .object({
    entity_ids: z.array(z.string().min(3).max(255)).min(1).max(50),
    /** ISO 8601 with an offset. */
    from: z.iso.datetime({ offset: true }).max(40),
    to: z.iso.datetime({ offset: true }).max(40),
  })
  .refine(({ from, to }) => {
    const lengthMs = Date.parse(to) - Date.parse(from);
    return lengthMs > 0 && lengthMs <= REFETCH_MAX_MS;
  }, "wanted is a span of more than nothing and at most two days");
export type OutboxRefetch = z.infer<typeof outboxRefetchSchema>;

/** How an item ended, as the relay reports it. `attempts`: how often the relay tried. */
export const outboxOutcomeSchema = z.object({
  status: z.enum(["delivered", "failed"]),
  attempts: z.int().nonnegative().max(1_000_000).default(1),
  error: z.string().max(OUTBOX_ERROR_MAX_CHARACTERS).optional(),
});
export type OutboxOutcome = z.infer<typeof outboxOutcomeSchema>;
