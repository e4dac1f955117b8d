import type { RelayStatus } from "../devices/index.ts";
import type { LedgerRow } from "../ingest/index.ts";
import type { Part } from "./health-shapes.ts";
import { ledgerFigures } from "./ledger-figures.ts";
import type { LedgerFigures } from "./ledger-shapes.ts";
import { interruptionWords, otherSinkWords } from "./ledger-words.ts";
import type { QueueDepth } from "./ports.ts";

/** A part and its state, before it is known since when. */
export type Finding = Omit<Part, "since">;

/** A gap in the sequence that stays longer is no overtaking any more. */
const GAP_MAX_MS = 300_000;

/** So long a relay may say nothing, its flush interval apart. */
export const RELAY_QUIET_SECONDS = 360;

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

/** A relay that has nothing new to say speaks every five minutes (it looks every minute), and sends that after its flush interval: two of them may lie between two sights of it. */
const quietSecondsOf = ({ flushSeconds = 0 }: RelayStatus): number => RELAY_QUIET_SECONDS + 2 * flushSeconds;

export interface RelayTimes {
  readonly nowMs: number;
  /** For a relay that does not say how long it collects. */
  readonly silentSeconds: number;
  /** When the ledger last took something of a relay, by our clock; undefined: not known. */
  heardAtMs(relayId: string): number | undefined;
}

/**
 * A relay that fell silent after another one took its place is not missed. A status carries the relay's own time: with a clock that is ahead a dead relay would
 * live on for hours, and with one that is behind a living one would be dead. So what counts is when something of it came.
 */
export function judgeRelays(
  statuses: readonly RelayStatus[],
  { nowMs, silentSeconds, heardAtMs }: RelayTimes,
): Finding[] {
  if (statuses.length === 0) {
    return [{ name: "relay", kind: "relay", state: "degraded", detail: "No relay of this home has reported yet." }];
  }
  const heardMsOf = ({ relayId, at }: RelayStatus): number => heardAtMs(relayId) ?? Date.parse(at);
  const newest = Math.max(...statuses.map(heardMsOf));
  return statuses.map((status) => {
    const silentMs = nowMs - heardMsOf(status);
    const isSilent = silentMs > Math.max(silentSeconds, quietSecondsOf(status)) * 1000;
    const isReplaced = isSilent && heardMsOf(status) < newest;
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
  const { missing } = figures;
  const isLate = missing > 0 && gapMs > GAP_MAX_MS;
  const rest = isLate
    ? `${missing} after that have been missing for ${Math.round(gapMs / 60_000)} min.`
    : `${missing} after that are still on their way.`;
  const said = [
    wholeWords(figures),
    missing > 0 ? rest : undefined,
    interruptionWords(figures.interruptions),
    otherSinkWords(figures.other_sinks_lost),
  ];
  return {
    name: `ledger:${row.relayId}`,
    kind: "ledger",
    state: isLate ? "degraded" : "ok",
    detail: said.filter((words) => words !== undefined).join(" "),
    ledger: figures,
  };
}

function wholeWords({ lost_records: lost, complete_up_to: upTo, interruptions }: LedgerFigures): string {
  if (lost > 0) return `Accounted for up to ${upTo}; the relay gave up ${lost} of them.`;
  // What nobody heard has no number, so a ledger without a hole does not speak of it.
  return interruptions.incomplete > 0
    ? `Nothing that the relay heard is lost up to ${upTo}.`
    : `Nothing lost up to ${upTo}.`;
}

/** Nobody waits for the rest of an import: whoever stopped it starts it again. */
export function judgeImport(row: LedgerRow): Finding {
  const figures = ledgerFigures(row);
  const rest = figures.missing > 0 ? ", and is not through yet" : "";
  return {
    name: `import:${row.relayId}`,
    kind: "import",
    state: "ok",
    detail: `Brought ${figures.records} records${rest}.`,
    ledger: figures,
  };
}
