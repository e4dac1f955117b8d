import { type Health, PART_STATES } from "./health-shapes.ts";
import { migrationFamilies } from "./migration-metrics.ts";
import { type Family, familyText, gauge } from "./openmetrics.ts";
import type { WireMigrationMetrics } from "./wire.ts";

/** Source: the OpenMetrics specification 1.0, "Media Type". */
export const OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

export interface MetricsOptions {
  /** Also what only a token's owner may see. */
  readonly details: boolean;
  readonly migration?: WireMigrationMetrics | undefined;
}

/** Health as OpenMetrics text, with its end mark. */
export function openMetrics(health: Health, { details, migration }: MetricsOptions): string {
  const families = [
    statusFamily(health),
    ...(details ? detailFamilies(health) : []),
    ...(migration ? migrationFamilies(migration) : []),
  ];
  return `${families
    .filter(({ samples }) => samples.length > 0)
    .map(familyText)
    .join("")}# EOF\n`;
}

const statusFamily = (health: Health): Family => ({
  name: "hearthline_status",
  type: "stateset",
  help: "How the whole is.",
  samples: PART_STATES.map((state) => ({
    labels: { hearthline_status: state },
    value: Number(health.status === state),
  })),
});

function detailFamilies({ version, parts }: Health): Family[] {
  return [
    {
      name: "hearthline_build",
      type: "info",
      help: "The program.",
      samples: [{ labels: { version }, value: 1, suffix: "_info" }],
    },
    {
      name: "hearthline_part_state",
      type: "stateset",
      help: "How each part is.",
      samples: parts.flatMap((part) =>
        PART_STATES.map((state) => ({
          labels: { part: part.name, kind: part.kind, hearthline_part_state: state },
          value: Number(part.state === state),
        })),
      ),
    },
    gauge("hearthline_part_since_seconds", "When each part came into its state, as Unix time.", parts, (part) => ({
      part: part.name,
      "": Date.parse(part.since) / 1000,
    })),
    ...queueFamilies(parts),
    ...relayFamilies(parts),
    ...ledgerFamilies(parts),
  ];
}

type Parts = Health["parts"];

function queueFamilies(parts: Parts): Family[] {
  const queues = parts.flatMap(({ name, queue }) => (queue ? [{ queue: name.replace(/^queue:/, ""), ...queue }] : []));
  return [
    {
      name: "hearthline_queue_messages",
      type: "gauge",
      help: "Messages in each queue and its dead-letter queue.",
      samples: queues.flatMap(({ queue, waiting, in_flight, dead }) =>
        Object.entries({ waiting, in_flight, dead }).map(([state, value]) => ({ labels: { queue, state }, value })),
      ),
    },
  ];
}

function relayFamilies(parts: Parts): Family[] {
  const relays = parts.flatMap(({ relay }) => (relay ? [relay] : []));
  const of = (name: string, help: string, value: (relay: (typeof relays)[number]) => number | undefined) =>
    gauge(name, help, relays, (relay) => ({ relay: relay.relay_id, "": value(relay) }));
  return [
    of("hearthline_relay_connected", "1 while connected to Home Assistant.", (relay) => Number(relay.connected)),
    of("hearthline_relay_spool_bytes", "What the relay holds on its disk.", (relay) => relay.spool_bytes),
    of("hearthline_relay_spool_records", "Records that wait to be sent.", (relay) => relay.spool_records),
    of("hearthline_relay_oldest_seconds", "Age of the oldest record that waits.", (relay) => relay.oldest_seconds),
    of(
      "hearthline_relay_clock_offset_ms",
      "Home Assistant's clock against the relay's.",
      (relay) => relay.clock_offset_ms,
    ),
  ];
}

function ledgerFamilies(parts: Parts): Family[] {
  const ledgers = parts.flatMap(({ ledger }) => (ledger ? [ledger] : []));
  const of = (name: string, help: string, value: (ledger: (typeof ledgers)[number]) => number) =>
    gauge(name, help, ledgers, (ledger) => ({ relay: ledger.relay_id, "": value(ledger) }));
  const counted = (family: Family): Family => ({
    ...family,
    type: "counter",
    samples: family.samples.map((sample) => ({ ...sample, suffix: "_total" })),
  });
  return [
    of(
      "hearthline_ledger_complete_up_to",
      "Every record up to this sequence number is accounted for.",
      (ledger) => ledger.complete_up_to,
    ),
    of("hearthline_ledger_missing_records", "Records after that which have not arrived.", (ledger) => ledger.missing),
    counted(of("hearthline_ledger_lost_records", "Records that the relay gave up.", (ledger) => ledger.lost_records)),
    counted(
      of(
        "hearthline_ledger_interruptions",
        "Times in which the relay heard nothing.",
        (ledger) => ledger.interruptions.count,
      ),
    ),
    counted(
      of(
        "hearthline_ledger_incomplete_interruptions",
        "Of these, for which Home Assistant's recorder could not give everything.",
        (ledger) => ledger.interruptions.incomplete,
      ),
    ),
    counted(
      of(
        "hearthline_ledger_recovered_events",
        "Events that the recorder gave afterwards.",
        (ledger) => ledger.interruptions.recovered,
      ),
    ),
    counted(of("hearthline_ledger_records", "Records that arrived.", (ledger) => ledger.records)),
    counted(of("hearthline_ledger_rejected_records", "Records that were set aside.", (ledger) => ledger.rejected)),
    counted(
      of(
        "hearthline_ledger_duplicate_records",
        "Records that arrived again and were dropped.",
        (ledger) => ledger.duplicates,
      ),
    ),
  ];
}
