import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { GapCause, NewRelayRecord, RegistryName } from "../event/index.ts";
import type { Admission, Admitted } from "./admit.ts";
import { CatchUp } from "./backfill/catch-up.ts";
import { createRefetch, type Refetch } from "./backfill/refetch.ts";
import { createBell } from "./bell.ts";
import { entryOf } from "./entry.ts";
import type { EntityFilter } from "./filter.ts";
import type { Intake } from "./intake.ts";
import { knownOf, usOf } from "./known-of.ts";
import type { LastKnown } from "./last-known.ts";
import type { Monitor } from "./monitor.ts";
import { optional } from "./optional.ts";
import type { HaConfig, HaEvent, HaSession } from "./ports.ts";
import { homeRecord, REGISTRIES, REGISTRY_EVENTS, registryRecords } from "./registries.ts";
import { type Doubt, SnapshotDue } from "./snapshot-due.ts";
import { QUIET_MS, StaleJobs } from "./stale-jobs.ts";

export interface SessionDeps {
  readonly admission: Admission;
  readonly intake: Intake;
  readonly monitor: Monitor;
  readonly lastKnown: LastKnown;
  /** Why nothing was heard before this session. */
  readonly cause: GapCause;
  /** Calls when something has come that could not be read or kept, and says which; until the next session calls. */
  readonly onDoubt: (call: (cause: Doubt) => void) => void;
  /** Takes what asks this session's recorder again; until the next session gives its own. */
  readonly onRefetch: (call: Refetch) => void;
  readonly isIncluded: EntityFilter;
  readonly clock: Clock;
  readonly log: Logger;
  /** Increases with every call, also when the clock was set back. */
  readonly nextRevision: () => number;
  /** Counts an event that could not be taken, and says why, once a burst. */
  readonly reject: (reason: string) => void;
  /** Something of the connection has changed. */
  readonly onChange: () => void;
}

/** How often a Home Assistant that is still starting is asked whether it runs. */
const RUNNING_POLL_MS = 500;
/** How often one that runs is asked: it may be stopping, and say no more. */
const CONFIG_POLL_MS = 300_000;
/** The snapshot is admitted in slices, so that live events are never kept waiting by it. */
const SLICE_STATES = 500;

type Job = RegistryName | "config";

/**
 * One session from subscription to end: first subscribe, then read, so that nothing falls between. Resolves when the session has ended.
 * @throws HearthlineError when state changes cannot be had: the caller connects again
 */
export async function runSession(session: HaSession, deps: SessionDeps): Promise<void> {
  const run = new SessionRun(session, deps);
  try {
    await run.begin();
    await session.subscribeEvents("state_changed", (event) => run.take(event));
    await run.subscribeRest();
    await run.readAll();
    await run.untilClosed();
  } finally {
    run.end();
  }
}

class SessionRun {
  readonly #session: HaSession;
  readonly #deps: SessionDeps;
  readonly #bell: ReturnType<typeof createBell>;
  readonly #stale: StaleJobs<Job>;
  #home = "";
  #isClosed = false;
  #haState: HaConfig["state"] | undefined;
  readonly #catchUp: CatchUp;
  /** When it came to run, if it did in this session: microseconds of its own clock. */
  #startedUs: number | undefined;
  readonly #snapshot: SnapshotDue;

  constructor(session: HaSession, deps: SessionDeps) {
    this.#session = session;
    this.#deps = deps;
    this.#bell = createBell(deps.clock);
    this.#stale = new StaleJobs(deps.clock);
    this.#snapshot = new SnapshotDue(deps.clock);
    this.#catchUp = new CatchUp({ ...deps, session });
    deps.onDoubt((cause) => this.#doubt(cause));
    deps.onRefetch(createRefetch({ ...deps, session }));
    void session.closed.then(() => {
      this.#isClosed = true;
      this.#bell.ring();
    });
  }

  /** Before anything is heard it must be known whether Home Assistant runs, and where knowledge ends. */
  async begin(): Promise<void> {
    await this.#readConfig();
    await this.#catchUp.begin();
  }

  end(): void {
    this.#isClosed = true;
    this.#catchUp.end();
  }

  take(event: HaEvent): void {
    this.#deps.monitor.noteEventTime(event?.time_fired);
    this.#catchUp.hear(event);
    this.#count(this.#deps.admission.event(event, !this.#isRunning), true);
  }

  async subscribeRest(): Promise<void> {
    await this.#optional("events homeassistant_started", () =>
      this.#session.subscribeEvents("homeassistant_started", ({ time_fired }) => this.#hasStarted(usOf(time_fired))),
    );
    await this.#subscribeRegistries();
  }

