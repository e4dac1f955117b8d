import * as z from "zod";
import type { Random } from "../../../lib/base/random.ts";
import { attributesOf } from "../house/attributes.ts";
import { type HomeCore, named } from "./home-core.ts";
import type { RestartOptions } from "./lifecycle.ts";
import { MALFORMED, malformedEvent } from "./malformed.ts";

const ms = (fallback: number) => z.number().min(0).max(3_600_000).default(fallback);

/** What can be asked for at `POST /_sim/faults`, and by name in `--faults`. */
export const faultSchema = z.discriminatedUnion("fault", [
  z.object({
    fault: z.literal("restart"),
    mode: z.enum(["clean", "power-cut"]).default("clean"),
    down_ms: ms(800),
    start_ms: ms(2_000),
  }),
  z.object({ fault: z.literal("slow-start"), start_ms: ms(20_000) }),
  z.object({
    fault: z.literal("unavailable"),
    device: z.string().optional(),
    seconds: z.number().min(0).max(86_400).default(60),
  }),
  z.object({ fault: z.literal("drop") }),
  z.object({ fault: z.literal("burst"), events: z.number().int().min(1).max(200_000).default(1_000) }),
  z.object({ fault: z.literal("malformed"), kind: z.enum(MALFORMED).optional() }),
  z.object({ fault: z.literal("duplicate") }),
  z.object({ fault: z.literal("clock-step"), seconds: z.number().min(-86_400).max(86_400).default(-5) }),
  z.object({ fault: z.literal("auth-refused"), seconds: z.number().min(0).max(86_400).default(10) }),
  z.object({
    fault: z.literal("recorder-slow"),
    rows_per_second: z.number().min(1).max(1e9).default(100),
    seconds: z.number().default(60),
  }),
  z.object({ fault: z.literal("remove"), entity_id: z.string() }),
]);
export type Fault = z.infer<typeof faultSchema>;
export const FAULT_NAMES = faultSchema.options.map((option) => option.shape.fault.value);

export interface FaultHooks {
  restart(options: RestartOptions): void;
  /** Ends every connection without a close frame. */
  dropConnections(): void;
}

const BURST_SLICES = 50;
const BURST_MS = 1_000;

type Maker<K extends Fault["fault"]> = (core: HomeCore, fault: Extract<Fault, { fault: K }>, hooks: FaultHooks) => void;

/** Sets something, and sets it back after a while. */
const forAWhile = (core: HomeCore, seconds: number, set: (isOn: boolean) => void): void => {
  set(true);
  core.timeline.after(seconds * 1000, () => set(false));
};

const MAKERS: { readonly [K in Fault["fault"]]: Maker<K> } = {
  restart: (_core, { mode, down_ms, start_ms }, hooks) => hooks.restart({ mode, downMs: down_ms, startMs: start_ms }),
  "slow-start": (_core, { start_ms }, hooks) => hooks.restart({ mode: "clean", startMs: start_ms }),
  unavailable: (core, { device, seconds }) => loseDevice(core, device, seconds),
  drop: (_core, _fault, hooks) => hooks.dropConnections(),
  burst: (core, { events }) => burst(core, events),
  malformed: (core, { kind }) => {
    for (const one of kind === undefined ? MALFORMED : [kind]) sendMalformed(core, one);
  },
  duplicate: (core) => duplicate(core),
  "clock-step": (core, { seconds }) => core.sim.step(seconds),
  "auth-refused": (core, { seconds }) =>
    forAWhile(core, seconds, (isOn) => {
      core.isAuthRefused = isOn;
    }),
  "recorder-slow": (core, { rows_per_second, seconds }) =>
    forAWhile(core, seconds, (isOn) => {
      core.recorderRowsPerSecond = isOn ? rows_per_second : Number.POSITIVE_INFINITY;
    }),
  remove: (core, { entity_id }) => {
    core.states.remove(entity_id, core.now(), core.newContext());
    core.sent.flush();
  },
};

