import type { Attributes } from "../house/attributes.ts";
import type { Context } from "./day-writer.ts";
import type { Past } from "./past.ts";
import type { Sensor } from "./sensors.ts";

/** A change that the generator has for the live part. */
export interface Generated {
  readonly at: number;
  readonly entityId: string;
  readonly state: string;
  readonly attributes: Attributes;
  readonly context: Context;
}

/** All sources as one, in order of time, endless. */
export interface Stream {
  nextAt(): number;
  take(): Generated;
}

interface Source {
  at: number;
  take(): Generated;
}

/** Everything later than `from`. A heap keeps the sources' next moments, so an event costs a handful of comparisons. */
export function createStream(past: Past, sensors: readonly Sensor[], from: number): Stream {
  const heap: Source[] = [behaviour(past, from), ...sensors.map((sensor) => readings(sensor, from))];
  const atOf = (index: number) => heap[index]?.at ?? Number.POSITIVE_INFINITY;
  const sink = (start: number) => {
    for (let index = start; ; ) {
      const left = 2 * index + 1;
      const child = atOf(left + 1) < atOf(left) ? left + 1 : left;
      const [here, below] = [heap[index], heap[child]];
      if (!here || !below || here.at <= below.at) return;
      heap[index] = below;
      heap[child] = here;
      index = child;
    }
  };
  for (let index = heap.length >> 1; index >= 0; index--) sink(index);
  return {
    nextAt: () => atOf(0),
    take() {
      const source = heap[0];
      if (!source) throw new Error("Took an event from a stream without sources: it needs at least the behaviour.");
      const event = source.take();
      sink(0);
      return event;
    },
  };
}

function readings(sensor: Sensor, from: number): Source {
  let k = sensor.firstAfter(from);
  const source: Source = {
    at: sensor.at(k),
    take() {
      const event = { at: source.at, entityId: sensor.entity.id, ...sensor.read(k), context: sensor.contextOf(k) };
      k++;
      source.at = sensor.at(k);
      return event;
    },
  };
  return source;
}

function behaviour(past: Past, from: number): Source {
  let plan = past.dayAt(from);
  let index = plan.changes.findIndex((change) => change.at > from);
  const seek = () => {
    while (index < 0 || index >= plan.changes.length) {
      plan = past.day(plan.day + 1);
      index = 0;
    }
    return plan.changes[index];
  };
  const source: Source = {
    at: seek()?.at ?? from,
    take() {
      const change = plan.changes[index];
      if (!change) throw new Error(`The plan of day ${plan.day} has no change number ${index}.`);
      index++;
      source.at = seek()?.at ?? change.at;
      return change;
    },
  };
  return source;
}
