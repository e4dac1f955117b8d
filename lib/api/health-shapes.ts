import * as z from "zod";
import { ledgerFiguresShape } from "./ledger-shapes.ts";

/** What `/health` answers: schemas of the document, and the types of what the health is gathered into. */

const time = z.string().meta({ format: "date-time" });
const count = z.int().nonnegative();

/**
 * - `ok`: works.
 * - `degraded`: works, but somebody should look.
 * - `down`: does not answer.
 */
export const PART_STATES = ["ok", "degraded", "down"] as const;
const state = z.enum(PART_STATES);

const queue = z.object({ waiting: count, in_flight: count, dead: count });
const relay = z.object({
  relay_id: z.string(),
  connected: z.boolean(),
  at: time,
  ha_state: z.string().optional(),
  ha_version: z.string().optional(),
  spool_bytes: count,
  spool_records: count,
  oldest_seconds: z.number().nonnegative(),
  rejected: count,
  clock_offset_ms: z.number().optional(),
});
const relayAtOnce = z.object({ relay_id: z.string(), first_at: time.optional(), last_sent_at: time });

export const partShape = z
  .object({
    name: z.string(),
    kind: z.enum(["store", "table", "queue", "relay", "ledger", "import"]),
    state,
    since: time.meta({ description: "Since when it has been in this state." }),
    detail: z.string(),
    queue: queue.optional(),
    relay: relay.optional(),
    ledger: ledgerFiguresShape.optional(),
    relays: z.array(relayAtOnce).optional().meta({ description: "Of `two_relays`: which send at once." }),
  })
  .meta({ id: "Part" });
export type Part = z.infer<typeof partShape>;

export const healthShape = z
  .object({
    status: state,
    at: time.optional(),
    version: z.string().optional(),
    home_id: z.string().optional(),
    parts: z.array(partShape).optional(),
  })
  .meta({ id: "Health", description: "Without a token only `status`." });
export interface Health {
  readonly status: Part["state"];
  readonly at: string;
  readonly version: string;
  /** Absent when only what serves every home was looked at. */
  readonly home_id?: string;
  readonly parts: readonly Part[];
}

export const readyShape = z.object({ status: z.literal("ready") }).meta({ id: "Ready" });