/** Makes one fault happen, now. */
export function makeFault<K extends Fault["fault"]>(
  core: HomeCore,
  fault: Extract<Fault, { fault: K }>,
  hooks: FaultHooks,
): void {
  const maker: Maker<K> = MAKERS[fault.fault as K];
  maker(core, fault, hooks);
}

/** All entities of a device are unavailable for a while, then say how they are by then. */
function loseDevice(core: HomeCore, key: string | undefined, seconds: number): void {
  const devices = core.house.devices.filter((one) => one.spec.entryType === undefined);
  const device =
    devices.find((one) => one.spec.key === key || one.id === key) ??
    devices[Math.floor(core.random() * devices.length)];
  const entities = core.house.live.filter((one) => one.device === device);
  const tell = (state?: string) => {
    const context = core.newContext();
    for (const entity of entities) {
      if (core.states.get(entity.id) === undefined) continue;
      const truth = state === undefined ? core.truth(entity) : { state, attributes: attributesOf(entity) };
      core.states.set({
        entityId: entity.id,
        state: truth.state,
        attributes: named(core, entity.id, truth.attributes),
        at: core.now(),
        context,
      });
    }
    core.sent.flush();
  };
  tell("unavailable");
  for (const entity of entities) core.silenced.add(entity.id);
  core.timeline.after(seconds * 1000, () => {
    for (const entity of entities) core.silenced.delete(entity.id);
    tell();
  });
}

/** Many readings of the chatty sensors within one second. */
function burst(core: HomeCore, events: number): void {
  const sensors = core.house.live.filter(
    (one) => one.spec.unit === "W" || one.spec.unit === "V" || one.spec.unit === "kB/s",
  );
  const attributes = new Map(sensors.map((one) => [one.id, named(core, one.id, attributesOf(one))]));
  for (let slice = 0; slice < BURST_SLICES; slice++) {
    const [from, to] = [Math.floor((events * slice) / BURST_SLICES), Math.floor((events * (slice + 1)) / BURST_SLICES)];
    core.timeline.after((BURST_MS * slice) / BURST_SLICES, () => {
      for (let index = from; index < to; index++) {
        const entity = sensors[index % sensors.length];
        if (!entity) continue;
        const [state, at] = [(10 + index / 1000).toFixed(3), core.now()];
        core.states.set({
          entityId: entity.id,
          state,
          attributes: attributes.get(entity.id) ?? {},
          at,
          context: core.newContext(),
        });
      }
      core.sent.flush();
    });
  }
}

/** An event that no Home Assistant should send, between two good ones. */
function sendMalformed(core: HomeCore, kind: (typeof MALFORMED)[number]): void {
  const { json, entityId, lastUpdated, state } = malformedEvent(
    kind,
    core.flavour.isoOf(core.now()),
    core.newContext(),
  );
  core.sent.add({ entity_id: entityId, last_updated: lastUpdated, state, kind: "malformed" });
  core.sent.flush();
  core.bus.fireRaw("state_changed", json);
}

/** The last state change once more, as it was. */
function duplicate(core: HomeCore): void {
  const json = core.bus.lastJson();
  if (json === undefined) return;
  const data = (
    JSON.parse(json) as { data: { new_state: { entity_id: string; state: string; last_updated: string } | null } }
  ).data;
  const state = data.new_state;
  if (state)
    core.sent.add({
      entity_id: state.entity_id,
      last_updated: state.last_updated,
      state: state.state,
      kind: "duplicate",
    });
  core.sent.flush();
  core.bus.fireRaw("state_changed", json);
}

/** Faults by name that come by themselves: each the first time after 20 to 60 seconds, then every one to five minutes. */
export function scheduleFaults(
  core: HomeCore,
  names: readonly Fault["fault"][],
  hooks: FaultHooks & { readonly random: Random },
): void {
  for (const name of names) {
    const again = (delayMs: number) =>
      core.timeline.after(delayMs, () => {
        const asked = name === "remove" ? { fault: name, entity_id: "event.doorbell" } : { fault: name };
        makeFault(core, faultSchema.parse(asked), hooks);
        again(60_000 + hooks.random() * 240_000);
      });
    again(20_000 + hooks.random() * 40_000);
  }
}
