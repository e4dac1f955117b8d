import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import type { Clock } from "../../lib/base/clock.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { seededRandom } from "../../lib/base/random.ts";
import type { HomeEvent } from "../../lib/event/index.ts";
import type { EventStore } from "../../lib/store/ports.ts";

/** What can be wrong with NEW. */
export type NewFault = "slow" | "errors" | "loses" | "down";

/** Time goes on by whoever waits; what is longer than a minute is a deadline, which is never met here. */
export function lonelyClock(startMs: number): Clock & { pass(ms: number): void } {
  let nowMs = startMs;
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return {
    pass,
    nowMs: () => nowMs,
    monotonicMs: () => nowMs - startMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        if (ms > 60_000) {
          signal?.addEventListener("abort", () => resolve(), { once: true });
          return;
        }
        pass(ms);
        setImmediate(resolve);
      }),
  };
}

const NEW_SLOW_MS = 120;
const NEW_ERROR_RATE = 0.3;

const unavailable = () => new HearthlineError("service_unreachable", "The store of NEW does not answer.");

/** NEW's store with its fault; `raw` is what it holds. */
export function faultyStore(clock: Clock, fault: () => NewFault | undefined) {
  const raw = createMemoryEventStore();
  const random = seededRandom(7);
  async function asked(): Promise<void> {
    if (fault() === "down") throw unavailable();
    if (fault() === "slow") await clock.sleep(NEW_SLOW_MS);
    if (fault() === "errors" && random() < NEW_ERROR_RATE) throw unavailable();
  }
  const store: EventStore = {
    ...raw,
    async range(query) {
      await asked();
      return raw.range(query);
    },
    async aggregate(query) {
      await asked();
      return raw.aggregate(query);
    },
    async *scan(query) {
      if (fault() === "down") throw unavailable();
      yield* raw.scan(query);
    },
    async tiles(query) {
      if (fault() === "down") throw unavailable();
      return raw.tiles(query);
    },
    async retention(homeId) {
      if (fault() === "down") throw unavailable();
      return raw.retention(homeId);
    },
    async write(events) {
      if (fault() === "down") throw unavailable();
      await raw.write(events);
    },
    async check() {
      if (fault() === "down") throw unavailable();
    },
  };
  return { raw, store };
}

/** One of the relay's sinks: in order, and what fails is kept. */
export class Feed {
  readonly #take: (event: HomeEvent) => Promise<void>;
  #waiting: HomeEvent[] = [];
  acknowledged = 0;
  messages = 0;

  constructor(take: (event: HomeEvent) => Promise<void>) {
    this.#take = take;
  }

  async give(...events: HomeEvent[]): Promise<void> {
    this.#waiting.push(...events);
    try {
      for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
        await this.#take(first);
        this.#waiting.shift();
        this.acknowledged += 1;
        this.messages += 1;
      }
    } catch {
      // Tried again with the next one.
    }
  }

  status(name: string, nowMs: number) {
    const [first] = this.#waiting;
    return {
      ...{ name, acknowledged: this.acknowledged, messages: this.messages, lost: 0, isOff: false },
      lagRecords: this.#waiting.length,
      lagSeconds: first ? Math.max(0, (nowMs * 1000 - first.atUs) / 1e6) : 0,
      breaker: first ? ("open" as const) : ("closed" as const),
    };
  }
}
