import type { Happened } from "./happened.ts";
import type { Relay } from "./relay.ts";
import { ENTITIES } from "./users.ts";
import { FAULTS_END_MS, MINUTE_MS } from "./weather.ts";
import type { World } from "./world.ts";

const PAST = 60;

/** What OLD holds from before NEW was there: some of it microseconds apart. */
export function past(world: World): void {
  const { sim, happened } = world;
  let atUs = sim.nowUs - 7_200e6;
  for (let id = 0; id < PAST; id++) {
    atUs += id % 3 === 0 ? sim.int(60, 300) * 1_000_000 : 1;
    const each: Happened = { id, entityId: ENTITIES[id % ENTITIES.length] ?? "", atUs, oldMs: 0 };
    happened.push(each);
    world.oldRows.push(each);
  }
}

/** The home lives on: now and then several things at one moment, now and then on the very second. */
export function live(world: World, relay: Relay): void {
  const { sim, happened, weather } = world;
  const happen = () => {
    const isSharp = sim.chance(0.3);
    const nowUs = sim.nowUs;
    const atUs = isSharp ? Math.floor(nowUs / 1e6) * 1e6 : nowUs;
    const first = sim.int(0, ENTITIES.length - 1);
    for (let many = sim.chance(0.2) ? 3 : 1; many > 0; many--) {
      const entityId = ENTITIES[(first + many) % ENTITIES.length] ?? "";
      if (happened.some((each) => each.atUs === atUs && each.entityId === entityId)) continue;
      const each: Happened = { id: happened.length, entityId, atUs };
      happened.push(each);
      relay.hear(each);
      if (weather.fedBy === "home-assistant")
        sim.at(sim.between(50, 2_000), () => {
          if (!world.isOldCutOff) world.putOld(each);
        });
    }
    sim.at(sim.between(2, 30) * 1_000, happen);
  };
  happen();
  const crash = () => {
    if (sim.nowMs < FAULTS_END_MS) relay.crash(sim.between(1, 20) * 1_000);
    sim.at(sim.between(2, 15) * MINUTE_MS, crash);
  };
  sim.at(sim.between(2, 15) * MINUTE_MS, crash);
  // What the recorder gives after a crash is older than its place in the spool: where OLD takes nothing when it comes there, it is the oldest that OLD lacks.
  if (weather.kind === "cut-old")
    for (const { fromMs } of weather.cuts.old ?? [])
      if (sim.chance(0.6)) sim.at(fromMs - sim.between(5, 20) * 1_000, () => relay.crash(sim.between(20, 60) * 1_000));
}

/** Now and then somebody, or NTP, sets the clock of our side. */
export function clocks({ sim, weather: { skewMaxMs } }: World): void {
  const set = () => {
    sim.setClock(sim.chance(0.3) ? 0 : Math.round(sim.between(-skewMaxMs, skewMaxMs)));
    if (sim.nowMs < FAULTS_END_MS) sim.at(sim.between(4, 20) * MINUTE_MS, set);
    else sim.setClock(0);
  };
  sim.at(sim.between(4, 20) * MINUTE_MS, set);
}
