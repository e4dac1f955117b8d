import { HearthlineError } from "../../lib/base/errors.ts";
import { createLogger, type Logger } from "../../lib/base/log.ts";
import {
  type HomeKey,
  keyIdOf,
  openEnvelope,
  type RegistryName,
  type RelayRecord,
  readEnvelope,
} from "../../lib/event/index.ts";
import { createEnvelopePacker } from "../../lib/relay/index.ts";
import type {
  HaConfig,
  HaEvent,
  HaSession,
  HistoryQuery,
  HistoryRow,
  HomeAssistant,
  LogbookEntry,
  Packer,
  RecorderInfo,
  RelaySink,
  SinkAnswer,
  SinkMessage,
  StatisticsRow,
} from "../../lib/relay/ports.ts";
import type { ManualClock } from "../support/manual-clock.ts";

export const KEY: HomeKey = { id: keyIdOf(Buffer.alloc(32, 7)), secret: Buffer.alloc(32, 7) };

/** Until everything that is ready has run. */
export async function settle(turns = 30): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets time pass, and everything happen that it brings. */
export async function pass(clock: ManualClock, ms: number): Promise<void> {
  await settle();
  await clock.advance(ms);
  await settle();
}

export function keepLog(): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  return { log: createLogger({ level: "debug", write: (line) => lines.push(line) }), lines };
}

/** A sink of envelopes that opens what it is sent, and fails when told to. One message a call, four calls at once. */
export class FakeSink implements RelaySink {
  readonly name: string;
  readonly packer: Packer;
  readonly flushMs: number;
  readonly batchMax = 1;
  readonly inFlightMax = 4;
  readonly messages: { readonly text: string; readonly records: RelayRecord[]; readonly atMs: number }[] = [];
  readonly clock: ManualClock;
  /** How many attempts were made, the failed ones included. */
  attempts = 0;
  failing: Error | undefined;
  /** Called before a message is taken: may wait. */
  gate: (text: string) => Promise<void> = async () => {};

  constructor(clock: ManualClock, { name = "cloud", flushMs = 1_000 } = {}) {
    this.clock = clock;
    this.name = name;
    this.flushMs = flushMs;
    this.packer = createEnvelopePacker({ homeId: "home", relayId: "r", key: KEY, clock });
  }

  async send(messages: readonly SinkMessage[]): Promise<readonly SinkAnswer[]> {
    return Promise.all(messages.map(({ pieces: [piece] }) => this.#take(piece?.text ?? "")));
  }

  async #take(text: string): Promise<SinkAnswer> {
    this.attempts += 1;
    await this.gate(text);
    if (this.failing) throw this.failing;
    const records = openEnvelope(readEnvelope(text), KEY).map((line) => JSON.parse(line) as RelayRecord);
    this.messages.push({ text, records, atMs: this.clock.nowMs() });
    return { outcome: "taken" };
  }

  get records(): RelayRecord[] {
    return this.messages.flatMap(({ records }) => records);
  }
}

export const unreachable = (message = "nobody answers") => new HearthlineError("service_unreachable", message);

type Commands = Pick<
  HaSession,
  | "getStates"
  | "getConfig"
  | "getRegistry"
  | "getHistory"
  | "getStatistics"
  | "getLogbook"
  | "getRecorder"
  | "getCutOff"
>;

/** A Home Assistant in memory: says what a test tells it to. */
export class FakeHomeAssistant implements HomeAssistant {
  states: unknown[] = [];
  config: HaConfig = { state: "RUNNING", version: "2026.11.0", location_name: "Home", time_zone: "Europe/Amsterdam" };
  registries: Partial<Record<RegistryName, Record<string, unknown>[]>> = {};
  /** What its recorder holds, each entity's rows ascending. */
  history = new Map<string, HistoryRow[]>();
  statistics = new Map<string, StatisticsRow[]>();
  /** undefined: it has none. */
  logbook: LogbookEntry[] | undefined = [];
  recorder: RecorderInfo | undefined = { isRecording: true, backlog: 0 };
  /** When it started and found that its run before had been cut off. */
  cutOffUs: number | undefined;
  refusing: Error | undefined;
  /** Ids that it takes for none: it then refuses the whole question. */
  isRefused: (entityId: string) => boolean = () => false;
  /** Event types that this token may not have. */
  forbidden = new Set<string>();
  connects = 0;
  asked: string[] = [];
  session: FakeSession | undefined;
  before: Partial<{ [K in keyof Commands]: () => Promise<void> | void }> = {};

