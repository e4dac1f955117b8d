import type { RelayStatus } from "../devices/index.ts";
import type { LedgerRow } from "../ingest/index.ts";
import type { Part } from "./health-shapes.ts";
import { ledgerFigures } from "./ledger-figures.ts";
import type { QueueDepth } from "./ports.ts";

/** A part and its state, before it is known since when. */
export type Finding = Omit<Part, "since">;

/** A gap in the sequence that stays longer is no overtaking any more. */
const GAP_MAX_MS = 300_000;

const CONSUMERS: Readonly<Record<string, string>> = {
  events: "enrich",
  store: "store",
  index: "index-devices",
  analysis: "analyze",
};

export function judgeQueue({ name, visible, inFlight, dead }: QueueDepth): Finding {
  const consumer = CONSUMERS[name] ?? "its function";
  return {
    name: `queue:${name}`,
    kind: "queue",
    state: dead > 0 ? "degraded" : "ok",
    detail:
      dead > 0
        ? `${dead} set aside: see "hearthline queues peek ${name}-dead".`
        : `${visible + inFlight} on the way to ${consumer}.`,
    queue: { waiting: visible, in_flight: inFlight, dead },
  };
}

/** A relay that fell silent after another one took its place is not missed. */
export function judgeRelays(
  statuses: readonly RelayStatus[],
  { nowMs, silentSeconds }: { readonly nowMs: number; readonly silentSeconds: number },
): Finding[] {
  if (statuses.length === 0) {
    return [{ name: "relay", kind: "relay", state: "degraded", detail: "No relay of this home has reported yet." }];
  }
  const newest = Math.max(...statuses.map((status) => Date.parse(status.at)));
  return statuses.map((status) => {
    const silentMs = nowMs - Date.parse(status.at);
    const isSilent = silentMs > silentSeconds * 1000;
    const isReplaced = isSilent && Date.parse(status.at) < newest;
    const isWell = isReplaced || (!isSilent && status.connected);
    return {
      name: `relay:${status.relayId}`,
      kind: "relay",
      state: isWell ? "ok" : "degraded",
      detail: relayDetail(status, { isSilent, isReplaced, silentMs }),
      relay: relayFigures(status),
    };
  });
}

function relayDetail(status: RelayStatus, seen: { isSilent: boolean; isReplaced: boolean; silentMs: number }): string {
  if (seen.isReplaced) return "Another relay has taken its place.";
  if (seen.isSilent) return `Has said nothing for ${Math.round(seen.silentMs / 60_000)} min.`;
  if (!status.connected) {
    const why = status.lastError === undefined ? "" : `: ${status.lastError.replace(/\.$/, "")}`;
    return `Not connected to Home Assistant since ${status.since}${why}.`;
  }
  const version = status.haVersion === undefined ? "" : ` ${status.haVersion}`;
  return `Connected to Home Assistant${version}.`;
}

function relayFigures(status: RelayStatus): Finding["relay"] {
  return {
    relay_id: status.relayId,
    connected: status.connected,
    at: status.at,
    ...(status.haState !== undefined && { ha_state: status.haState }),
    ...(status.haVersion !== undefined && { ha_version: status.haVersion }),
    spool_bytes: status.spoolBytes,
    spool_records: status.spoolRecords,
    oldest_seconds: status.oldestSeconds,
    rejected: status.rejected,
    ...(status.clockOffsetMs !== undefined && { clock_offset_ms: status.clockOffsetMs }),
  };
}

/** `gapMs`: for how long the first gap, if there is one, has been there. */
export function judgeLedger(row: LedgerRow, gapMs: number): Finding {
  const figures = ledgerFigures(row);
  const { lost_records: lost, missing, complete_up_to: upTo } = figures;
  const whole =
    lost > 0 ? `Accounted for up to ${upTo}; the relay gave up ${lost} of them.` : `Nothing lost up to ${upTo}.`;
  const isLate = missing > 0 && gapMs > GAP_MAX_MS;
  const rest = isLate
    ? ` ${missing} after that have been missing for ${Math.round(gapMs / 60_000)} min.`
    : ` ${missing} after that are still on their way.`;
  return {
    name: `ledger:${row.relayId}`,
    kind: "ledger",
    state: isLate ? "degraded" : "ok",
    detail: missing > 0 ? whole + rest : whole,
    ledger: figures,
  };
}
