import type { Logger } from "../../../lib/base/log.ts";
import type { RelayStatus } from "../../../lib/devices/ports.ts";
import { keyIdOf } from "../../../lib/event/envelope.ts";
import type { HomeEvent } from "../../../lib/event/index.ts";
import type { EventStore } from "../../../lib/store/ports.ts";
import { eventOf, type Happened } from "./happened.ts";
import type { Life, Scheduler } from "./scheduler.ts";
import { Items, tableOf } from "./table.ts";
import { isIn, type Weather } from "./weather.ts";

export type Parts = typeof import("./parts.ts");

/** Messages and rows that NEW's queue holds: at least once, in no order. */
const FAST_MS = [100, 3_000] as const;

export const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, with: () => quiet };

/** A key of the home, the same in every run: nothing here depends on it. */
const secret = Buffer.alloc(32, 7);
export const KEY = { id: keyIdOf(secret), secret };

/** What outlives every process: the home, NEW's store, ledger, table and queue, and what OLD holds. */
export class World {
  readonly parts: Parts;
  readonly sim: Scheduler;
  readonly weather: Weather;
  readonly items = new Items();
  readonly happened: Happened[] = [];
  readonly newEvents: EventStore;
  readonly ledger: ReturnType<Parts["createMemoryLedger"]>;
  /** OLD's rows, some twice. */
  oldRows: Happened[] = [];
  /** What the relays' last statuses say, as they came through the cloud. */
  readonly statuses = new Map<string, RelayStatus>();
  readonly outbox = new Map<string, { state: "on" | "off"; status: string }>();
  /** Messages between the queue and the store. */
  inQueue = 0;
  /** Nobody feeds OLD any more. */
  isOldCutOff = false;
  /** When a user's read was asked of OLD. */
  lastOldReadMs = Number.NEGATIVE_INFINITY;
  /** The same, where NEW had not been asked in vain before. */
  lastOldAskedMs = Number.NEGATIVE_INFINITY;
  state = "prepared";
  /** States that a person has left over a verdict that says no. */
  readonly forcedFrom = new Set<string>();
  epochsMade = 0;
  /** The newest pair's. */
  probedUs = 0;
  violations: string[] = [];
  #drops: { before: number; behind: number; old: number };

  constructor(parts: Parts, sim: Scheduler, weather: Weather) {
    this.parts = parts;
    this.sim = sim;
    this.weather = weather;
    this.newEvents = parts.createMemoryEventStore();
    this.ledger = parts.createMemoryLedger({ nowMs: () => sim.wallMs() });
    this.#drops = { ...weather.dropsNew, old: weather.dropsOld };
  }

  /** Somebody wanted to go on without the past. */
  get isPastForced(): boolean {
    return ["prepared", "dual_write", "backfill"].some((state) => this.forcedFrom.has(state));
  }

  wrong(rule: string, words: string): void {
    this.violations.push(`${(this.sim.nowMs / 60_000).toFixed(1)} min, ${this.state}: ${rule}: ${words}`);
  }

  /** A call over a link: late, lost before or after its effect, or the last thing that its process does. */
  call = async <T>(life: Life, link: string, effect: () => T | Promise<T>): Promise<T> => {
    const { sim, weather } = this;
    // A reader waits a second at most for the pointer, then goes by the one that he knows.
    const isPointer = link === "table" && life.name === "api";
    const wayMs = sim.chance(0.02) ? sim.between(200, isPointer ? 800 : 4_000) : sim.between(0, 30);
    await sim.pause(life, wayMs);
    const isLost =
      !isPointer && life.name !== "auditor" && sim.chance(link === "cloud" || link === "old" ? 0.03 : 0.0005);
    const isCut = isIn(weather.cuts[link], sim.nowMs);
    if (isCut || (isLost && sim.chance(0.5))) {
      await sim.pause(life, sim.between(10, 2_000));
      throw this.away(link);
    }
    const { epochsMade } = this;
    const answer = await effect();
    // The moment at which most is left undone.
    if (epochsMade < this.epochsMade && life.name === "step" && sim.chance(0.3)) life.left = 1;
    await sim.pause(life, sim.between(0, 30));
    if (isLost) throw this.away(link);
    return answer;
  };

  away(link: string): Error {
    return new this.parts.HearthlineError("service_unreachable", `Nobody answers behind "${link}".`);
  }