  async connect(): Promise<HaSession> {
    this.connects += 1;
    if (this.refusing) throw this.refusing;
    this.session = new FakeSession(this);
    return this.session;
  }

  /** An event of whatever type, to those who have asked for it. */
  fire(event: HaEvent): void {
    this.session?.deliver(event);
  }

  drop(reason = "gone"): void {
    this.session?.end(1006, reason);
  }
}

export class FakeSession implements HaSession {
  readonly haVersion = "2026.11.0";
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #home: FakeHomeAssistant;
  readonly #listeners = new Map<string, (event: HaEvent) => void>();
  end: (code: number, reason: string) => void = () => {};
  #isClosed = false;

  constructor(home: FakeHomeAssistant) {
    this.#home = home;
    this.closed = new Promise((resolve) => {
      this.end = (code, reason) => {
        this.#isClosed = true;
        resolve({ code, reason });
      };
    });
  }

  deliver(event: HaEvent): void {
    if (!this.#isClosed) this.#listeners.get(event.event_type)?.(event);
  }

  async subscribeEvents(eventType: string, onEvent: (event: HaEvent) => void): Promise<void> {
    this.#check(`subscribe ${eventType}`);
    if (this.#home.forbidden.has(eventType)) throw new HearthlineError("home_assistant_command_failed", "unauthorized");
    this.#listeners.set(eventType, onEvent);
  }

  async getStates(): Promise<readonly unknown[]> {
    await this.#home.before.getStates?.();
    this.#check("states");
    return [...this.#home.states];
  }

  async getConfig(): Promise<HaConfig> {
    this.#check("config");
    return this.#home.config;
  }

  async getRegistry(name: RegistryName): Promise<readonly Record<string, unknown>[]> {
    await this.#home.before.getRegistry?.();
    this.#check(`registry ${name}`);
    if (this.#home.forbidden.has(name)) throw new HearthlineError("home_assistant_command_failed", "unauthorized");
    return this.#home.registries[name] ?? [];
  }

  async getHistory({ entityIds, fromUs, toUs }: HistoryQuery): Promise<ReadonlyMap<string, readonly HistoryRow[]>> {
    await this.#home.before.getHistory?.();
    this.#check(`history ${entityIds.join()}`);
    if (this.#home.forbidden.has("history"))
      throw new HearthlineError("home_assistant_command_failed", "unknown_command");
    if (entityIds.some(this.#home.isRefused))
      throw new HearthlineError("home_assistant_command_failed", "invalid_entity_ids");
    return within(this.#home.history, entityIds, (row) => row.lastUpdatedUs >= fromUs && row.lastUpdatedUs < toUs);
  }

  async getStatistics({
    entityIds,
    fromUs,
    toUs,
  }: HistoryQuery): Promise<ReadonlyMap<string, readonly StatisticsRow[]>> {
    await this.#home.before.getStatistics?.();
    this.#check(`statistics ${entityIds.join()}`);
    return within(this.#home.statistics, entityIds, ({ startUs }) => startUs >= fromUs && startUs < toUs);
  }

  async getRecorder(): Promise<RecorderInfo | undefined> {
    await this.#home.before.getRecorder?.();
    this.#check("recorder");
    return this.#home.recorder;
  }

  async getLogbook(): Promise<readonly LogbookEntry[] | undefined> {
    await this.#home.before.getLogbook?.();
    this.#check("logbook");
    return this.#home.logbook;
  }

  async getCutOff(): Promise<number | undefined> {
    await this.#home.before.getCutOff?.();
    this.#check("cut off");
    return this.#home.cutOffUs;
  }

  async command(): Promise<unknown> {
    return null;
  }

  async close(): Promise<void> {
    this.end(1000, "");
  }

  #check(what: string): void {
    this.#home.asked.push(what);
    if (this.#isClosed) throw new HearthlineError("home_assistant_disconnected", "The session has ended.");
  }
}

/** Entities without such a row are left out. */
function within<T>(
  rows: ReadonlyMap<string, readonly T[]>,
  entityIds: readonly string[],
  isAsked: (row: T) => boolean,
): ReadonlyMap<string, readonly T[]> {
  const found = entityIds.map((id) => [id, (rows.get(id) ?? []).filter(isAsked)] as const);
  return new Map(found.filter(([, of]) => of.length > 0));
}