  async #subscribeRegistries(): Promise<void> {
    const jobs: readonly (readonly [Job, string])[] = [
      ...REGISTRIES.map((name) => [name, REGISTRY_EVENTS[name]] as const),
      ["config", "core_config_updated"],
    ];
    for (const [job, eventType] of jobs) {
      await this.#optional(`events ${eventType}`, () =>
        this.#session.subscribeEvents(eventType, () => this.#markStale(job)),
      );
    }
  }

  /** Its registries, and all states as they are now. */
  async readAll(): Promise<void> {
    for (const name of REGISTRIES) await this.#readRegistry(name);
    await this.#readStates();
  }

  async untilClosed(): Promise<void> {
    const { clock } = this.#deps;
    let configAtMs = clock.monotonicMs();
    while (!this.#isClosed) {
      const againMs = this.#isRunning && !this.#snapshot.isWhole ? this.#snapshot.inMs() : CONFIG_POLL_MS;
      const pollMs = this.#isRunning ? CONFIG_POLL_MS : RUNNING_POLL_MS;
      await this.#bell.wait(this.#stale.size > 0 ? QUIET_MS : Math.max(0, Math.min(pollMs, againMs)));
      if (this.#isClosed) return;
      if (clock.monotonicMs() - configAtMs >= pollMs) {
        configAtMs = clock.monotonicMs();
        await this.#readConfig();
      }
      if (this.#stale.size > 0) await this.#refresh();
      if (this.#isDue()) await this.readAll();
    }
  }

  /** A snapshot proves nothing before Home Assistant runs: when it has come to run, everything is read again. */
  #isDue(): boolean {
    return this.#isRunning && !this.#snapshot.isWhole && this.#snapshot.inMs() <= 0;
  }

  /** Or it has not said yet. */
  get #isRunning(): boolean {
    return this.#haState === undefined || this.#haState === "RUNNING";
  }

  #hasStarted(atUs: number | undefined): void {
    this.#startedUs = atUs ?? this.#deps.clock.nowMs() * 1000;
    this.#haState = "RUNNING";
    this.#markStale("config");
  }

  #doubt(cause: Doubt): void {
    if (this.#isClosed) return;
    this.#snapshot.doubt(cause);
    this.#catchUp.doubt(cause);
    this.#bell.ring();
  }

  #markStale(job: Job): void {
    this.#stale.mark(job);
    this.#bell.ring();
  }

  async #refresh(): Promise<void> {
    const jobs = await this.#stale.whenQuiet();
    if (jobs.length === 0) return this.#bell.ring();
    for (const job of jobs) await (job === "config" ? this.#readConfig() : this.#readRegistry(job));
  }

  async #readConfig(): Promise<void> {
    const { intake, monitor, onChange, nextRevision } = this.#deps;
    const config = await this.#optional("its configuration", () => this.#session.getConfig());
    if (!config) return;
    const home = JSON.stringify(homeRecord(config, 0));
    if (home !== this.#home) this.#push(homeRecord(config, nextRevision()));
    this.#home = home;
    const isNew = monitor.connection.haState !== config.state;
    const hasStarted = !this.#isRunning && config.state === "RUNNING";
    if (hasStarted) this.#startedUs = this.#deps.clock.nowMs() * 1000;
    this.#haState = config.state;
    monitor.setConnection(true, { haVersion: config.version ?? this.#session.haVersion, haState: config.state });
    if (isNew) onChange();
    await intake.room();
  }

  async #readRegistry(name: RegistryName): Promise<void> {
    const { isIncluded, nextRevision, intake, monitor } = this.#deps;
    const { secrets } = monitor;
    const rows = await this.#optional(`its registry of ${name}`, () => this.#session.getRegistry(name));
    if (!rows) return;
    // Its registries come up one after the other: an empty one is no proof that its rows are gone before Home Assistant runs.
    if (rows.length === 0 && this.#haState !== "RUNNING") return;
    for (const record of registryRecords(name, rows, { revision: nextRevision(), isIncluded, secrets })) {
      this.#push(record);
      await intake.room();
    }
  }

  async #readStates(): Promise<void> {
    const { admission, intake, log } = this.#deps;
    const isRunning = this.#isRunning;
    // What cannot be read from now on is not in this snapshot.
    if (isRunning) this.#snapshot.begin();
    const states = await this.#session.getStates();
    const counts = { states: states.length, admitted: 0 };
    for (const [index, state] of states.entries()) {
      if (index % SLICE_STATES === SLICE_STATES - 1) await intake.room();
      const admitted = admission.snapshot(state);
      if (admitted.outcome === "admitted") counts.admitted += 1;
      this.#count(admitted, false);
    }
    log.info("A snapshot was read.", { ...counts, ha_state: this.#haState });
    if (isRunning && this.#snapshot.isWhole) this.#catchUp.fill(states, this.#startedUs);
  }

  #push(record: NewRelayRecord): void {
    this.#deps.intake.push(entryOf(record));
  }

  #count(admitted: Admitted, isLive: boolean): void {
    const { intake, monitor, lastKnown } = this.#deps;
    if (admitted.outcome === "admitted") {
      const known = knownOf(admitted.record);
      intake.push({ text: admitted.text }, known && lastKnown.noteWhenDurable(known, isLive));
      monitor.countAdmitted();
      return;
    }
    if (admitted.outcome === "rejected") this.#deps.reject(admitted.reason);
    else monitor[admitted.outcome] += 1;
  }

  #optional<T>(what: string, ask: () => Promise<T>): Promise<T | undefined> {
    return optional(what, ask, { isClosed: () => this.#isClosed, log: this.#deps.log });
  }
}