  store(life: Life) {
    const { sim, parts } = this;
    return parts.createDynamodbMigrationStore(
      tableOf(this.items, {
        life,
        call: this.call,
        clock: sim.clock(life),
        random: sim.random,
        conflict: () =>
          new parts.AwsError("PutItem", { type: "ConditionalCheckFailedException", status: 400, body: {} }),
      }),
    );
  }

  /** NEW's store as one process asks it. */
  events(life: Life): EventStore {
    const { newEvents, call } = this;
    return {
      ...newEvents,
      range: (query) => call(life, "new", () => newEvents.range(query)),
      async *scan(query) {
        const all = await call(life, "new", () => collected(newEvents.scan(query)));
        for (let at = 0; at < all.length; at += 7) yield all.slice(at, at + 7);
      },
    };
  }

  /** NEW's queue has taken it: it comes to the ledger and the store, some of it again. */
  arrive(events: readonly Happened[], record?: () => Promise<unknown>, source: HomeEvent["source"] = "live"): void {
    const { sim } = this;
    this.inQueue += 1;
    sim.at(sim.between(...FAST_MS), () => {
      const isDropping = ["dual_write", "backfill", "shadow", "ramp"].includes(this.state) && source === "live";
      if (isDropping && events.length > 0 && this.#drops.before > 0 && sim.chance(0.1)) {
        this.#drops.before -= 1;
        this.inQueue -= 1;
        for (const each of events) if (each.newMs === undefined) each.lostByNew = true;
        return;
      }
      void record?.();
      // A message that the store's queue holds longer than others: the ledger has it already.
      const slowMs =
        this.weather.kind === "fair" && source === "live" && sim.chance(0.09) ? sim.between(75_000, 88_000) : 0;
      sim.at(Math.max(sim.between(...FAST_MS), slowMs - ageMs(this.sim, events)), () => {
        this.inQueue -= 1;
        const isLosing = isDropping && this.#drops.behind > 0 && sim.chance(0.1);
        const lost = isLosing ? events.find(({ newMs }) => newMs === undefined) : undefined;
        if (lost) {
          this.#drops.behind -= 1;
          lost.lostByNew = true;
        }
        this.keep(
          events.filter((each) => each !== lost),
          source,
        );
        if (sim.chance(0.1))
          sim.at(sim.between(500, 30_000), () =>
            this.keep(
              events.filter((each) => each !== lost),
              source,
            ),
          );
      });
    });
  }

  keep(events: readonly Happened[], source: HomeEvent["source"]): void {
    for (const each of events) {
      each.newMs ??= this.sim.nowMs;
      // It had come a second time.
      delete each.lostByNew;
    }
    void this.newEvents.write(events.map((each) => eventOf(each, source)));
  }

  /** OLD has said that it has taken it. */
  putOld(each: Happened): void {
    const { sim, weather } = this;
    if (this.#drops.old > 0 && ["shadow", "ramp"].includes(this.state) && sim.chance(0.05)) {
      this.#drops.old -= 1;
      each.lostByOld = true;
      return;
    }
    this.writeOld(each);
    if (sim.chance(weather.oldTwice)) this.oldRows.push(each);
  }

  /** By key. */
  writeOld(each: Happened): void {
    each.oldMs ??= this.sim.nowMs;
    if (!this.oldRows.includes(each)) this.oldRows.push(each);
  }

  usOf = (worldMs: number): number => Math.round(this.sim.nowUs + (worldMs - this.sim.nowMs) * 1000);

  byId(id: string | null): Happened | undefined {
    return this.happened[Number(id)];
  }
}

async function collected<T>(pieces: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const piece of pieces) all.push(...piece);
  return all;
}

const ageMs = (sim: Scheduler, events: readonly Happened[]): number =>
  events.length === 0 ? 0 : sim.nowMs - Math.min(...events.map((each) => atMsOf(sim, each)));

/** On the world's clock. */
export const atMsOf = (sim: Scheduler, { atUs }: Happened): number => sim.nowMs - (sim.nowUs - atUs) / 1000;

/** It has not come there yet, and no fault of the weather has lost it. */
export const lacks = (each: Happened, side: "new" | "old"): boolean =>
  side === "new" ? each.newMs === undefined && !each.lostByNew : each.oldMs === undefined && !each.lostByOld;
