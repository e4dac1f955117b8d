import type { RelayHealth } from "./health-shape.ts";

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number | undefined];

interface Row {
  readonly name: string;
  readonly type: "gauge" | "counter" | "info" | "stateset";
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** Health as OpenMetrics text (https://prometheus.io/docs/specs/om/open_metrics_spec/): a counter's sample ends with `_total`, the text with `# EOF`. */
export function metricsOf(health: RelayHealth): string {
  const rows = [
    ...relayRows(health),
    ...spoolRows(health),
    ...sinkRows(health),
    ...outboxRows(health),
    ...counterRows(health),
  ];
  return `${rows.map(textOf).join("")}# EOF\n`;
}

const gauge = (name: string, help: string, value: number | undefined): Row => ({
  name,
  type: "gauge",
  help,
  samples: [[{}, value]],
});
const counter = (name: string, help: string, value: number): Row => ({ ...gauge(name, help, value), type: "counter" });
const secondsOf = (iso: string): number => Date.parse(iso) / 1000;

const relayRows = (health: RelayHealth): readonly Row[] => [
  {
    name: "status",
    type: "stateset",
    help: "How the relay is.",
    samples: ["ok", "degraded", "down"].map((status) => [
      { hearthline_relay_status: status },
      Number(health.status === status),
    ]),
  },
  {
    name: "home_assistant",
    type: "info",
    help: "The Home Assistant that it last was connected with.",
    samples: [[{ version: health.ha_version ?? "", state: health.ha_state ?? "" }, 1]],
  },
  gauge("start_time_seconds", "When the relay was started, as Unix time.", secondsOf(health.started_at)),
  gauge("connected", "1 while connected to Home Assistant.", Number(health.connected)),
  gauge("connection_since_seconds", "Since when it is connected, or is not, as Unix time.", secondsOf(health.since)),
  gauge("events_per_second", "Events admitted a second, over the last minute.", health.rate),
  gauge("resident_memory_bytes", "Resident memory of the process.", health.process?.rss_bytes),
  gauge(
    "event_loop_lag_seconds",
    "The longest time that the event loop was held up, over the last minute.",
    health.process && health.process.loop_lag_ms / 1000,
  ),
  {
    name: "clock_offset_seconds",
    type: "gauge",
    help: "This machine's clock minus the reference's.",
    samples: Object.entries(health.clock_offsets_ms).map(([reference, ms]) => [{ reference }, ms / 1000]),
  },
];

const spoolRows = ({ spool, memory, last_sequence }: RelayHealth): readonly Row[] => [
  gauge("spool_bytes", "Bytes of the records in the spool.", spool.bytes),
  gauge("spool_max_bytes", "The bound of the spool.", spool.max_bytes),
  gauge("spool_records", "Records that some sink has not taken.", spool.records),
  gauge("spool_oldest_seconds", "Age of the oldest of them.", spool.oldest_seconds),
  gauge("disk_free_bytes", "What is free where the spool lies.", spool.disk_free_bytes),
  gauge("memory_records", "Records that wait for the spool.", memory.records),
  gauge("memory_bytes", "About what these take.", memory.bytes),
  gauge("last_sequence", "The last number given.", last_sequence),
];

function sinkRows({ sinks }: RelayHealth): readonly Row[] {
  const row = (name: string, help: string, value: (sink: RelayHealth["sinks"][number]) => number | undefined): Row => ({
    name: `sink_${name}`,
    type: "gauge",
    help,
    samples: sinks.map((sink) => [{ sink: sink.name }, value(sink)]),
  });
  return [
    row("cursor", "Everything up to this number was taken.", (sink) => sink.cursor),
    row("lag_records", "Records that the sink has not taken.", (sink) => sink.lag_records),
    row("lag_seconds", "Age of the oldest of them.", (sink) => sink.lag_seconds),
    row("breaker_open", "1 while the breaker is not closed.", (sink) => Number(sink.breaker !== "closed")),
    row("taken_time_seconds", "When it last took something, as Unix time.", (sink) =>
      sink.taken_at === undefined ? undefined : secondsOf(sink.taken_at),
    ),
    { ...row("messages", "Messages taken.", (sink) => sink.messages), type: "counter" },
    { ...row("lost", "Events that the sink refused.", (sink) => sink.lost), type: "counter" },
  ];
}

const outboxRows = ({ outbox }: RelayHealth): readonly Row[] =>
  outbox === undefined
    ? []
    : [
        gauge("outbox_waiting", "Items of the outbox that are not done yet.", outbox.waiting),
        gauge(
          "outbox_breaker_open",
          "1 while the API or the broker does not take part.",
          Number(outbox.breaker !== "closed"),
        ),
        counter("outbox_delivered", "Items done.", outbox.delivered),
        counter("outbox_failed", "Items that can never be done.", outbox.failed),
      ];

const counterRows = (health: RelayHealth): readonly Row[] => [
  counter("events_admitted", "Events admitted.", health.admitted),
  counter("events_filtered", "Events kept at home by include and exclude.", health.filtered),
  counter("events_repeated", "Events that had come before.", health.repeated),
  counter("events_rejected", "Events that could not be written.", health.rejected),
  counter("attributes_excluded", "Attributes that the owner's rules keep at home.", health.excluded_attributes),
  counter("attributes_stripped", "Attributes that stay home for their name.", health.stripped),
  counter("texts_redacted", "Texts replaced because they carry a secret.", health.redacted),
  counter("events_lost", "Events given up over the spool's life.", health.losses),
  counter("gaps", "Times in which nothing was heard.", health.gaps.count),
  counter("gap_records_recovered", "Records that the recorder gave of these times.", health.gaps.recovered),
];

const SUFFIX = { gauge: "", counter: "_total", info: "_info", stateset: "" } as const;

/** A family without samples is left out whole. */
function textOf({ name, type, help, samples }: Row): string {
  const known = samples.filter(([, value]) => value !== undefined);
  if (known.length === 0) return "";
  const family = `hearthline_relay_${name}`;
  const lines = known.map(([labels, value]) => `${family}${SUFFIX[type]}${labelsOf(labels)} ${value}\n`);
  return `# TYPE ${family} ${type}\n# HELP ${family} ${escaped(help)}\n${lines.join("")}`;
}

function labelsOf(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
