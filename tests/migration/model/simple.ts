import { unpack } from "../../../lib/adapters/dynamodb/packed.ts";
import type { SimpleJournal } from "../../../lib/migration/simple/index.ts";
import type { Migration, Pointer } from "../../../lib/migration/types.ts";
import { HOME } from "./happened.ts";
import { live, past } from "./home.ts";
import { oldSystem } from "./old.ts";
import { PLAN } from "./people.ts";
import { Relay } from "./relay.ts";
import { LIMIT_MS, type Ran, START_MS } from "./run.ts";
import { Scheduler } from "./scheduler.ts";
import { ALL, always, askedOf, ID, partsOfNew } from "./steps.ts";
import { ALLOWED_LAG_MS } from "./wanted.ts";
import { FAULTS_END_MS, isIn, MINUTE_MS, weatherOf } from "./weather.ts";
import { atMsOf, type Parts, World } from "./world.ts";

/** A NEW that is not well for so long has been looked at since. */
const NOTICED_MS = 30_000;

/** The simple way: one command after the other, each of which may be killed, until one ends. */
class Simple {
  readonly world: World;
  readonly relay: Relay;
  journal: SimpleJournal | undefined;
  backedUp: number | undefined;
  row: Migration | undefined;
  pointer: Pointer | undefined;
  isOver = false;

  constructor(parts: Parts, seed: number) {
    const sim = new Scheduler(seed * 7_919, START_MS);
    const world = new World(parts, sim, weatherOf("simple", sim));
    this.world = world;
    past(world);
    // Imported beforehand; now and then not all of it.
    const lacking = sim.chance(0.2) ? 1 : 0;
    world.keep(world.happened.slice(lacking), "import");
    sim.at(sim.between(3, 12) * MINUTE_MS, () => world.keep(world.happened.slice(0, lacking), "import"));
    this.relay = new Relay(world);
    live(world, this.relay);
    world.items.onPut = (item, before) => {
      if (item.migration_id !== undefined && item.packed !== undefined)
        this.#onRow(unpack(item.packed)[0] as Migration, before && (unpack(before.packed)[0] as Migration));
      else if (item.fence !== undefined && item.data !== undefined) this.#onPointer(JSON.parse(String(item.data)));
    };
    sim.at(MINUTE_MS, () => void this.#plan().then(() => this.#again()));
    if (sim.chance(0.15)) sim.at(sim.between(2, 8) * MINUTE_MS, () => void this.#abort().catch(() => {}));
  }

  #control() {
    const { sim, parts } = this.world;
    const life = sim.life("auditor");
    const store = this.world.store(life);
    const ids = [ID, "salt"];
    const newId = () => ids.shift() ?? "more";
    return { store, control: parts.createControl({ store, clock: sim.clock(life), random: sim.random, newId }) };
  }

  async #plan(): Promise<void> {
    const plan = this.world.parts.planSchema.parse({ ...PLAN, way: "simple" });
    await this.#control().control.plan(HOME, plan, "owner");
  }

