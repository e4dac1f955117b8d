import type { Clock } from "../base/clock.ts";
import { HearthlineError, isHearthlineError, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { NewRelayRecord, RegistryName } from "../event/index.ts";
import type { Admission, Admitted } from "./admit.ts";
import { createBell } from "./bell.ts";
import type { EntityFilter } from "./filter.ts";
import type { Intake } from "./intake.ts";
import type { Monitor } from "./monitor.ts";
import type { HaConfig, HaSession } from "./ports.ts";
import { homeRecord, REGISTRIES, REGISTRY_EVENTS, registryRecords } from "./registries.ts";

export interface SessionDeps {
  readonly admission: Admission;
  readonly intake: Intake;
  readonly monitor: Monitor;
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

/** Registry events come in bursts (a new integration): wait for quiet, but not for ever. */
const QUIET_MS = 500;
const QUIET_MAX_MS = 5_000;
/** How often a Home Assistant that is still starting is asked whether it runs. */
const RUNNING_POLL_MS = 2_000;
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
  await session.subscribeEvents("state_changed", (event) => run.take(event));
  await run.subscribeRegistries();
  await run.readAll();
  await run.untilClosed();
}

class SessionRun {
  readonly #session: HaSession;
  readonly #deps: SessionDeps;
  readonly #bell: ReturnType<typeof createBell>;
  readonly #stale = new Set<Job>();
  #staleSinceMs = 0;
  #changes = 0;
  #home = "";
  #isClosed = false;
  #haState: HaConfig["state"] | undefined;

  constructor(session: HaSession, deps: SessionDeps) {
    this.#session = session;
    this.#deps = deps;
    this.#bell = createBell(deps.clock);
    void session.closed.then(() => {
      this.#isClosed = true;
      this.#bell.ring();
    });
  }

  take(event: Parameters<Admission["event"]>[0]): void {
    this.#deps.monitor.noteEventTime(event?.time_fired);
    this.#count(this.#deps.admission.event(event));
  }

  async subscribeRegistries(): Promise<void> {
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

  /** The home, its registries, and all states as they are now. */
  async readAll(): Promise<void> {
    await this.#readConfig();
    for (const name of REGISTRIES) await this.#readRegistry(name);
    await this.#readStates();
  }

  async untilClosed(): Promise<void> {
    const { clock } = this.#deps;
    let configAtMs = clock.monotonicMs();
    while (!this.#isClosed) {
      const pollMs = this.#haState === "RUNNING" ? CONFIG_POLL_MS : RUNNING_POLL_MS;
      await this.#bell.wait(this.#stale.size > 0 ? QUIET_MS : pollMs);
      if (this.#isClosed) return;
      if (clock.monotonicMs() - configAtMs >= pollMs) {
        configAtMs = clock.monotonicMs();
        await this.#pollConfig();
      }
      if (this.#stale.size > 0) await this.#refresh();
    }
  }

  /** A snapshot proves nothing before Home Assistant runs: when it has come to run, everything is read again. */
  async #pollConfig(): Promise<void> {
    const before = this.#haState;
    await this.#readConfig();
    if (before !== "RUNNING" && this.#haState === "RUNNING") await this.readAll();
  }

  #markStale(job: Job): void {
    if (this.#stale.size === 0) this.#staleSinceMs = this.#deps.clock.monotonicMs();
    this.#stale.add(job);
    this.#changes += 1;
    this.#bell.ring();
  }

  async #refresh(): Promise<void> {
    const { clock } = this.#deps;
    const changesBefore = this.#changes;
    await clock.sleep(QUIET_MS);
    const isQuiet = this.#changes === changesBefore;
    if (!isQuiet && clock.monotonicMs() - this.#staleSinceMs < QUIET_MAX_MS) return this.#bell.ring();
    const jobs = [...this.#stale];
    this.#stale.clear();
    for (const job of jobs) await (job === "config" ? this.#readConfig() : this.#readRegistry(job));
  }

  async #readConfig(): Promise<void> {
    const { intake, monitor, onChange, nextRevision } = this.#deps;
    const config = await this.#optional("its configuration", () => this.#session.getConfig());
    if (!config) return;
    const home = JSON.stringify(homeRecord(config, 0));
    if (home !== this.#home) this.#push(homeRecord(config, nextRevision()));
    this.#home = home;
    const isNew = this.#haState !== config.state;
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
    const states = await this.#session.getStates();
    const counts = { states: states.length, admitted: 0 };
    for (const [index, state] of states.entries()) {
      if (index % SLICE_STATES === SLICE_STATES - 1) await intake.room();
      const admitted = admission.snapshot(state);
      if (admitted.outcome === "admitted") counts.admitted += 1;
      this.#count(admitted);
    }
    log.info("A snapshot was read.", { ...counts, ha_state: this.#haState });
  }

  #push(record: NewRelayRecord): void {
    this.#deps.intake.push(record, JSON.stringify(record).length);
  }

  #count(admitted: Admitted): void {
    const { intake, monitor } = this.#deps;
    if (admitted.outcome === "admitted") {
      intake.push(admitted.record, admitted.bytes);
      monitor.countAdmitted();
      return;
    }
    if (admitted.outcome === "rejected") this.#deps.reject(admitted.reason);
    else monitor[admitted.outcome] += 1;
  }

  /** What the relay can do without (a token that is no administrator's is refused some of it). A session that has ended is another matter. */
  async #optional<T>(what: string, ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (thrown) {
      if (this.#isClosed || (isHearthlineError(thrown) && thrown.code === "home_assistant_disconnected")) {
        throw new HearthlineError("home_assistant_disconnected", messageOf(thrown), { cause: thrown });
      }
      this.#deps.log.warn(`Home Assistant does not give ${what}: the relay goes on without.`, { error: thrown });
      return undefined;
    }
  }
}
