import { isImport, type LedgerRow } from "../ingest/index.ts";
import type { Finding } from "./health-rules.ts";

/** A relay that has sent within this time is active. */
const ACTIVE_MS = 15 * 60_000;
/** One relay takes another's place within minutes, and what the old one still had on its way comes meanwhile. */
const OVERLAP_MS = 5 * 60_000;

/**
 * Relays that send beside one another for a home: each is active now, and both were after the later one had begun. A relay that took another's place is none
 * of them, nor is an import. By relay id.
 * `activeMs`: what counts as active when relays send more seldom than usual.
 */
export function relaysAtOnce(
  rows: readonly LedgerRow[],
  { nowMs, activeMs = 0 }: { nowMs: number; activeMs?: number },
): LedgerRow[] {
  const sentMs = ({ lastSentAt }: LedgerRow) => (lastSentAt === undefined ? Number.NaN : Date.parse(lastSentAt));
  // A row without the member is older than it: it began before any that has it.
  const beganMs = ({ firstAt }: LedgerRow) => (firstAt === undefined ? Number.NEGATIVE_INFINITY : Date.parse(firstAt));
  const active = rows.filter((row) => !isImport(row.relayId) && nowMs - sentMs(row) <= Math.max(ACTIVE_MS, activeMs));
  const overlapMs = (a: LedgerRow, b: LedgerRow) => Math.min(sentMs(a), sentMs(b)) - Math.max(beganMs(a), beganMs(b));
  return active.filter((row) => active.some((other) => other !== row && overlapMs(row, other) > OVERLAP_MS));
}

/** The warning about them; none when a home has one relay, as it should. */
export function judgeTwoRelays(rows: readonly LedgerRow[], now: { nowMs: number; activeMs?: number }): Finding[] {
  const relays = relaysAtOnce(rows, now);
  if (relays.length === 0) return [];
  const names = relays.map(({ relayId, lastSentAt = "" }) => `"${relayId}" (last heard ${lastSentAt})`).join(" and ");
  return [
    {
      name: "two_relays",
      kind: "relay",
      state: "degraded",
      detail: `${relays.length === 2 ? "Two" : relays.length} relays send for this home at once: ${names}. Events are stored once all the same, but one relay is enough: stop the other.`,
      relays: relays.map(({ relayId, firstAt, lastSentAt = "" }) => ({
        relay_id: relayId,
        ...(firstAt !== undefined && { first_at: firstAt }),
        last_sent_at: lastSentAt,
      })),
    },
  ];
}