  async #abort(): Promise<void> {
    const { store, control } = this.#control();
    const there = await store.get(HOME, ID);
    if (there) await control.abort({ homeId: HOME, id: ID, epoch: there.epoch, actor: "owner" });
  }

  #again(): void {
    const { sim } = this.world;
    void this.#runOnce().catch((thrown: unknown) => {
      if (!(thrown instanceof Error)) this.world.wrong("no command throws what is not its own", String(thrown));
    });
    sim.at(12 * MINUTE_MS, () => {
      if (!this.isOver) this.#again();
    });
  }

  async #runOnce(): Promise<void> {
    const { world, relay } = this;
    const { parts, sim } = world;
    const isCalm = sim.nowMs > FAULTS_END_MS;
    const life = sim.life("command", !isCalm && sim.chance(0.6) ? sim.int(1, 150) : undefined);
    // Who starts it again has seen that the one before it has ended.
    const signal = new AbortController();
    sim.at(11 * MINUTE_MS, () => {
      life.isDead = true;
      signal.abort();
    });
    const clock = sim.clock(life);
    const [store, old, migrations] = [world.events(life), oldSystem(world, life), world.store(life)];
    const shared = { ...askedOf(world, life), store, old, clock };
    const migration = await migrations.get(HOME, ID);
    if (!migration) return;
    const ports = parts.createSimplePorts({
      ...{ ...shared, migration, signal: signal.signal, keptFromUs: 0, pointerMs: 15_000, withinMs: 5 * MINUTE_MS },
      checks: {
        healthOld: parts.createHealthOldCheck(shared),
        healthNew: parts.createHealthNewCheck({ clock, parts: partsOfNew(world, life) }),
        canary: always("canary", ALL),
        cleanup: parts.createCleanupCheck(shared),
        handover: parts.createHandoverCheck(shared),
      },
      backUp: () =>
        world.call(life, "file", () => {
          if (sim.chance(0.1)) throw world.away("file");
          this.backedUp = sim.nowMs;
          return "home.backup";
        }),
      move: (state, stagePercent, reason) =>
        parts.moveSimple(
          { migrations, homeId: HOME, id: ID, nowUs: () => clock.nowMs() * 1000 },
          { state, stagePercent, reason },
        ),
    });
    const { outcome } = await parts.runSimple({
      ...{ migrationId: ID, homeId: HOME, ports, clock, signal: signal.signal },
      journal: {
        read: () => world.call(life, "file", () => this.journal),
        write: (next) =>
          world.call(life, "file", () => {
            this.journal = next;
          }),
      },
    });
    if (outcome !== "refused") this.isOver = true;
    else if (!relay.isFeedingOld || this.pointer) world.wrong("what is refused was not touched", "it was");
  }

  #onRow(row: Migration, before: Migration | undefined): void {
    const { world } = this;
    const hasEnded = before?.state === "complete" || before?.state === "rolled_back";
    if (hasEnded && row.state !== before.state)
      world.wrong("what has ended stays", `${before.state} became ${row.state}`);
    this.row = row;
    world.state = row.state;
    const { illNew } = world.weather;
    if (row.state === "complete" && isIn(illNew, world.sim.nowMs) && isIn(illNew, world.sim.nowMs - NOTICED_MS))
      world.wrong("it is validated after the switch", "NEW is not well");
  }

  #onPointer(pointer: Pointer): void {
    const { world, relay } = this;
    const isSwitch = pointer.authority === "new" && this.pointer?.authority !== "new";
    this.pointer = pointer;
    if (!isSwitch) return;
    if (relay.isFeedingOld) world.wrong("OLD is still when readers are switched", "the relay feeds it");
    if (this.backedUp === undefined) world.wrong("the copy is there and proved before the switch", "there is none");
    const lacking = world.happened.filter(({ oldMs, newMs }) => oldMs === 0 && newMs === undefined);
    if (lacking.length > 0) world.wrong("NEW has the past before the switch", `${lacking.length} are not there`);
  }

  end(): void {
    const { world, relay, row, pointer, isOver } = this;
    const { sim, happened, oldRows } = world;
    if (!isOver || (row?.state !== "complete" && row?.state !== "rolled_back")) {
      world.wrong("it always ends", `${row?.state}, ${JSON.stringify(this.journal?.reason)}`);
      return;
    }
    const settled = happened.filter((each) => atMsOf(sim, each) < sim.nowMs - ALLOWED_LAG_MS);
    const lost = settled.filter(({ newMs }) => newMs === undefined).length;
    if (lost > 0) world.wrong("NEW has everything", `${lost} are lost`);
    const isNews = row.state === "complete";
    if ((pointer?.authority ?? "old") !== (isNews ? "new" : "old"))
      world.wrong("who answers is whom the row says", `${pointer?.authority} at ${row.state}`);
    if (isNews) return;
    if (!relay.isFeedingOld) world.wrong("OLD is fed again when it answers again", "it is not");
    const there = new Set(oldRows);
    const lacking = settled.filter((each) => !there.has(each)).length;
    if (lacking > 0) world.wrong("OLD has everything again", `${lacking} are lost`);
  }
}

export async function runSimpleOnce(parts: Parts, seed: number): Promise<Ran> {
  const one = new Simple(parts, seed);
  const { world } = one;
  const { sim } = world;
  await sim.run(LIMIT_MS, () => world.violations.length > 0 || one.isOver);
  if (world.violations.length === 0) await sim.run(sim.nowMs + 3 * MINUTE_MS);
  if (world.violations.length === 0) one.end();
  return {
    violations: world.violations,
    end: `simple ${one.row?.state}`,
    ...{
      minutes: sim.nowMs / MINUTE_MS,
      turns: sim.turns,
      stats: { byNew: 0, byOld: 0, pairs: 0, moved: 0, looks: 0 },
    },
  };
}
