import type { Intake } from "./intake.ts";
import { type Monitor, secondsSince } from "./monitor.ts";
import type { Spool } from "./ports.ts";
import type { SinkState } from "./ship.ts";

/** The relay's own health, as `GET /health` of the relay answers it: bytes, seconds, counts since the start (`losses`: of the spool's life). */
export interface RelayHealth {
  readonly home_id: string;
  readonly relay_id: string;
  readonly connected: boolean;
  readonly since: string;
  readonly ha_version?: string;
  readonly ha_state?: string;
  readonly last_error?: string;
  readonly spool: {
    readonly bytes: number;
    readonly records: number;
    readonly oldest_seconds: number;
    readonly last_error?: string;
  };
  readonly memory: { readonly records: number; readonly bytes: number };
  readonly sinks: readonly {
    readonly name: string;
    readonly cursor: number;
    readonly lag_records: number;
    readonly breaker: string;
    readonly messages: number;
    readonly last_error?: string;
  }[];
  readonly last_sequence: number;
  readonly admitted: number;
  readonly filtered: number;
  readonly repeated: number;
  readonly rejected: number;
  /** Attributes left out for their name (lib/relay/secrets.ts). */
  readonly stripped: number;
  /** Texts and states replaced by `[secret]`. */
  readonly redacted: number;
  readonly losses: number;
  /** Events a second over the last minute. */
  readonly rate: number;
  /** Our clock minus the other's, by whose clock it is. */
  readonly clock_offsets_ms: Readonly<Record<string, number>>;
}

export interface HealthParts {
  readonly homeId: string;
  readonly nowMs: number;
  readonly monitor: Monitor;
  readonly spool: Spool;
  readonly intake: Intake;
  readonly sinks: readonly SinkState[];
}

export function healthOf({ homeId, nowMs, monitor, spool, intake, sinks }: HealthParts): RelayHealth {
  const { connected, sinceMs, haVersion, haState, lastError } = monitor.connection;
  const state = spool.state();
  const memory = intake.state();
  return {
    home_id: homeId,
    relay_id: state.relayId,
    connected,
    since: new Date(sinceMs).toISOString(),
    ...(haVersion && { ha_version: haVersion }),
    ...(haState && { ha_state: haState }),
    ...(lastError && { last_error: lastError }),
    spool: {
      bytes: state.bytes,
      records: state.records,
      oldest_seconds: secondsSince(state.oldestAtMs, nowMs),
      ...(memory.lastError && { last_error: memory.lastError }),
    },
    memory: { records: memory.records, bytes: memory.bytes },
    sinks: sinks.map(({ name, cursor, lagRecords, breaker, messages, lastError: sinkError }) => ({
      name,
      cursor,
      lag_records: lagRecords,
      breaker,
      messages,
      ...(sinkError && { last_error: sinkError }),
    })),
    last_sequence: state.lastSequence,
    admitted: monitor.admitted,
    filtered: monitor.filtered,
    repeated: monitor.repeated,
    rejected: monitor.rejected,
    ...monitor.secrets,
    losses: state.losses,
    rate: monitor.ratePerSecond(),
    clock_offsets_ms: monitor.offsets,
  };
}

type Row = readonly [
  name: string,
  type: "gauge" | "counter",
  help: string,
  samples: readonly (readonly [string, number])[],
];

/** The same as OpenMetrics text (https://prometheus.io/docs/specs/om/open_metrics_spec/): a counter's sample ends with `_total`, the text with `# EOF`. */
export function metricsOf(health: RelayHealth): string {
  const one = (value: number) => [["", value]] as const;
  const bySink = (value: (sink: RelayHealth["sinks"][number]) => number) =>
    health.sinks.map((sink) => [`{sink="${sink.name}"}`, value(sink)] as const);
  const rows: readonly Row[] = [
    ["connected", "gauge", "1 while connected to Home Assistant", one(health.connected ? 1 : 0)],
    ["spool_bytes", "gauge", "Bytes of the records in the spool", one(health.spool.bytes)],
    ["spool_records", "gauge", "Records that some sink has not taken", one(health.spool.records)],
    ["spool_oldest_seconds", "gauge", "Age of the oldest of them", one(health.spool.oldest_seconds)],
    ["memory_records", "gauge", "Records that wait for the spool", one(health.memory.records)],
    ["last_sequence", "gauge", "The last number given", one(health.last_sequence)],
    ["sink_cursor", "gauge", "Everything up to this number was taken", bySink((sink) => sink.cursor)],
    ["sink_lag_records", "gauge", "Records the sink has not taken", bySink((sink) => sink.lag_records)],
    [
      "sink_breaker_open",
      "gauge",
      "1 while the breaker is not closed",
      bySink((s) => (s.breaker === "closed" ? 0 : 1)),
    ],
    ["sink_messages", "counter", "Messages taken", bySink((sink) => sink.messages)],
    ["events_admitted", "counter", "Events admitted", one(health.admitted)],
    ["events_filtered", "counter", "Events kept at home by include and exclude", one(health.filtered)],
    ["events_repeated", "counter", "Events that had come before", one(health.repeated)],
    ["events_rejected", "counter", "Events that could not be written", one(health.rejected)],
    ["attributes_stripped", "counter", "Attributes that stay home for their name", one(health.stripped)],
    ["texts_redacted", "counter", "Texts replaced because they carry a secret", one(health.redacted)],
    ["events_lost", "counter", "Events given up over the spool's life", one(health.losses)],
    [
      "clock_offset_seconds",
      "gauge",
      "Our clock minus the reference's",
      Object.entries(health.clock_offsets_ms).map(([name, ms]) => [`{reference="${name}"}`, ms / 1000] as const),
    ],
  ];
  const lines = rows.flatMap(([name, type, help, samples]) => [
    `# TYPE hearthline_relay_${name} ${type}`,
    `# HELP hearthline_relay_${name} ${help}.`,
    ...samples.map(([labels, v]) => `hearthline_relay_${name}${type === "counter" ? "_total" : ""}${labels} ${v}`),
  ]);
  return `${[...lines, "# EOF"].join("\n")}\n`;
}
