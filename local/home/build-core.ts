import { join } from "node:path";
import type { Clock } from "../../lib/base/clock.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { type Random, seededRandom } from "../../lib/base/random.ts";
import { parseIsoUs } from "../../lib/base/time.ts";
import { createAutomations } from "./automations/automations.ts";
import type { Automations } from "./automations/types.ts";
import { createPast } from "./generate/past.ts";
import { buildSensors, type Sensor } from "./generate/sensors.ts";
import type { Generated } from "./generate/stream.ts";
import { buildHouse } from "./house/house.ts";
import { createBus } from "./live/bus.ts";
import type { Fault } from "./live/faults.ts";
import { emitGenerated, type HomeCore, makeContext } from "./live/home-core.ts";
import { openRecorder } from "./live/recorder.ts";
import { openSentLog } from "./live/sent-log.ts";
import { createSimClock } from "./live/sim-clock.ts";
import { createStateMachine } from "./live/state-machine.ts";
import { type HomeMemory, readMemory, tokenOf } from "./live/store.ts";
import type { Timeline } from "./live/timeline.ts";
import { createZone } from "./people/zone.ts";
import { TIME_ZONE } from "./protocol/config.ts";
import { flavourOf, type HaVersion } from "./protocol/flavours.ts";
import { createRegistries } from "./protocol/registries.ts";

const DAY_SECONDS = 86_400;
/** Home Assistant's `purge_keep_days`; a longer generated past is kept whole. */
const RECORDER_KEEP_DAYS = 10;

export interface SimulatedHomeOptions {
  /** Folder for the token, the memory, the recorder and the log of what was sent. */
  readonly data: string;
  /** 0: any free port. */
  readonly port?: number;
  /** Simulated seconds per second, 1 to 3,600. Default 1. */
  readonly speed?: number;
  /** Changes per simulated second, on the average; about 0.03 at least, however low. Default 0.3. */
  readonly rate?: number;
  /** Days of past that a new home has. Default 0. */
  readonly days?: number;
  readonly seed?: number;
  /** Left out: made once and kept in the folder. */
  readonly token?: string;
  readonly version?: HaVersion;
  /** Faults that come by themselves. */
  readonly faults?: readonly Fault["fault"][];
  /** Time from somebody else. Default: the system's. Not with `startAt`. */
  readonly clock?: Clock;
  /** Milliseconds since 1970 at which a home with a clock set by hand begins; then nothing happens but by `advance`. */
  readonly startAt?: number;
  /** For contexts of what clients do, and the times of faults. */
  readonly random?: Random;
  /** Milliseconds from listening to RUNNING when the folder holds a home already. Default 2,000. */
  readonly startMs?: number;
}

export interface Built {
  readonly core: HomeCore;
  readonly remembered: HomeMemory;
  readonly isNew: boolean;
  readonly sensors: readonly Sensor[];
}

/** What a home that begins now remembers of itself. */
const newMemory = (home: { seed: number; rate: number; days: number; startAt: number }): HomeMemory => ({
  seed: home.seed,
  pastRate: home.rate,
  pastSince: home.startAt - home.days * DAY_SECONDS,
  liveSince: home.startAt,
  lastAt: home.startAt,
  helpers: {},
  registry: {},
});

/** Puts the parts together: what the folder remembers wins over options that would change the past. */
export function buildCore(options: SimulatedHomeOptions, clock: Clock, timeline: Timeline): Built {
  const { data, seed = 1, rate = 0.3, days = 0, speed = 1 } = options;
  const known = readMemory(data);
  if (known && known.seed !== seed)
    throw new HearthlineError(
      "setting_invalid",
      `Tried to continue the simulated home of "${data}" with seed ${seed}: it was made with seed ${known.seed}. Wanted is the same seed, or another folder.`,
    );
  const flavour = flavourOf(options.version ?? "2026.11.0");
  const recorder = openRecorder(join(data, "recorder.db"));
  const house = buildHouse(seed);
  const zone = createZone(TIME_ZONE);
  // A home that ran ahead of the real time goes on from where it was.
  const sent = openSentLog(data);
  const lastSentUs = parseIsoUs(sent.last()?.last_updated ?? "1970-01-01T00:00:00Z");
  const startAt = Math.max(
    clock.nowMs() / 1000,
    (known?.lastAt ?? 0) + 1,
    (recorder.lastAt() ?? 0) + 1,
    lastSentUs / 1e6 + 1,
  );
  const remembered = known ?? newMemory({ seed, rate, days, startAt });
  const sensors = buildSensors(house, rate);
  const pastSensors = remembered.pastRate === rate ? sensors : buildSensors(house, remembered.pastRate);
  const past = createPast({ house, zone, sensors: pastSensors, startsAt: remembered.pastSince });
  const isSameRate = remembered.pastRate === rate;
  const present = isSameRate ? past : createPast({ house, zone, sensors, startsAt: remembered.pastSince });
  const sim = createSimClock({ startAt, speed, monotonicMs: () => clock.monotonicMs() });
  const bus = createBus(flavour);
  const states = createStateMachine({ bus, recorder, sent, flavour });
  let lastAt = 0;
  let automations: Automations | undefined;
  const core: HomeCore = {
    house,
    past,
    flavour,
    bus,
    states,
    recorder,
    sent,
    sim,
    timeline,
    registries: createRegistries(house, flavour, remembered.registry),
    get automations() {
      automations ??= createAutomations(core, remembered.automations ?? {});
      return automations;
    },
    random: options.random ?? seededRandom(seed ^ Math.floor(startAt)),
    token: tokenOf(data, options.token),
    liveSince: remembered.liveSince,
    keepDays: Math.max(RECORDER_KEEP_DAYS, (remembered.liveSince - remembered.pastSince) / DAY_SECONDS),
    phase: "RUNNING",
    isUp: true,
    isAuthRefused: false,
    recorderRowsPerSecond: Number.POSITIVE_INFINITY,
    silenced: new Set(),
    emitter: undefined,
    stream: undefined,
    now() {
      lastAt = Math.max(lastAt + 0.000_002, sim.now());
      return flavour.stamp(lastAt + sim.stepSeconds);
    },
    emit: (event: Generated) => emitGenerated(core, event),
    newContext: (userId, parent) =>
      makeContext(core, core.now() * 1000, { ...(userId !== undefined && { userId }), ...(parent && { parent }) }),
    truth(entity) {
      const row = present.stateAt(entity, sim.now());
      return { state: row?.state ?? entity.spec.rest, attributes: row?.attributes ?? {} };
    },
    save: () => {},
  };
  return { core, remembered, isNew: known === undefined, sensors };
}

/** The first start of a home: it was running all the time, so its states have the times of their past, and nothing is an event. */
export function seedStates(core: HomeCore): void {
  for (const entity of core.house.live) {
    const known = core.past.stateAt(entity, core.liveSince);
    const row = known ?? core.past.first(entity);
    if (row.state === null) continue;
    // Without a past Home Assistant has just started: these rows are the recorder's first.
    if (!known) core.recorder.add(entity.id, row);
    const [updatedAt, changedAt] = [core.flavour.stamp(row.at), core.flavour.stamp(row.changedAt)];
    core.states.seed({
      entityId: entity.id,
      state: row.state,
      attributes: row.attributes,
      updatedAt,
      changedAt,
      reportedAt: updatedAt,
      context: makeContext(core, row.at * 1000, {}),
    });
  }
}
