import { expect } from "vitest";
import { openJournal } from "../../../lib/adapters/journal/open.ts";
import type { AtBound } from "../../../lib/adapters/journal/options.ts";
import { createLogger } from "../../../lib/base/log.ts";
import type { RelayRecord } from "../../../lib/event/index.ts";
import type { Spool } from "../../../lib/relay/ports.ts";
import type { FaultFs } from "../../support/fault-fs.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { stateEntry } from "../../support/relay-records.ts";

export const ALL = { limit: 1_000_000, maxBytes: 1_000_000_000 };

export interface ReferenceOptions {
  readonly maxBytes?: number;
  readonly atBound?: AtBound;
  /** Nothing may be lost, whatever crashes: nothing but crashes and refused writes happens, and the bound is far. */
  readonly isLossless: boolean;
}

/** What a spool may say, kept the simple way: every text that was promised, by its number, and what each sink was given. */
export class Reference {
  readonly fs: FaultFs;
  readonly clock = manualClock();
  readonly logged: string[] = [];
  readonly sinks = ["cloud", "old"] as const;
  #spool: Spool | undefined;
  #options: ReferenceOptions;
  #named = 0;
  #relays = 0;
  /** Promised: durable, by its number. */
  readonly #promised = new Map<number, string>();
  /** What a number meant when it was first seen, for ever. */
  readonly #seen = new Map<number, string>();
  readonly #given = { cloud: new Map<number, RelayRecord>(), old: new Map<number, RelayRecord>() };
  /** What each sink acknowledged, before it was asked to move its cursor. */
  readonly #acknowledged = { cloud: 0, old: 0 };

  private constructor(fs: FaultFs, options: ReferenceOptions) {
    this.fs = fs;
    this.#options = options;
  }

