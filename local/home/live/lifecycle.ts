import type { Entity } from "../house/house.ts";
import { type HomeCore, named } from "./home-core.ts";

export interface RestartOptions {
  /** `clean`: as after SIGTERM. `power-cut`: nothing is saved, sockets end without a word. */
  readonly mode: "clean" | "power-cut";
  /** Milliseconds in which nobody answers. Default 800. */
  readonly downMs?: number;
  /** Milliseconds from the first answer until RUNNING. Default 2,000, as the real 2026.11.0. */
  readonly startMs?: number;
}

export const DEFAULT_DOWN_MS = 800;
export const DEFAULT_START_MS = 2_000;
const BATCHES = 20;
/** Helpers and persons are set up first, mostly before any client is back. */
const EARLY = ["zone", "person", "input_boolean", "script", "automation"];

/** Helper states by entity id, as they were when they were last saved. */
export type Helpers = Readonly<Record<string, string>>;

export const helpersOf = (core: HomeCore): Helpers =>
  Object.fromEntries(
    [...core.states.all()]
      .filter((one) => one.entityId.startsWith("input_boolean."))
      .map((one) => [one.entityId, one.state]),
  );

const fire = (core: HomeCore, type: string) =>
  core.bus.fire({ type, at: core.now(), context: core.newContext(), data: () => "{}" });

/**
 * Home Assistant starts: answers at once with `NOT_RUNNING` and no states, sets up one entity after the other (no old state, real values, `last_changed`
 * now), then `homeassistant_start`, STARTING, and 10 ms later `homeassistant_started`, RUNNING. Entities made over HTTP are gone.
 */
export function startHome(core: HomeCore, helpers: Helpers, startMs: number, done: () => void): void {
  core.phase = "NOT_RUNNING";
  core.isUp = true;
  core.states.clear();
  for (const entity of core.house.live) core.silenced.add(entity.id);
  const early = core.house.live.filter((entity) => EARLY.includes(entity.domain));
  const late = core.house.live.filter((entity) => !EARLY.includes(entity.domain));
  const order = [...early, ...late];
  const perBatch = Math.ceil(order.length / BATCHES);
  for (let batch = 0; batch < BATCHES; batch++) {
    const some = order.slice(batch * perBatch, (batch + 1) * perBatch);
    core.timeline.after((startMs * (batch + 1)) / (BATCHES + 2), () => {
      for (const entity of some) load(core, entity, helpers);
      core.sent.flush();
    });
  }
  core.timeline.after(startMs - 10, () => {
    core.phase = "STARTING";
    core.automations.load();
    fire(core, "homeassistant_start");
  });
  core.timeline.after(startMs, () => {
    core.phase = "RUNNING";
    fire(core, "homeassistant_started");
    core.sent.flush();
    done();
  });
}

/** Sets up one entity: helpers from what was saved, everything else as it really is. */
function load(core: HomeCore, entity: Entity, helpers: Helpers): void {
  core.silenced.delete(entity.id);
  const { state, attributes } = core.truth(entity);
  core.states.set({
    entityId: entity.id,
    state: helpers[entity.id] ?? state,
    attributes: named(core, entity.id, attributes),
    at: core.now(),
    context: core.newContext(),
  });
}

/** Stops and starts again. `closeSockets` ends every connection: with a close frame, or without a word. */
export function restartHome(
  core: HomeCore,
  options: RestartOptions,
  hooks: {
    readonly closeSockets: (isClean: boolean) => void;
    readonly savedHelpers: () => Helpers;
    readonly done: () => void;
  },
): void {
  const isClean = options.mode === "clean";
  core.emitter?.catchUp();
  if (isClean) {
    core.recorder.commit();
    core.save();
  } else core.recorder.discard();
  const helpers = hooks.savedHelpers();
  core.phase = "STOPPED";
  core.isUp = false;
  hooks.closeSockets(isClean);
  core.states.clear();
  core.timeline.after(options.downMs ?? DEFAULT_DOWN_MS, () =>
    startHome(core, helpers, options.startMs ?? DEFAULT_START_MS, hooks.done),
  );
}
