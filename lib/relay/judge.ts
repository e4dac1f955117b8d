import type { HealthFacts, Reason, RelayHealth, Verdict } from "./health-shape.ts";

/** A restart of Home Assistant takes half a minute: until then nobody need be called. */
const DISCONNECTED_DOWN_SECONDS = 120;
/** A sink that takes nothing for so long while records wait for it. */
const SINK_BEHIND_SECONDS = 300;
/** Of the spool's bound. */
const SPOOL_FILLING = 0.8;
/** So little disk leaves no room for a bad day. */
const DISK_LOW_BYTES = 268_435_456;
/** As the relay's log has it: AWS refuses signatures from five minutes on. */
const CLOCK_OFF_MS = 60_000;
/** How long a loss is shown as news. */
const LOSS_NEWS_SECONDS = 86_400;

type Facts = HealthFacts;
type Rule = (facts: Facts, nowMs: number) => readonly Reason[];

/** Judges what health holds. */
export function judge(facts: Facts, nowMs: number): Verdict {
  const reasons = RULES.flatMap((rule) => rule(facts, nowMs));
  const sorted = [...reasons.filter(isDown), ...reasons.filter((reason) => !isDown(reason))];
  return { status: sorted[0]?.severity ?? "ok", reasons: sorted };
}

const isDown = ({ severity }: Reason): boolean => severity === "down";
const countText = (count: number): string => count.toLocaleString("en");
const secondsFrom = (iso: string, nowMs: number): number => Math.max(0, (nowMs - Date.parse(iso)) / 1000);
/** Messages of ours end with a full stop, those of others as they like. */
const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

const connection: Rule = ({ connected, since, last_error, refused, ha_state }, nowMs) => {
  if (!connected) {
    const seconds = secondsFrom(since, nowMs);
    const isLong = seconds >= DISCONNECTED_DOWN_SECONDS;
    return [
      {
        code: refused ? "home_assistant_refuses" : "home_assistant_away",
        severity: isLong || refused ? "down" : "degraded",
        text: `Home Assistant is not connected${last_error ? `: ${sentence(last_error)}` : "."}`,
        advice: refused
          ? "A person has to act. For a refused token: make a new long-lived access token in your Home Assistant profile (Security), put it into the relay's settings, and start the relay again."
          : "The relay tries again by itself, and asks Home Assistant's recorder for what it missed. If this stays, check that Home Assistant runs and that the address is right.",
      },
    ];
  }
  if (ha_state === undefined || ha_state === "RUNNING") return [];
  return [
    {
      code: "home_assistant_starting",
      severity: "degraded",
      text: `Home Assistant is connected but not ready (${ha_state.toLowerCase().replaceAll("_", " ")}).`,
      advice: "Nothing to do: the relay reads everything again when Home Assistant runs.",
    },
  ];
};

const spool: Rule = ({ spool: { bytes, max_bytes, disk_free_bytes, last_error }, memory }) => {
  const reasons: Reason[] = [];
  if (last_error) {
    reasons.push({
      code: "spool_failed",
      severity: "down",
      text: `The relay cannot write to its disk: ${sentence(last_error)} ${countText(memory.records)} records wait in memory.`,
      advice:
        "Free some disk space, or check the disk. As soon as it can be written, everything in memory goes to it; a restart before that loses what is in memory.",
    });
  }
  if (max_bytes !== undefined && bytes >= max_bytes * SPOOL_FILLING) {
    reasons.push({
      code: "spool_filling",
      severity: "degraded",
      text: `${Math.floor((bytes / max_bytes) * 100)} % of the space for waiting events is used.`,
      advice:
        "When it is full, the oldest events are given up (each is counted). Bring back whatever does not take events, or allow more space (HEARTHLINE_SPOOL_MAX_MB).",
    });
  }
  if (disk_free_bytes !== undefined && disk_free_bytes < DISK_LOW_BYTES) {
    reasons.push({
      code: "disk_low",
      severity: "degraded",
      text: `Only ${Math.floor(disk_free_bytes / 1_048_576)} MiB of the disk are free.`,
      advice: "Free some disk space: events wait on this disk while they cannot be sent.",
    });
  }
  return reasons;
};

const SINK_NAMES: Readonly<Record<string, string>> = { cloud: "Your cloud", old: "Your old pipeline" };

const sinks: Rule = ({ sinks: all }) => all.flatMap(behind);

function behind(sink: RelayHealth["sinks"][number]): readonly Reason[] {
  const { name, breaker, lag_records, lag_seconds, last_error } = sink;
  const isFailing = last_error !== undefined && lag_records > 0;
  if (breaker === "closed" && !(isFailing && lag_seconds >= SINK_BEHIND_SECONDS)) return [];
  return [
    {
      code: "sink_behind",
      severity: "degraded",
      text: `${SINK_NAMES[name] ?? `"${name}"`} does not take events${last_error ? `: ${sentence(last_error)}` : "."} ${countText(lag_records)} records wait for it.`,
      advice:
        "They are safe on disk and are sent when it takes them again. If this stays, check the internet connection and the credentials.",
    },
  ];
}

const outbox: Rule = ({ outbox: state }) =>
  state?.last_error === undefined || state.breaker === "closed"
    ? []
    : [
        {
          code: "outbox_waits",
          severity: "degraded",
          text: `What the cloud asks for cannot be done: ${sentence(state.last_error)}`,
          advice:
            "It waits and is tried again. If this stays, check the MQTT broker and HEARTHLINE_MQTT_URL, HEARTHLINE_URL and HEARTHLINE_TOKEN. Events are not affected.",
        },
      ];

const losses: Rule = ({ losses: count, lost_at }, nowMs) =>
  lost_at === undefined || secondsFrom(lost_at, nowMs) > LOSS_NEWS_SECONDS
    ? []
    : [
        {
          code: "events_lost",
          severity: "degraded",
          text: `Events were given up within the last day (${countText(count)} since this relay began).`,
          advice: "Each loss is recorded with its numbers, times and reason, and is in the ledger of the cloud.",
        },
      ];

const clocks: Rule = ({ clock_offsets_ms }) => {
  const [worst] = Object.entries(clock_offsets_ms).toSorted(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  if (!worst || Math.abs(worst[1]) <= CLOCK_OFF_MS) return [];
  const [reference, offsetMs] = worst;
  const way = offsetMs > 0 ? "ahead of" : "behind";
  return [
    {
      code: "clock_off",
      severity: "degraded",
      text: `This machine's clock is ${Math.round(Math.abs(offsetMs) / 1000)} s ${way} that of ${reference.replaceAll("_", " ")}.`,
      advice:
        "Let the machines set their clocks by NTP: AWS refuses what is signed with a clock that is five minutes off.",
    },
  ];
};

const RULES: readonly Rule[] = [connection, spool, sinks, losses, outbox, clocks];