  get spool(): Spool {
    if (!this.#spool) throw new Error("The spool was not opened.");
    return this.#spool;
  }

  set spool(spool: Spool) {
    this.#spool = spool;
  }

  static async start(fs: FaultFs, options: ReferenceOptions): Promise<Reference> {
    const reference = new Reference(fs, options);
    reference.spool = await reference.open();
    return reference;
  }

  open(): Promise<Spool> {
    const { maxBytes = 1_048_576, atBound = "oldest" } = this.#options;
    return openJournal({
      files: this.fs.files(),
      log: createLogger({ write: (line) => this.logged.push(line) }),
      clock: this.clock,
      homeId: "home",
      newRelayId: () => `relay-${++this.#relays}`,
      sinks: this.sinks,
      maxBytes,
      atBound,
    });
  }

  /** False when it was refused: then nothing was promised. */
  async append(sizes: readonly number[]): Promise<boolean> {
    const names = sizes.map(() => `e${++this.#named}`);
    try {
      const numbers = await this.spool.append(sizes.map((size, index) => stateEntry(names[index] ?? "", size)));
      for (const [index, n] of numbers.entries()) if (n > 0) this.#promise(n, `sensor.${names[index]}`);
      return true;
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: "spool_failed" });
      return false;
    }
  }

  async lose(count: number): Promise<void> {
    try {
      await this.spool.recordLoss({ count, reason: "test", fromMs: 1, toMs: 2 });
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: "spool_failed" });
    }
  }

  async deliver(sink: "cloud" | "old", limit: number): Promise<void> {
    try {
      const after = this.spool.state().cursors[sink] ?? 0;
      const records = await this.spool.read(sink, { ...ALL, limit });
      for (const { n, line } of records) this.#take(sink, n, line);
      const last = records.at(-1)?.n;
      if (last === undefined) return;
      expect(records[0]?.n).toBeGreaterThan(after);
      this.#acknowledged[sink] = Math.max(this.#acknowledged[sink], last);
      await this.spool.acknowledge(sink, last);
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: "spool_failed" });
    }
  }

  /** Power off and on. The start may crash as well: `againAt` says at which of its changes. */
  async crash(againAt?: number): Promise<void> {
    this.fs.crash();
    if (againAt !== undefined) {
      this.fs.plant(againAt, "crash");
      await this.open().catch(() => {});
      this.fs.crash();
    }
    this.spool = await this.open();
    this.#check();
  }

  async restart(): Promise<void> {
    this.fs.heal();
    const before = this.spool.state();
    await this.spool.close();
    this.spool = await this.open();
    const { lastSequence, cursors, losses } = this.spool.state();
    expect({ cursors, losses }).toEqual({ cursors: before.cursors, losses: before.losses });
    // A loss that could not be written before the end is written at the start.
    if (this.#options.isLossless) expect(lastSequence).toBe(before.lastSequence);
    this.#check();
  }

  /** Ends in order, lets `damage` at the disk, and starts again. */
  async damaged(damage: (fs: FaultFs) => void): Promise<void> {
    await this.spool.close();
    damage(this.fs);
    this.spool = await this.open();
    this.#check();
  }

  /** Everything is read to the end: each number was given to each sink, or is named lost for it. */
  async settle(): Promise<void> {
    this.fs.heal();
    // Again for losses that only reading found.
    for (let round = 0; round < 4; round++) {
      for (const sink of this.sinks) await this.#deliverAll(sink);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { lastSequence, records } = this.spool.state();
    expect(records).toBe(0);
    for (const sink of this.sinks) {
      const missing = this.#missing(sink, lastSequence);
      expect({ sink, missing }).toEqual({ sink, missing: [] });
    }
  }

  /** Numbers that more than one loss record has told this sink of. */
  namedTwice(sink: "cloud" | "old"): number[] {
    const named = [...this.#given[sink].values()].flatMap((record) =>
      record.t === "loss" && (record.sink === undefined || record.sink === sink)
        ? Array.from({ length: record.last - record.first + 1 }, (_, index) => record.first + index)
        : [],
    );
    return named.filter((n, index) => named.indexOf(n) !== index);
  }

  async #deliverAll(sink: "cloud" | "old"): Promise<void> {
    for (let before = -1; before < (this.spool.state().cursors[sink] ?? 0); ) {
      before = this.spool.state().cursors[sink] ?? 0;
      await this.deliver(sink, 50);
    }
  }

  #promise(n: number, entityId: string): void {
    this.#mean(n, entityId);
    this.#promised.set(n, entityId);
  }

  /** A number means one thing, for ever. */
  #mean(n: number, what: string): void {
    const before = this.#seen.get(n);
    if (before !== undefined && before !== what)
      throw new Error(`The number ${n} was "${before}" and is now "${what}".`);
    this.#seen.set(n, what);
  }

  #take(sink: "cloud" | "old", n: number, line: string): void {
    const record = JSON.parse(line) as RelayRecord;
    expect(record.n).toBe(n);
    this.#mean(n, record.t === "state" ? record.entity_id : line);
    this.#given[sink].set(n, record);
  }

  #check(): void {
    const { cursors, lastSequence } = this.spool.state();
    for (const sink of this.sinks) expect(cursors[sink]).toBeLessThanOrEqual(this.#acknowledged[sink]);
    expect(lastSequence).toBeGreaterThanOrEqual(Math.max(0, ...this.#promised.keys(), ...this.#given.cloud.keys()));
  }

  #missing(sink: "cloud" | "old", last: number): number[] {
    const given = this.#given[sink];
    const lost = new Set<number>();
    for (const record of given.values()) {
      if (record.t !== "loss" || (record.sink !== undefined && record.sink !== sink)) continue;
      for (let n = record.first; n <= record.last; n++) if (n !== record.n) lost.add(n);
    }
    // Numbers of which nobody ever heard may be skipped: a torn group can look like a damaged one.
    if (this.#options.isLossless) expect([...lost].filter((n) => this.#seen.has(n))).toEqual([]);
    return Array.from({ length: last }, (_, index) => index + 1).filter((n) => !given.has(n) && !lost.has(n));
  }
}
