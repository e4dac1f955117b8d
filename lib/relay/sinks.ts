import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { CLOUD_SINK, type OutboxSink } from "../event/index.ts";
import { createFlushOverride } from "./flush-override.ts";
import type { RelaySink, SinkSwitches, Spool } from "./ports.ts";
import type { SinkState } from "./ship.ts";
import { createSwitchboard, createSwitchedShipper, requireSwitchable } from "./switched.ts";

/** All sinks of the relay, each with a shipper, a cursor and a breaker of its own: none waits for another. */
export interface Sinks {
  /** Resolves when all have stopped. */
  run(): Promise<unknown>;
  /** There is something new in the spool. */
  wake(): void;
  stop(): void;
  states(): readonly SinkState[];
  /** As `Relay.turnSink`. */
  turn(asked: OutboxSink): Promise<void>;
  /** How long the cloud's sink collects; undefined: there is none. */
  cloudFlushMs(): number | undefined;
}

export interface SinksOptions {
  readonly sinks: readonly RelaySink[];
  readonly spool: Spool;
  readonly switches?: SinkSwitches;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export function createSinks({ sinks, spool, switches, clock, random, log }: SinksOptions): Sinks {
  const flush = createFlushOverride(clock, log);
  const switchboard = createSwitchboard(switches, log);
  const shippers = new Map(
    sinks.map((sink) => {
      const isCloud = sink.name === CLOUD_SINK;
      const options = { sink, spool, clock, random, log, ...(isCloud && { flushMs: flush.currentMs }) };
      return [sink.name, createSwitchedShipper(options, () => switchboard.isOff(sink.name))];
    }),
  );
  const all = () => [...shippers.values()];
  return {
    run: () => Promise.all(all().map((shipper) => shipper.run())),
    wake: () => {
      for (const shipper of all()) shipper.wake();
    },
    stop: () => {
      for (const shipper of all()) shipper.stop();
    },
    states: () => all().map((shipper) => shipper.state()),
    async turn(asked) {
      if (asked.sink === CLOUD_SINK && asked.state === "on" && asked.flush_seconds !== undefined) {
        flush.set(asked.flush_seconds, asked.until);
        shippers.get(CLOUD_SINK)?.wake();
        return;
      }
      requireSwitchable(asked.sink, [...shippers.keys()]);
      await switchboard.keep(asked);
      shippers.get(asked.sink)?.turn(asked.state);
    },
    cloudFlushMs: () => flush.currentMs() ?? sinks.find(({ name }) => name === CLOUD_SINK)?.flushMs,
  };
}
