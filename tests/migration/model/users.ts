import type { Reading } from "../../../lib/migration/reads/with-authority.ts";
import type { EventStore, RangeQuery } from "../../../lib/store/ports.ts";
import { HOME } from "./happened.ts";
import { oldSystem } from "./old.ts";
import type { Rules } from "./rules.ts";
import type { Life, Scheduler } from "./scheduler.ts";
import { quiet, type World } from "./world.ts";

export const ENTITIES = ["sensor.a", "sensor.b", "sensor.c", "sensor.d", "sensor.e", "sensor.f"];
/** By the names of their tokens. */
export const READERS = ["tv", "constructor"];
const READ_MS = 10_000;

/** One process of the API: its pointer cache and its work in the background live as long as it does. */
class Api {
  readonly life: Life;
  readonly events: EventStore;
  reading: Reading | undefined;
  /** The authority did not answer the read under way. */
  hasWarned = false;
  /** NEW did not answer the read under way. */
  isNewAway = false;

  readonly reader: string;

  constructor(world: World, rules: Rules, reader: string) {
    this.reader = reader;
    const { parts, sim } = world;
    this.life = sim.life("api");
    const clock = sim.clock(this.life);
    const log = { ...quiet, warn: () => (this.hasWarned = true) };
    const onRead = () => {
      world.lastOldReadMs = sim.nowMs;
      if (!this.isNewAway) world.lastOldAskedMs = sim.nowMs;
      rules.reads.onOldRead({ isNewAway: this.isNewAway });
    };
    const made = world.events(this.life);
    const range: EventStore["range"] = (query) =>
      made.range(query).catch((thrown: unknown) => {
        this.isNewAway = true;
        throw thrown;
      });
    this.events = parts.withAuthority(
      { ...made, range },
      {
        pointers: parts.createPointerCache({ store: world.store(this.life), clock, log: quiet }),
        oldOf: () => oldSystem(world, this.life, onRead),
        ...{ clock, random: sim.random, log },
        background: parts.createBackground({ clock, log: quiet }),
        onPair: (_home, _id, pair) => rules.reads.onPair(pair),
        reading: () => this.reading,
      },
    );
  }
}

/** People who look: at one entity, at several, at all; at a page and the ones behind it. One after the other in each process, because a read belongs to the request that made it. */
export function lookOften(world: World, rules: Rules): void {
  const { sim } = world;
  for (const slot of READERS.keys()) {
    let api = new Api(world, rules, READERS[slot] ?? "");
    const go = () => {
      if (sim.chance(0.03)) {
        api.life.isDead = true;
        api = new Api(world, rules, api.reader);
      }
      void readOnce(world, api, rules)
        .catch((thrown: unknown) => world.wrong("no read throws what is not its own", String(thrown)))
        .finally(() => sim.at(sim.chance(0.02) ? 240_000 : sim.between(0.5, 1.5) * READ_MS, go));
    };
    sim.at(sim.between(0, READ_MS), go);
  }
}

function queryOf(world: World): { readonly query: RangeQuery; readonly pages: number } {
  const { sim } = world;
  const shuffled = ENTITIES.toSorted(() => sim.random() - 0.5);
  const some = sim.chance(0.2) ? undefined : shuffled.slice(0, sim.chance(0.6) ? 1 : sim.int(2, 3));
  const entities = some && { entityIds: some };
  const base = { homeId: HOME, ...entities };
  const from = sim.pick(world.happened).atUs;
  switch (sim.int(0, 3)) {
    case 0:
      return { query: { ...base, order: "desc", limit: 1 }, pages: 1 };
    case 1:
      return { query: { ...base, order: "desc", limit: 8, toUs: sim.chance(0.5) ? sim.nowUs + 1 : from }, pages: 1 };
    case 2:
      return { query: { ...base, order: "asc", limit: 50, fromUs: from, toUs: sim.nowUs }, pages: 1 };
    default:
      return { query: { ...base, order: sim.pick(["asc", "desc"]), limit: 5, fromUs: sim.nowUs - 900e6 }, pages: 4 };
  }
}

async function readOnce(world: World, api: Api, rules: Rules): Promise<void> {
  const { sim, parts } = world;
  const { query, pages } = queryOf(world);
  const startMs = sim.nowMs;
  const seen: number[] = [];
  const sides = new Set<string>();
  let after: RangeQuery["after"];
  for (let page = 1; ; page++) {
    const reading: Reading = { reader: api.reader };
    api.reading = reading;
    api.hasWarned = false;
    api.isNewAway = false;
    const pageMs = sim.nowMs;
    try {
      const answer = await api.events.range({ ...query, ...(after && { after }) });
      seen.push(...answer.events.map(({ state }) => Number(state)));
      after = answer.next;
    } catch (thrown) {
      if (!parts.isHearthlineError(thrown)) throw thrown;
      return;
    }
    sides.add(reading.side ?? "new");
    rules.reads.onRead({ query, reading, startMs: pageMs, hasWarned: api.hasWarned });
    if (!after || page >= pages) break;
    await pauseOf(sim, api.life);
  }
  rules.reads.onAnswer({ query, seen, isWhole: after === undefined, startMs, sides });
}

const pauseOf = (sim: Scheduler, life: Life) => sim.pause(life, sim.between(10, 20_000));
