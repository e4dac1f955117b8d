import type { Control, Order } from "../../../lib/migration/control.ts";
import type { Migration } from "../../../lib/migration/types.ts";
import { HOME } from "./happened.ts";
import { ID } from "./steps.ts";
import { READERS } from "./users.ts";
import { COMPARES } from "./wanted.ts";
import { FAULTS_END_MS, MINUTE_MS } from "./weather.ts";
import type { World } from "./world.ts";

export const PLAN = {
  old: { kind: "http", url: "http://old.test", fedBy: "relay" },
  stages: [30, 60, 100],
  soakSeconds: 150,
  stabiliseSeconds: 240,
  quietSeconds: 180,
  settleSeconds: 60,
  recheckSeconds: 30,
  shadowPercent: 30,
  thresholds: { lagSeconds: 60, alertPercent: 50, rollbackPercent: 100, errorPercent: 10, alpha: 0.001 },
} as const;

const SOME: Readonly<Record<string, number>> = {
  ...{ pause: 0.35, once: 0.07, stepwise: 0.07, abort: 0.05, advance: 0.25 },
  ...{ force: 0.2, mute: 0.1, reader: 0.25, readers: 0.25 },
};

/** Those who plan it, open its gates, remove the integration in the end; and in some weathers pause it, resume it, send it back. */
export class People {
  readonly #world: World;
  /** Gates that somebody has opened. */
  readonly opened = new Set<string>();
  /** Why somebody went on over a verdict that says no. */
  readonly reasons = new Set<string>();
  #gateSinceMs: number | undefined;
  /** Other entities are the first ones in every run. */
  readonly #salt: string;
  #orders = 0;
  #hasMended = false;

  constructor(world: World) {
    this.#world = world;
    this.#salt = `salt ${world.sim.random()}`;
  }

