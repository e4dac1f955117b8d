import type { Random } from "../../../lib/base/random.ts";
import type { Automations } from "../automations/types.ts";
import { ulidAt } from "../generate/chance.ts";
import type { Context } from "../generate/day-writer.ts";
import type { Past } from "../generate/past.ts";
import type { Generated, Stream } from "../generate/stream.ts";
import type { Attributes } from "../house/attributes.ts";
import type { Entity, House } from "../house/house.ts";
import type { Flavour } from "../protocol/flavours.ts";
import type { Registries } from "../protocol/registries.ts";
import type { Bus } from "./bus.ts";
import type { Emitter } from "./emitter.ts";
import type { Recorder } from "./recorder.ts";
import type { SentLog } from "./sent-log.ts";
import type { SimClock } from "./sim-clock.ts";
import type { StateMachine } from "./state-machine.ts";
import type { Timeline } from "./timeline.ts";

export type Phase = "NOT_RUNNING" | "STARTING" | "RUNNING" | "STOPPING" | "STOPPED";

/** The parts of a home that is alive; what the protocol and the faults work with. */
export interface HomeCore {
  readonly house: House;
  readonly past: Past;
  readonly flavour: Flavour;
  readonly bus: Bus;
  readonly states: StateMachine;
  readonly recorder: Recorder;
  readonly sent: SentLog;
  readonly sim: SimClock;
  readonly timeline: Timeline;
  readonly registries: Registries;
  readonly automations: Automations;
  readonly random: Random;
  readonly token: string;
  /** Until when (seconds since 1970) history comes from the generator; later rows are the recorder's. */
  readonly liveSince: number;
  /** Days of history that are answered. */
  readonly keepDays: number;
  phase: Phase;
  /** False while the process that a client sees is down. */
  isUp: boolean;
  /** Every token is refused. */
  isAuthRefused: boolean;
  /** Rows the recorder commits a second; Infinity: all that wait. */
  recorderRowsPerSecond: number;
  /** Entities that are unavailable now, or not loaded yet. */
  readonly silenced: Set<string>;
  emitter: Emitter | undefined;
  stream: Stream | undefined;
  /** What Home Assistant's clock shows, in seconds; later than everything that was emitted. */
  now(): number;
  /** What happens to the world, whether Home Assistant sees it or not. */
  emit(event: Generated): void;
  newContext(userId?: string, parent?: Context): Context;
  /** The state that the generator says the entity has at this moment. */
  truth(entity: Entity): { readonly state: string; readonly attributes: Attributes };
  /** Called when registries or helpers changed: kept for the next start. */
  save(): void;
}

/** How the name that Home Assistant shows gets into attributes: renamed ones only. */
export function named(core: HomeCore, entityId: string, attributes: Attributes): Attributes {
  const name = core.registries.renamed.get(entityId);
  return name === undefined ? attributes : { ...attributes, friendly_name: name };
}

/** Puts one generated event on the bus, with an automation's own event before it. */
export function emitGenerated(core: HomeCore, event: Generated): void {
  if (core.phase === "STOPPED" || core.silenced.has(event.entityId)) return;
  const at = event.at + core.sim.stepSeconds;
  const attributes = named(core, event.entityId, event.attributes);
  if (event.entityId.startsWith("automation."))
    core.bus.fire({
      type: "automation_triggered",
      at: core.flavour.stamp(at),
      context: event.context,
      data: () => JSON.stringify({ name: attributes.friendly_name, entity_id: event.entityId, source: "simulated" }),
    });
  core.states.set({ entityId: event.entityId, state: event.state, attributes, at, context: event.context });
}

/** A context for what happens now, as Home Assistant makes one when nobody gave any. */
export function makeContext(
  core: Pick<HomeCore, "random">,
  ms: number,
  cause: { userId?: string; parent?: Context },
): Context {
  return {
    id: ulidAt(ms, Math.floor(core.random() * 4_294_967_296)),
    parent_id: cause.parent?.id ?? null,
    user_id: cause.userId ?? null,
  };
}
