import { systemClock } from "../../lib/base/clock.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { buildCore, type SimulatedHomeOptions, seedStates } from "./build-core.ts";
import type { Past } from "./generate/past.ts";
import { createStream } from "./generate/stream.ts";
import type { House } from "./house/house.ts";
import { createEmitter } from "./live/emitter.ts";
import { type Fault, type FaultHooks, makeFault, scheduleFaults } from "./live/faults.ts";
import type { HomeCore } from "./live/home-core.ts";
import {
  DEFAULT_START_MS,
  type Helpers,
  helpersOf,
  type RestartOptions,
  restartHome,
  startHome,
} from "./live/lifecycle.ts";
import { manualClock } from "./live/manual-time.ts";
import { prepareFolder, writeMemory } from "./live/store.ts";
import { createTimeline } from "./live/timeline.ts";
import { type HomeServer, serveHome } from "./protocol/server.ts";

export type { SimulatedHomeOptions } from "./build-core.ts";

const DAY_SECONDS = 86_400;
const COMMIT_MS = 1_000;
const PRUNE_MS = 600_000;
/** How often helpers are saved, in simulated seconds: what Home Assistant does every 15 minutes. */
const SAVE_SECONDS = 900;

export interface SimulatedHome {
  readonly port: number;
  readonly url: string;
  readonly token: string;
  readonly house: House;
  readonly past: Past;
  readonly core: HomeCore;
  /** Puts an event on the bus by hand: a state, as an integration would set it. Its time is now. */
  emit(event: {
    readonly entityId: string;
    readonly state: string;
    readonly attributes?: Readonly<Record<string, unknown>>;
  }): void;
  fault(fault: Fault): void;
  /** Lets time pass, with a clock set by hand only: everything due happens, in order, before this returns. */
  advance(ms: number): void;
  /** As SIGTERM: saved, sockets closed with 1000. */
  stop(): Promise<void>;
}

/** Starts a home. A folder that holds one already continues it: Home Assistant has been restarted. @throws HearthlineError */
export async function createSimulatedHome(options: SimulatedHomeOptions): Promise<SimulatedHome> {
  prepareFolder(options.data);
  const manual = options.startAt === undefined ? undefined : manualClock(options.startAt);
  const clock = manual?.clock ?? options.clock ?? systemClock;
  const timeline = createTimeline(clock);
  const { core, remembered, isNew, sensors } = buildCore(options, clock, timeline);
  let saved: Helpers = remembered.helpers;
  const save = () => {
    saved = helpersOf(core);
    writeMemory(options.data, {
      ...remembered,
      lastAt: core.sim.now(),
      helpers: saved,
      registry: core.registries.changes(),
      automations: core.automations.file(),
    });
  };
  Object.assign(core, { save });
  const restart = (how: RestartOptions) =>
    restartHome(core, how, {
      closeSockets: (isClean) => server.closeConnections(isClean),
      savedHelpers: () => saved,
      done: () => {},
    });
  const hooks: FaultHooks = { restart, dropConnections: () => server.closeConnections(false) };
  const server: HomeServer = await serveHome(core, options.port ?? 0, hooks);
  if (isNew) seedStates(core);
  else startHome(core, saved, options.startMs ?? DEFAULT_START_MS, () => {});
  if (isNew) save();
  core.stream = createStream(core.past, sensors, core.sim.now());
  core.emitter = createEmitter({
    stream: core.stream,
    sim: core.sim,
    timeline,
    speed: options.speed ?? 1,
    emit: core.emit,
    flush: () => core.sent.flush(),
    pending: server.pending,
  });
  core.emitter.start();
  housekeeping(core, { save, speed: options.speed ?? 1 });
  scheduleFaults(core, options.faults ?? [], { ...hooks, random: core.random });
  if (!manual) timeline.drive();
  let stopping: Promise<void> | undefined;
  return {
    port: server.port,
    url: `http://127.0.0.1:${server.port}`,
    token: core.token,
    house: core.house,
    past: core.past,
    core,
    emit(event) {
      core.emitter?.catchUp();
      core.states.set({ attributes: {}, ...event, at: core.now(), context: core.newContext() });
      core.sent.flush();
    },
    fault: (fault) => makeFault(core, fault, hooks),
    advance(ms) {
      if (!manual)
        throw new HearthlineError(
          "setting_invalid",
          "Tried to advance a home that runs by the system's clock: wanted is one made with `startAt`.",
        );
      manual.advance(ms, timeline);
    },
    stop: () => {
      stopping ??= stopHome(core, { server, save });
      return stopping;
    },
  };
}

async function stopHome(
  core: HomeCore,
  { server, save }: { readonly server: HomeServer; readonly save: () => void },
): Promise<void> {
  core.emitter?.catchUp();
  core.emitter?.stop();
  // A home that is just starting keeps what was saved before.
  if (core.phase === "RUNNING") save();
  core.phase = "STOPPED";
  core.isUp = false;
  core.timeline.stop();
  await server.stop();
  core.recorder.close();
  core.sent.close();
}

/** Commits, prunes, saves: each again and again. */
function housekeeping(core: HomeCore, { save, speed }: { readonly save: () => void; readonly speed: number }): void {
  const every = (ms: number, work: () => void) => {
    const again = () =>
      core.timeline.after(ms, () => {
        work();
        again();
      });
    again();
  };
  every(COMMIT_MS, () =>
    core.recorder.commit(
      Number.isFinite(core.recorderRowsPerSecond) ? core.recorderRowsPerSecond * (COMMIT_MS / 1000) : undefined,
    ),
  );
  every(PRUNE_MS, () => core.recorder.prune(core.now() - core.keepDays * DAY_SECONDS));
  every(Math.max(1_000, (SAVE_SECONDS * 1000) / speed), () => {
    if (core.phase === "RUNNING") save();
  });
}
