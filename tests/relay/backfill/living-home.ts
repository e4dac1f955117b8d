import { createMemoryLastKnown } from "../../../lib/adapters/memory/last-known.ts";
import { createMemorySpool } from "../../../lib/adapters/memory/spool.ts";
import { formatIsoUs, parseIsoUs } from "../../../lib/base/time.ts";
import type { RelayRecord } from "../../../lib/event/index.ts";
import { createRelay, type Relay, type RelayOptions } from "../../../lib/relay/index.ts";
import type {
  HaState,
  HistoryRow,
  HomeAssistant,
  LastKnownStore,
  Spool,
  SpoolEntry,
} from "../../../lib/relay/ports.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";
import { FakeHomeAssistant, keepLog, pass } from "../fakes.ts";

/** What happened in the home, told by nobody yet. */
export interface Happened {
  readonly entityId: string;
  readonly atUs: number;
  readonly state: string | null;
  /** Home Assistant had it no more, or had just started. */
  readonly isAgain: boolean;
  readonly isChange: boolean;
  readonly isRecorded: boolean;
}

const CONTEXT = { id: "01ARZ3NDEKTSV4RRFFQ69G5FAV", parent_id: null, user_id: null };

/** A Home Assistant whose things change, with a recorder that commits late, forgets what it had not committed, and leaves some entities out. */
export class LivingHome {
  readonly clock: ManualClock;
  readonly ha = new FakeHomeAssistant();
  readonly states = new Map<string, HaState>();
  readonly happened: Happened[] = [];
  /** Not in the recorder. */
  readonly excluded: Set<string>;
  #waiting: { readonly entityId: string; readonly row: HistoryRow; readonly happened: Happened }[] = [];
  #lastUs = 0;
  /** So much the relay's clock is ahead of this home's. */
  behindMs = 0;
  #isCommitting = true;

  constructor(clock: ManualClock, excluded: readonly string[] = []) {
    this.clock = clock;
    this.excluded = new Set(excluded);
  }

