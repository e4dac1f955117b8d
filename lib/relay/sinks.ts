import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { CLOUD_SINK, type OutboxSink } from "../event/index.ts";
import type { RelaySink, SinkSwitches, SinkTunings, Spool } from "./ports.ts";
import type { SinkState } from "./ship.ts";
import { createSwitchboard, createSwitchedShipper, requireSwitchable } from "./switched.ts";
import { createTuned } from "./tuned.ts";

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
  /** How the cloud's sink works now: how long it collects, and how many records a message takes at most; nothing where there is none. */
  cloud(): { readonly flushMs?: number; readonly batchRecords?: number };
}

export interface SinksOptions {
  readonly sinks: readonly RelaySink[];
  readonly spool: Spool;
  readonly switches?: SinkSwitches;
  /** Keeps what was tuned. Without it a restart is back at the settings. */
  readonly tunings?: SinkTunings;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export function createSinks({ sinks, spool, switches, tunings, clock, random, log }: SinksOptions): Sinks {
  const ofCloud = sinks.find(({ name }) => name === CLOUD_SINK);
  const tuned = createTuned({ ownFlushMs: ofCloud?.flushMs, store: tunings, clock, log });
  const switchboard = createSwitchboard(switches, log);
  const shippers = new Map(
    sinks.map((sink) => {
      const isCloud = sink.name === CLOUD_SINK;
      const options = {
        sink,
        spool,
        clock,
        random,
        log,
        ...(isCloud && { flushMs: tuned.flushMs, maxRecords: tuned.maxRecords }),
      };
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
      const isTuning = asked.flush_seconds !== undefined || asked.batch_records !== undefined;
      if (asked.sink === CLOUD_SINK && asked.state === "on" && isTuning) {
        await tuned.set(asked);
        shippers.get(CLOUD_SINK)?.wake();
        return;
      }
      requireSwitchable(asked.sink, [...shippers.keys()]);
      await switchboard.keep(asked);
      shippers.get(asked.sink)?.turn(asked.state);
    },
    cloud: () =>
      ofCloud
        ? {
            flushMs: tuned.flushMs() ?? ofCloud.flushMs,
            batchRecords: Math.min(tuned.maxRecords() ?? ofCloud.packer.maxRecords, ofCloud.packer.maxRecords),
          }
        : {},
  };
}
