import type { SinkStatus } from "../../../lib/devices/ports.ts";
import type { Packer, RelaySink, Spool } from "../../../lib/relay/ports.ts";
import { type Happened, HOME } from "./happened.ts";
import type { Life } from "./scheduler.ts";
import { quiet, type World } from "./world.ts";

const RELAY = "relay-1";
const FLUSH_MS = 5_000;
const STATUS_MS = 60_000;

type Line =
  | { readonly n: number; readonly t: "event"; readonly id: number }
  | { readonly n: number; readonly t: "status" };
type Shipper = ReturnType<World["parts"]["createShipper"]>;

/** Lines as they are. */
const packer: Packer = {
  targetBytes: 2_000,
  maxRecords: 20,
  pack(records) {
    const front = records.slice(0, 20);
    const [first, last] = [front[0]?.n ?? 0, front.at(-1)?.n ?? 0];
    const [fromMs, toMs] = [front[0]?.appendedAtMs ?? 0, front.at(-1)?.appendedAtMs ?? 0];
    const text = `[${front.map(({ line }) => line).join(",")}]`;
    return {
      fits: true,
      count: front.length,
      message: { first, last, fromMs, toMs, pieces: [{ first, last, text }], lost: [] },
    };
  },
};

/** The relay: its spool outlives it; shippers, and what they know, do not. What happens while it is down Home Assistant's recorder gives it afterwards. */
export class Relay {
  readonly #world: World;
  readonly #spool: Spool;
  #life: Life;
  #shippers = new Map<string, Shipper>();
  #missed: Happened[] = [];
  #statuses = new Map<number, readonly SinkStatus[]>();
  #isOldOff = false;