  /** Strictly after everything before. */
  #nowUs(): number {
    this.#lastUs = Math.max(this.#lastUs + 1, (this.clock.nowMs() - this.behindMs) * 1000);
    return this.#lastUs;
  }

  /** Its own clock is set. */
  step(ms: number): void {
    this.behindMs -= ms;
    this.#lastUs += ms * 1000;
  }

  /** `state` null: removed. The same state again with other attributes is no change. */
  set(entityId: string, state: string | null, attributes: Readonly<Record<string, unknown>> = {}): void {
    const before = this.states.get(entityId) ?? null;
    if (state === null && before === null) return;
    const atUs = this.#nowUs();
    const at = formatIsoUs(atUs);
    const isSame = before !== null && before.state === state;
    const after: HaState | null =
      state === null
        ? null
        : {
            entity_id: entityId,
            state,
            attributes,
            last_changed: isSame ? before.last_changed : at,
            last_updated: at,
            context: CONTEXT,
          };
    if (after) this.states.set(entityId, after);
    else this.states.delete(entityId);
    const happened = {
      entityId,
      atUs,
      state,
      isAgain: before === null || this.ha.config.state !== "RUNNING",
      isChange: !isSame,
      isRecorded: false,
    };
    const row = {
      state,
      attributes,
      lastChangedUs: after ? parseIsoUs(after.last_changed) : atUs,
      lastUpdatedUs: atUs,
    };
    this.happened.push(happened);
    this.#waiting.push({ entityId, row, happened });
    this.ha.states = [...this.states.values()];
    this.#count();
    this.ha.fire({
      event_type: "state_changed",
      data: { entity_id: entityId, old_state: before, new_state: after },
      origin: "LOCAL",
      time_fired: at,
      context: CONTEXT,
    });
  }

  commit(): void {
    if (!this.#isCommitting) return;
    for (const { entityId, row, happened } of this.#waiting.splice(0)) {
      if (this.excluded.has(entityId)) continue;
      Object.assign(happened, { isRecorded: true });
      const rows = this.ha.history.get(entityId) ?? [];
      const isLast = (rows.at(-1)?.lastUpdatedUs ?? 0) < row.lastUpdatedUs;
      rows.push(row);
      // Its answers ascend in time, whatever came first.
      if (!isLast) rows.sort((a, b) => a.lastUpdatedUs - b.lastUpdatedUs);
      this.ha.history.set(entityId, rows);
    }
    this.#count();
  }

  #count(): void {
    this.ha.recorder = { isRecording: true, backlog: this.#waiting.length };
  }

  /** The recorder falls behind, or catches up again. */
  commits(isOn: boolean): void {
    this.#isCommitting = isOn;
  }

  /** Down, and up again: entities come back one after the other, some before anybody can listen. `isKilled`: what was not committed is gone. */
  async restart(isKilled: boolean, again: (entityId: string, state: string) => string): Promise<void> {
    if (isKilled) this.#waiting = [];
    this.commit();
    const before = [...this.states.values()];
    this.ha.config = { ...this.ha.config, state: "NOT_RUNNING" };
    this.ha.refusing = new Error("connection refused");
    this.ha.drop();
    await pass(this.clock, 3_000);
    this.states.clear();
    this.ha.states = [];
    this.ha.cutOffUs = isKilled ? this.#nowUs() : undefined;
    for (const [index, { entity_id, state, attributes }] of before.entries()) {
      if (index === Math.floor(before.length / 3)) this.ha.refusing = undefined;
      this.set(entity_id, again(entity_id, state), attributes);
      await pass(this.clock, 400);
    }
    this.ha.refusing = undefined;
    await pass(this.clock, 500);
    this.ha.config = { ...this.ha.config, state: "RUNNING" };
    this.ha.fire({
      event_type: "homeassistant_started",
      data: {},
      origin: "LOCAL",
      time_fired: formatIsoUs(this.#nowUs()),
      context: CONTEXT,
    });
  }
}

export interface Running {
  readonly relay: Relay;
  /** kill -9: what is not in the spool is gone, and nothing of it acts any more. */
  kill(): void;
}

/** A home and the folder of its relay, which may be started, stopped and killed. */
export class Household {
  readonly clock = manualClock(Date.parse("2026-11-22T06:00:00Z"));
  readonly home: LivingHome;
  readonly spool: Spool;
  readonly store: LastKnownStore = createMemoryLastKnown();
  readonly lines: string[];
  /** What appending ends with. */
  failing: Error | undefined;
  /** The spool is full, and refuses what comes. */
  refuses = false;
  readonly #log: ReturnType<typeof keepLog>["log"];

  constructor(excluded: readonly string[] = []) {
    this.home = new LivingHome(this.clock, excluded);
    this.spool = createMemorySpool({ relayId: "r", clock: this.clock, sinks: ["cloud"], maxBytes: 1e9 });
    const { log, lines } = keepLog();
    this.lines = lines;
    this.#log = log;
  }

  start(over: Partial<RelayOptions> = {}): Running {
    let isDead = false;
    const never = new Promise<never>(() => {});
    const guard = <T>(call: () => Promise<T>): Promise<T> => (isDead ? never : call());
    const { spool, store } = this;
    const home: HomeAssistant = { connect: () => guard(() => this.home.ha.connect()) };
    const guarded: Spool = {
      relayId: spool.relayId,
      append: (entries) => guard(() => this.#append(entries)),
      recordLoss: (lost) => guard(() => (this.failing ? Promise.reject(this.failing) : spool.recordLoss(lost))),
      read: (sink, options) => guard(() => spool.read(sink, options)),
      acknowledge: (sink, sequence) => guard(() => spool.acknowledge(sink, sequence)),
      state: () => spool.state(),
      close: async () => {},
    };
    const relay = createRelay({
      homeId: "home",
      homeAssistant: home,
      spool: guarded,
      lastKnown: { load: () => guard(() => store.load()), save: (image) => guard(() => store.save(image)) },
      sinks: [],
      references: [],
      clock: this.clock,
      random: () => 0.5,
      log: this.#log,
      include: [],
      exclude: [],
      endsWhenRefused: false,
      ...over,
    });
    void relay.run();
    return {
      relay,
      kill: () => {
        isDead = true;
        this.home.ha.drop("killed");
      },
    };
  }

  #append(entries: readonly SpoolEntry[]): Promise<readonly number[]> {
    if (this.failing) return Promise.reject(this.failing);
    return this.refuses ? Promise.resolve(entries.map(() => 0)) : this.spool.append(entries);
  }

  /** A stop takes some time, which only passes when somebody lets it. */
  async stop({ relay }: Running): Promise<void> {
    let isStopped = false;
    const stopped = relay.stop().then(() => {
      isStopped = true;
    });
    while (!isStopped) await pass(this.clock, 100);
    await stopped;
  }

  /** The recorder commits every five seconds. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1_000) {
      await pass(this.clock, Math.min(1_000, left));
      if (Math.floor(left / 1_000) % 5 === 0) this.home.commit();
    }
  }

  async records(): Promise<RelayRecord[]> {
    const read = await this.spool.read("cloud", { limit: 1e6, maxBytes: 1e9 });
    return read.map(({ line }) => JSON.parse(line) as RelayRecord);
  }
}
