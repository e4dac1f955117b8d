import * as z from "zod";
import { GAP_CAUSES, GAP_REASONS } from "../event/index.ts";

/** What the API says of a ledger: short in `/health`, whole in `/api/v1/ledger`. */

const time = z.string().meta({ format: "date-time" });
const count = z.int().nonnegative();
const span = z.object({ first: count, last: count });

const lossShape = span.extend({ count, reason: z.string() });
const sinkLossShape = lossShape.extend({ sequence: count, sink: z.string() });

const interruptionShape = z
  .object({
    sequence: count,
    from: time,
    to: time,
    cause: z.enum(GAP_CAUSES),
    entities: count.meta({ description: "Entities whose state had moved." }),
    recovered: count.meta({ description: "Events that Home Assistant's recorder gave afterwards." }),
    statistics: count.meta({
      description: "Hours of long-term statistics, where the recorder had no events any more.",
    }),
    complete: z.boolean(),
    missing: z
      .array(z.object({ reason: z.enum(GAP_REASONS), entities: count, examples: z.array(z.string()) }))
      .meta({ description: "What could not be had, and why." }),
  })
  .meta({
    id: "Interruption",
    description: "A time in which the relay heard nothing, and what came of asking for it.",
  });

const interruptionTotals = { count, recovered: count, statistics: count, incomplete: count };
const head = {
  relay_id: z.string(),
  kind: z.enum(["relay", "import"]),
  first_at: time.optional().meta({ description: "When the first of it came." }),
  last_sent_at: time.optional().meta({ description: "When it sent last, by its own clock." }),
  complete_up_to: count.meta({ description: "Every record numbered up to here has arrived, or is in `lost`." }),
  last_sequence: count,
  missing: count.meta({ description: "How many numbers the gaps have." }),
  lost_records: count.meta({ description: "Events that the relay gave up before they reached the cloud." }),
  records: count,
  rejected: count,
  duplicates: count,
  updated_at: time,
};

export const ledgerFiguresShape = z.object({
  ...head,
  gaps: z.array(span).meta({ description: "Both ends included; the first 20." }),
  lost: z.array(lossShape).meta({ description: "What the relay had to give up; the last 20." }),
  interruptions: z.object({ ...interruptionTotals, last: interruptionShape.optional() }),
  other_sinks_lost: z.object({ events: count, last: sinkLossShape.optional() }),
});
export type LedgerFigures = z.infer<typeof ledgerFiguresShape>;

const ledgerShape = z
  .object({
    ...head,
    gaps: z
      .array(span)
      .meta({ description: "Sequence numbers that have not arrived; both ends included, at most 1,000." }),
    lost: z.array(lossShape).meta({ description: "What the relay had to give up; the oldest are joined." }),
    interruptions: z.object({
      ...interruptionTotals,
      recent: z.array(interruptionShape).meta({ description: "The newest 50, newest first; the totals are of all." }),
    }),
    other_sinks_lost: z
      .object({ events: count, recent: z.array(sinkLossShape) })
      .meta({ description: "What the relay could not bring to another of its sinks; the cloud has it." }),
  })
  .meta({ id: "Ledger" });
export type LedgerDetails = z.infer<typeof ledgerShape>;

export const ledgerPageShape = z
  .object({
    ledgers: z.array(ledgerShape),
    next: z.string().nullable().meta({ description: "The cursor of the next page; null when this is the last one." }),
  })
  .meta({ id: "LedgerPage" });