  constructor(world: World) {
    const { parts, sim } = world;
    this.#world = world;
    const sinks = world.weather.fedBy === "relay" ? ["cloud", "old"] : ["cloud"];
    this.#spool = parts.createMemorySpool({
      ...{ relayId: RELAY, clock: sim.clock(sim.life("spool"), () => sim.homeMs()), sinks, maxBytes: 100_000_000 },
    });
    this.#life = sim.life("relay");
    this.#begin();
    this.#goOn();
  }

  get isFeedingOld(): boolean {
    return !this.#isOldOff;
  }

  hear(happened: Happened): void {
    if (this.#life.isDead) this.#missed.push(happened);
    else void this.#append(happened);
  }

  /** The power goes, and comes again. */
  crash(downMs: number): void {
    if (this.#life.isDead) return;
    this.#life.isDead = true;
    this.#world.sim.at(downMs, () => {
      this.#life = this.#world.sim.life("relay");
      for (const each of this.#missed.splice(0)) void this.#append(each);
      this.#begin();
    });
  }

  async #append({ id }: Happened): Promise<void> {
    await this.#spool.append([{ text: JSON.stringify({ t: "event", id }) }]);
    for (const shipper of this.#shippers.values()) shipper.wake();
  }

  #begin(): void {
    const { parts, sim } = this.#world;
    const life = this.#life;
    const spool: Spool = {
      ...this.#spool,
      relayId: RELAY,
      state: () => this.#spool.state(),
      recordLoss: (lost) => this.#spool.recordLoss(lost),
      append: (entries) => this.#spool.append(entries),
      close: async () => {},
      read: async (sink, options) => {
        await sim.pause(life, sim.between(0, 5));
        return this.#spool.read(sink, options);
      },
      acknowledge: async (sink, sequence) => {
        await sim.pause(life, sim.between(0, 5));
        await this.#spool.acknowledge(sink, sequence);
      },
    };
    this.#shippers = new Map();
    for (const sink of [this.#cloud(life), this.#old(life)]) {
      if (!Object.hasOwn(this.#spool.state().cursors, sink.name) || (sink.name === "old" && this.#isOldOff)) continue;
      const shipper = parts.createShipper({
        sink,
        spool,
        random: sim.random,
        log: quiet,
        clock: sim.clock(life, () => sim.homeMs()),
      });
      this.#shippers.set(sink.name, shipper);
      void shipper.run();
    }
  }

  #cloud(life: Life): RelaySink {
    const { world } = { world: this.#world };
    return {
      ...{ name: "cloud", packer, flushMs: FLUSH_MS, batchMax: 2, inFlightMax: 2 },
      send: (messages) =>
        world.call(life, "cloud", () =>
          messages.map(({ first, last, pieces }) => {
            const lines = JSON.parse(pieces[0]?.text ?? "[]") as Line[];
            const sentAt = new Date(world.sim.homeMs()).toISOString();
            world.arrive(this.#happened(lines), () => {
              for (const { t, n } of lines) if (t === "status") this.#tell(n);
              return world.ledger.record(HOME, RELAY, [{ range: [first, last], sentAt }]);
            });
            return { outcome: "taken" as const };
          }),
        ),
    };
  }

  #old(life: Life): RelaySink {
    const { world } = { world: this.#world };
    return {
      ...{ name: "old", packer, flushMs: FLUSH_MS, batchMax: 1, inFlightMax: 1 },
      send: (messages) =>
        world.call(life, "old", () =>
          messages.map(({ pieces }) => {
            if (!world.isOldCutOff)
              for (const each of this.#happened(JSON.parse(pieces[0]?.text ?? "[]") as Line[])) world.putOld(each);
            return { outcome: "taken" as const };
          }),
        ),
    };
  }

  #happened = (lines: readonly Line[]): Happened[] =>
    lines.flatMap((line) => (line.t === "event" ? (this.#world.happened[line.id] ?? []) : []));

  #tell(n: number): void {
    const { statuses, sim } = this.#world;
    const sinks = this.#statuses.get(n);
    const known = statuses.get(HOME);
    if (!sinks || (known?.sequence ?? 0) >= n) return;
    const at = this.#saidAt.get(n) ?? new Date(sim.homeMs()).toISOString();
    statuses.set(HOME, {
      ...{ relayId: RELAY, sequence: n, at, connected: true, since: at, spoolBytes: 0, spoolRecords: 0 },
      ...{ oldestSeconds: 0, rejected: 0, sinks },
    });
  }

  readonly #saidAt = new Map<number, string>();

  async #say(): Promise<void> {
    const homeMs = this.#world.sim.homeMs();
    const sinks = [...this.#shippers.values()].map((shipper): SinkStatus => {
      const { name, cursor, lagRecords, breaker, lost, oldestAtMs } = shipper.state();
      const lagSeconds = oldestAtMs === undefined ? 0 : Math.max(0, (homeMs - oldestAtMs) / 1000);
      return { name, acknowledged: cursor, lagRecords, lagSeconds, breaker, lost, isOff: false };
    });
    const cursor = this.#spool.state().cursors.old ?? 0;
    if (this.#isOldOff)
      sinks.push({
        name: "old",
        acknowledged: cursor,
        lagRecords: 0,
        lagSeconds: 0,
        breaker: "closed",
        lost: 0,
        isOff: true,
      });
    const [n = 0] = await this.#spool.append([{ text: JSON.stringify({ t: "status" }) }]);
    this.#statuses.set(n, sinks);
    this.#saidAt.set(n, new Date(homeMs).toISOString());
    for (const shipper of this.#shippers.values()) shipper.wake();
  }

  /** Each minute its status; each some seconds a look at what the control plane wants of it. */
  #goOn(): void {
    const { sim, outbox } = this.#world;
    const say = () => {
      if (!this.#life.isDead) void this.#say();
      sim.at(STATUS_MS, say);
    };
    const look = () => {
      for (const item of this.#life.isDead ? [] : outbox.values()) if (item.status === "pending") this.#turn(item);
      sim.at(sim.between(2_000, 10_000), look);
    };
    say();
    look();
  }

  #turn(item: { state: "on" | "off"; status: string }): void {
    item.status = "delivered";
    this.#isOldOff = item.state === "off";
    this.#life.isDead = true;
    this.#life = this.#world.sim.life("relay");
    this.#begin();
  }
}
