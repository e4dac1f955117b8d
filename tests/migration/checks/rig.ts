import { createMemoryEventStore } from "../../../lib/adapters/memory/event-store.ts";
import { HearthlineError } from "../../../lib/base/errors.ts";
import type { RelayStatus, SinkStatus } from "../../../lib/devices/ports.ts";
import type { HomeEvent } from "../../../lib/event/index.ts";
import type { PlanInput } from "../../../lib/migration/plan.ts";
import type {
  Check,
  CheckResult,
  Migration,
  OldDescription,
  OldLimits,
  OldSystem,
} from "../../../lib/migration/ports.ts";
import { buildEvent } from "../../support/events.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";
import { migrationOf, SECOND_US, START_US, startedOf } from "../../support/migrations.ts";

/** An OLD that cuts stamps to milliseconds and holds no `unknown`, as Home Assistant's integration writes it. */
export const LIMITS: OldLimits = {
  precisionUs: 1_000,
  statesLeftOut: ["unknown", "unavailable", ""],
  isNumberTextLost: true,
  isFiniteOnly: true,
  hasRemovals: false,
  attributes: "none",
  words: {},
};

export const down = () => new HearthlineError("service_unreachable", "Nobody answers at old.test.");

/** An OLD in memory with faults. */
export class FakeOld implements OldSystem {
  readonly kind = "influxdb";
  readonly name = "http://old.test:8086";
  limits = LIMITS;
  readonly #clock: ManualClock;
  readonly #rows = createMemoryEventStore();
  description: OldDescription = { product: "InfluxDB 1.8.10", schema: "v1" };
  isDown = false;
  /** How many calls from now on fail. */
  failing = 0;
  slowMs = 1;
  /** Taken and not kept. */
  drops: (event: HomeEvent) => boolean = () => false;
  refuses: (event: HomeEvent) => string | undefined = () => undefined;
  written: HomeEvent[] = [];
  calls = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  async #called(): Promise<void> {
    this.calls += 1;
    if (this.isDown || this.failing-- > 0) throw down();
    this.failing = Math.max(0, this.failing);
    this.#clock.slip(this.slowMs);
  }

  async describe(): Promise<OldDescription> {
    await this.#called();
    return this.description;
  }

  async *scan(query: Parameters<OldSystem["scan"]>[0]): ReturnType<OldSystem["scan"]> {
    await this.#called();
    yield* this.#rows.scan({ homeId: "home", ...query });
  }

  async range(query: Parameters<OldSystem["range"]>[0]): ReturnType<OldSystem["range"]> {
    await this.#called();
    return this.#rows.range(query);
  }

  async counts(): ReturnType<OldSystem["counts"]> {
    return [];
  }

  async write(events: readonly HomeEvent[]): ReturnType<OldSystem["write"]> {
    await this.#called();
    const refused = events.flatMap((event) => {
      const reason = this.refuses(event);
      return reason === undefined ? [] : [{ event, reason }];
    });
    const taken = events.filter((event) => this.refuses(event) === undefined);
    this.written.push(...taken);
    await this.put(taken.filter((event) => !this.drops(event)));
    return { taken: taken.length, refused };
  }

  /** As whoever feeds it does. */
  async put(events: readonly HomeEvent[]): Promise<void> {
    const { precisionUs, statesLeftOut } = this.limits;
    const held = events.filter(({ state, kind }) => !statesLeftOut.includes(state) && kind !== "removed");
    await this.#rows.write(
      held.map((event) => ({ ...event, atUs: Math.floor(event.atUs / precisionUs) * precisionUs })),
    );
  }

  async close(): Promise<void> {}
}

/** Clock, both sides, relays; checks run as a step runs them, with memories as JSON. */
export function rigOf(more: Partial<Migration> = {}, plan: Partial<PlanInput> = {}) {
  const clock = manualClock(START_US / 1000);
  const old = new FakeOld(clock);
  const store = createMemoryEventStore();
  const memories = new Map<string, string>();
  const rig = {
    clock,
    old,
    store,
    statuses: [] as RelayStatus[],
    turned: [] as string[],
    outcome: undefined as { readonly status: string; readonly error?: string } | undefined,
    // One of the simple way is never started.
    migration: (plan.way === "simple" ? migrationOf : startedOf)({ state: "ramp", stagePercent: 10, ...more }, plan),
    relays: { of: async () => rig.statuses },
    sinks: {
      turn: async (_homeId: string, state: "on" | "off") => {
        rig.turned.push(state);
        return { itemId: `item-${rig.turned.length}` };
      },
      outcome: async () => rig.outcome,
    },
    nowUs: () => clock.nowMs() * 1000,
    /** So many seconds from now, or before it. */
    at: (seconds: number) => clock.nowMs() * 1000 + seconds * SECOND_US,
    /** Runs it as a step does. `isKilled`: the step ends before its commit. */
    async step(
      check: Check,
      { isKilled = false, signal = new AbortController().signal } = {},
    ): Promise<readonly CheckResult[]> {
      const kept = memories.get(check.name);
      const memory = kept === undefined ? undefined : JSON.parse(kept);
      let done: Awaited<ReturnType<Check["run"]>> | undefined;
      let thrown: unknown;
      void check.run({ migration: rig.migration, nowUs: rig.nowUs(), memory, signal }).then(
        (outcome) => {
          done = outcome;
        },
        (error: unknown) => {
          thrown = error;
        },
      );
      for (let turn = 0; !done && !thrown && turn < 20_000; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
        if (clock.sleeping() > 0) await clock.advance(100);
      }
      if (thrown) throw thrown;
      if (!done) throw new Error("The check never ended.");
      if (done.memory !== undefined && !isKilled) memories.set(check.name, JSON.stringify(done.memory));
      return done.results;
    },
    /** The only result. */
    async one(check: Check, options = {}): Promise<CheckResult> {
      const [result, more] = await rig.step(check, options);
      if (!result || more) throw new Error("Wanted is one result.");
      return result;
    },
    pass: (seconds: number) => clock.advance(seconds * 1000),
    /** The same event on both sides, or on one of them. */
    async happen(
      atUs: number,
      { inNew = true, inOld = true, ...given }: Partial<HomeEvent> & { inNew?: boolean; inOld?: boolean } = {},
    ) {
      const event = buildEvent({ atUs, entityId: "sensor.a", state: "1", ...given });
      if (inNew) await store.write([event]);
      if (inOld) await old.put([event]);
      return event;
    },
  };
  return rig;
}

export const sink = (name: string, more: Partial<SinkStatus> = {}): SinkStatus => ({
  ...{ name, acknowledged: 100, lagRecords: 0, lagSeconds: 0, lost: 0, breaker: "closed", isOff: false },
  ...more,
});

export const statusOf = (atUs: number, sinks: readonly SinkStatus[] | undefined, sequence = 100): RelayStatus => ({
  ...{ relayId: "relay-1", sequence, connected: true, spoolBytes: 0, spoolRecords: 0, oldestSeconds: 0, rejected: 0 },
  at: new Date(atUs / 1000).toISOString(),
  since: new Date(atUs / 1000).toISOString(),
  ...(sinks && { sinks }),
});