  /** Somebody watches, and acts in the very moment in which something has changed. */
  onChange(): void {
    const { sim, weather } = this.#world;
    if (weather.kind !== "operators" || this.#orders > 6 || !sim.chance(0.3)) return;
    this.#orders += 1;
    sim.at(sim.between(0, 1_500), () =>
      this.#do(() => this.#order(sim.chance(0.9) ? "pause" : sim.pick(["stepwise", "once"]))),
    );
  }

  begin(): void {
    const { sim } = this.#world;
    const watch = () => {
      this.#do(() => this.#watch());
      sim.at(sim.between(20, 60) * 1_000, watch);
    };
    sim.at(MINUTE_MS, () => this.#do(() => this.#plan().then(() => sim.at(0, watch))));
    if (this.#world.weather.kind !== "operators") return;
    for (const [what, share] of Object.entries(SOME))
      if (sim.chance(2 * share)) sim.at(sim.between(3, 40) * MINUTE_MS, () => this.#do(() => this.#order(what)));
  }

  #control() {
    const { sim, parts } = this.#world;
    const life = sim.life("person");
    const store = this.#world.store(life);
    let ids = 0;
    const newId = () => ["m1", this.#salt][ids++] ?? "more";
    return { store, control: parts.createControl({ store, clock: sim.clock(life), random: sim.random, newId }) };
  }

  /** Errors are told to him; he looks again later. */
  #do(work: () => Promise<unknown>): void {
    const { parts } = this.#world;
    void work().catch((thrown: unknown) => {
      if (!parts.isHearthlineError(thrown)) this.#world.wrong("no order throws what is not its own", String(thrown));
    });
  }

  async #plan(): Promise<void> {
    const { parts, weather, sim } = this.#world;
    const plan = parts.planSchema.parse({
      ...PLAN,
      gates: [...weather.gates],
      old: { ...PLAN.old, fedBy: weather.fedBy },
    });
    for (let tries = 0; tries < 20; tries++) {
      const { store, control } = this.#control();
      try {
        const there = (await store.get(HOME, ID)) ?? (await control.plan(HOME, plan, "owner"));
        if (there.opened.includes("start")) return;
        await control.start({ homeId: HOME, id: ID, epoch: there.epoch, actor: "owner" });
        return;
      } catch (thrown) {
        if (!parts.isHearthlineError(thrown)) throw thrown;
        await sim.pause(sim.life("person"), 5_000);
      }
    }
  }

  async #watch(): Promise<void> {
    const { sim, weather } = this.#world;
    const { store, control } = this.#control();
    const there = await store.get(HOME, ID);
    if (!there) return;
    const { state, epoch, verdict, plan, opened } = there;
    const order = { homeId: HOME, id: ID, epoch, actor: "owner" };
    if (state === "cleanup" && weather.fedBy === "home-assistant") this.#world.isOldCutOff = true;
    if (state === "paused" && sim.nowMs > FAULTS_END_MS) await control.resume(order);
    // What is still at OLD by hand holds the end up, and what was slow for a while is forgotten when somebody says that it was mended.
    const moved = sim.nowMs > FAULTS_END_MS ? Object.keys(there.readers) : [];
    for (const reader of moved.slice(0, 1))
      if (COMPARES.has(state)) await control.moveReader({ ...order, reader, to: undefined });
    const isOver = weather.bad.length > 0 && sim.nowMs > FAULTS_END_MS && !this.#hasMended;
    if (isOver && moved.length === 0 && COMPARES.has(state)) {
      this.#hasMended = true;
      await control.pause(order);
    }
    const gate = GATE_AFTER[state];
    const isLastStage = state !== "ramp" || there.stagePercent === 100;
    const waits = gate && isLastStage && verdict === "pass" && plan.gates.includes(gate) && !opened.includes(gate);
    if (!waits) {
      this.#gateSinceMs = undefined;
      return;
    }
    this.#gateSinceMs ??= sim.nowMs;
    if (sim.nowMs - this.#gateSinceMs < weather.gateWaitMs) return;
    this.opened.add(gate);
    await control.advance(order);
  }

  async #order(what: string): Promise<void> {
    const { sim } = this.#world;
    const { store, control } = this.#control();
    const there = await store.get(HOME, ID);
    if (!there) return;
    // Now and then he has looked a while ago.
    if (sim.chance(0.3)) await sim.pause(sim.life("person"), sim.between(0, 90_000));
    const order = { homeId: HOME, id: ID, epoch: there.epoch, actor: "owner" };
    const next = await this.#give(what, control, order, there);
    if (next && next.epoch !== there.epoch + 1)
      this.#world.wrong("an order is for what its author saw", `${what} of ${there.epoch} made ${next.epoch}`);
  }

  #give(what: string, control: Control, order: Order, there: Migration): Promise<Migration | undefined> {
    const { sim } = this.#world;
    if (what === "once" || what === "stepwise") return control.rollback({ ...order, at: what });
    if (what === "abort") return control.abort(order);
    if (what === "advance") {
      const gate = GATE_AFTER[there.state];
      if (gate && (there.state !== "ramp" || there.stagePercent === 100)) this.opened.add(gate);
      return control.advance(order);
    }
    if (what === "force" || what === "mute") return control.advance(this.#forced(order, what === "force"));
    if (what.startsWith("reader")) {
      const move = { reader: sim.pick(READERS), to: (["old", "new", undefined] as const)[sim.int(0, 2)] };
      return control.moveReader({ ...(sim.chance(0.5) ? this.#forced(order, true) : order), ...move });
    }
    sim.at(sim.between(1, 12) * MINUTE_MS, () => this.#do(() => this.#resume()));
    return control.pause(order);
  }

  /** Over a verdict that says no; without a reason he is sent away. */
  #forced(order: Order, hasReason: boolean): Order {
    if (!hasReason) return { ...order, force: true };
    const reason = `I have looked myself, ${this.reasons.size}.`;
    this.reasons.add(reason);
    return { ...order, force: true, reason };
  }

  async #resume(): Promise<void> {
    const { store, control } = this.#control();
    const there = await store.get(HOME, ID);
    if (there?.state === "paused") await control.resume({ homeId: HOME, id: ID, epoch: there.epoch, actor: "owner" });
  }
}

const GATE_AFTER: Readonly<Record<string, "ramp" | "stabilise" | "rampdown" | "cleanup">> = {
  shadow: "ramp",
  ramp: "stabilise",
  final_validation: "rampdown",
  rampdown: "cleanup",
};
