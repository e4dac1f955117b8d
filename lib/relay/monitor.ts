import type { Clock } from "../base/clock.ts";
import { parseIsoUs } from "../base/time.ts";
import type { RelaySinkStatus } from "../event/index.ts";
import type { AttributeCount } from "./attribute-filter.ts";
import type { Gap } from "./health-shape.ts";
import type { HaConfig, SpoolState } from "./ports.ts";
import { noSecrets } from "./secrets.ts";
import type { SinkState } from "./ship.ts";
import type { NewStatus } from "./status-news.ts";

/** Over so many seconds the rate is taken. */
const RATE_SECONDS = 60;

/** What the relay knows of itself: counters and the state of its connection. */
export interface Connection {
  readonly connected: boolean;
  readonly sinceMs: number;
  readonly haVersion?: string;
  readonly haState?: HaConfig["state"];
  /** Why there is no connection. Never a secret: messages of ours carry none. */
  readonly lastError?: string;
  /** Only a person can help: the token, the address or the certificate is wrong. */
  readonly isRefused?: boolean;
}

/** What of a status others know. */
interface StatusParts {
  readonly flushMs?: number;
  readonly batchRecords?: number;
  readonly publishes?: boolean;
  readonly sinks: readonly SinkState[];
}

export class Monitor {
  readonly #clock: Clock;
  readonly #offsets = new Map<string, number>();
  readonly #perSecond = new Map<number, number>();
  connection: Connection;
  /** Since the start, at least once. */
  hasConnected = false;
  rejected = 0;
  filtered = 0;
  repeated = 0;
  admitted = 0;
  readonly secrets = noSecrets();
  readonly attributes: AttributeCount = { excluded: 0 };
  readonly startedAtMs: number;
  gaps: { readonly count: number; readonly recovered: number; readonly last?: Gap } = { count: 0, recovered: 0 };
  /** When the spool's losses were last seen to grow, since the start. */
  lostAtMs: number | undefined;
  #losses: number | undefined;
  /** Of the last minute: the smallest distance of our clock to the stamp of an event that has just come. */
  #eventOffsetMs: number | undefined;
  #eventComparedSecond = -1;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.startedAtMs = clock.nowMs();
    this.connection = { connected: false, sinceMs: this.startedAtMs };
  }

  /** Keeps `sinceMs` when only details change. */
  setConnection(connected: boolean, details: Omit<Connection, "connected" | "sinceMs"> = {}): void {
    const sinceMs = connected === this.connection.connected ? this.connection.sinceMs : this.#clock.nowMs();
    this.connection = { connected, sinceMs, ...details };
    this.hasConnected ||= connected;
  }

  countAdmitted(): void {
    this.admitted += 1;
    const second = Math.floor(this.#clock.monotonicMs() / 1000);
    this.#perSecond.set(second, (this.#perSecond.get(second) ?? 0) + 1);
    if (this.#perSecond.size > RATE_SECONDS * 2) this.#forgetBefore(second - RATE_SECONDS);
  }

  /** Events admitted a second, over so many whole seconds before this one; at most a minute. */
  ratePerSecond(seconds = RATE_SECONDS): number {
    const second = Math.floor(this.#clock.monotonicMs() / 1000);
    this.#forgetBefore(second - RATE_SECONDS);
    let sum = 0;
    for (const [at, count] of this.#perSecond) if (at >= second - seconds && at < second) sum += count;
    return Math.round((sum / seconds) * 1000) / 1000;
  }

  /** A time in which nothing was heard has been looked into. */
  noteGap({ from, to, cause, entities, recovered, complete }: Gap): void {
    const { count, recovered: before } = this.gaps;
    const last = { from, to, cause, entities, recovered, complete };
    this.gaps = { count: count + 1, recovered: before + recovered, last };
  }

  /** The spool's losses, whenever they are looked at: what it lost before the start is not counted as lost now. */
  noteLosses(losses: number): void {
    if (this.#losses !== undefined && losses > this.#losses) this.lostAtMs = this.#clock.nowMs();
    this.#losses = losses;
  }

  /** An event can only come late: the least late one of a minute tells the most of the clocks. One a second is looked at. */
  noteEventTime(timeFired: unknown): void {
    const second = Math.floor(this.#clock.monotonicMs() / 1000);
    if (second === this.#eventComparedSecond || typeof timeFired !== "string") return;
    this.#eventComparedSecond = second;
    try {
      const offsetMs = this.#clock.nowMs() - parseIsoUs(timeFired) / 1000;
      if (this.#eventOffsetMs === undefined || Math.abs(offsetMs) < Math.abs(this.#eventOffsetMs)) {
        this.#eventOffsetMs = offsetMs;
      }
    } catch {
      // `enrich` names the bad time; of the clocks it says nothing.
    }
  }

  /** Ends the minute in which events were compared. */
  takeEventOffset(): void {
    if (this.#eventOffsetMs !== undefined) this.setOffset("home_assistant_events", this.#eventOffsetMs);
    this.#eventOffsetMs = undefined;
  }

  /** Our clock minus the other's. */
  setOffset(reference: string, offsetMs: number): void {
    this.#offsets.set(reference, Math.round(offsetMs));
  }

  /** By reference. */
  get offsets(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#offsets);
  }

  /** The largest of the offsets, whichever way; positive: our clock is ahead. */
  get clockOffsetMs(): number | undefined {
    return [...this.#offsets.values()].toSorted((a, b) => Math.abs(b) - Math.abs(a))[0];
  }

  /** The status as a record of the journal; `flushMs` and `batchRecords` are the cloud's sink's. */
  record(spool: SpoolState, { flushMs, batchRecords, publishes, sinks }: StatusParts): NewStatus {
    const { connected, sinceMs, haState, haVersion, lastError } = this.connection;
    const nowMs = this.#clock.nowMs();
    const offsetMs = this.clockOffsetMs;
    return {
      t: "relay",
      at: new Date(nowMs).toISOString(),
      connected,
      since: new Date(sinceMs).toISOString(),
      ...(haState && { ha_state: haState.slice(0, 32) }),
      ...(haVersion && { ha_version: haVersion.slice(0, 32) }),
      spool_bytes: spool.bytes,
      spool_records: spool.records,
      oldest_seconds: secondsSince(spool.oldestAtMs, nowMs),
      rejected: this.rejected,
      ...(offsetMs !== undefined && { clock_offset_ms: offsetMs }),
      ...(flushMs !== undefined && { flush_seconds: flushMs / 1000 }),
      ...(batchRecords !== undefined && { batch_records: batchRecords }),
      ...(publishes !== undefined && { publishes }),
      ...(lastError && { last_error: lastError.slice(0, 400) }),
      sinks: sinks.slice(0, STATUS_SINKS_MAX).map((sink) => sinkStatusOf(sink, nowMs)),
    };
  }

  #forgetBefore(second: number): void {
    for (const key of this.#perSecond.keys()) if (key < second) this.#perSecond.delete(key);
  }
}

/** As the record's schema has it. */
const STATUS_SINKS_MAX = 8;

const sinkStatusOf = (
  { name, cursor, lagRecords, oldestAtMs, lost, messages, breaker, isOff }: SinkState,
  nowMs: number,
): RelaySinkStatus => ({
  name,
  acknowledged: cursor,
  lag_records: lagRecords,
  lag_seconds: lagRecords === 0 ? 0 : secondsSince(oldestAtMs, nowMs),
  lost,
  messages,
  breaker,
  state: isOff ? "off" : "on",
});

/** 0 when there is nothing, or the clock was set back. */
export const secondsSince = (atMs: number | undefined, nowMs: number): number =>
  atMs === undefined ? 0 : Math.max(0, Math.round((nowMs - atMs) / 1000));
