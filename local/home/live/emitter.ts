import type { Generated, Stream } from "../generate/stream.ts";
import type { SimClock } from "./sim-clock.ts";
import type { Timeline } from "./timeline.ts";

/** Moves the generated events onto the bus when the simulated clock reaches them. */
export interface Emitter {
  start(): void;
  /** Emits what is due by now (one slice of it), so that what somebody does now comes after it. */
  catchUp(): void;
  stop(): void;
}

/** Events are made at most this often, so that thousands a second cost at most 200 timers. */
const MIN_TICK_MS = 5;
/** After so many events, or so long, the sockets and everybody else get their turn. */
const SLICE_EVENTS = 500;
const SLICE_MS = 10;
/** With a clock that runs fast anyway, a reader that lags may hold it back: pending messages, and for how long at most. */
const LAGGING_MESSAGES = 1_000;
const LAG_PATIENCE_MS = 2_000;
const LAG_STEP_MS = 5;

export function createEmitter(options: {
  readonly stream: Stream;
  readonly sim: SimClock;
  readonly timeline: Timeline;
  readonly speed: number;
  readonly emit: (event: Generated) => void;
  /** Called after each slice. */
  readonly flush: () => void;
  /** Messages that wait for the slowest client. */
  readonly pending: () => number;
}): Emitter {
  const { stream, sim, timeline, speed, emit, flush, pending } = options;
  let cancel: (() => void) | undefined;
  let waitedMs = 0;

  /** True when everything due has been emitted. */
  const slice = (): boolean => {
    const until = sim.now();
    const began = timeline.now();
    let at = until;
    let count = 0;
    let isDone = true;
    while (stream.nextAt() <= until) {
      if (count >= SLICE_EVENTS || (count % 50 === 49 && timeline.now() - began > SLICE_MS)) {
        isDone = false;
        break;
      }
      const event = stream.take();
      at = event.at;
      emit(event);
      count++;
    }
    if (!isDone && speed > 1) sim.holdAt(at);
    flush();
    return isDone;
  };

  const tick = () => {
    cancel = undefined;
    if (speed > 1 && pending() > LAGGING_MESSAGES && waitedMs < LAG_PATIENCE_MS) {
      waitedMs += LAG_STEP_MS;
      sim.holdAt(Math.min(sim.now(), stream.nextAt()));
      cancel = timeline.after(LAG_STEP_MS, tick);
      return;
    }
    if (pending() <= LAGGING_MESSAGES) waitedMs = 0;
    const isDone = slice();
    cancel = timeline.after(isDone ? Math.max(MIN_TICK_MS, sim.msUntil(stream.nextAt())) : 0, tick);
  };

  return {
    start: () => {
      cancel ??= timeline.after(0, tick);
    },
    catchUp: () => void slice(),
    stop: () => {
      cancel?.();
      cancel = undefined;
    },
  };
}
