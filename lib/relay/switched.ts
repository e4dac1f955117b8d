import { HearthlineError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { CLOUD_SINK, type OutboxSink } from "../event/index.ts";
import { createBell } from "./bell.ts";
import type { SinkSwitches } from "./ports.ts";
import { createShipper, type Shipper, type ShipperOptions, type SinkState } from "./ship.ts";

/** Which sinks the owner has stopped. */
export interface Switchboard {
  /** Resolves when it is known; a file that cannot be read stops nothing: an event too many harms nobody. */
  isOff(sink: string): Promise<boolean>;
  /** Durable when it resolves. @throws what the store throws: nothing has changed then */
  keep(asked: OutboxSink): Promise<void>;
}

export function createSwitchboard(store: SinkSwitches | undefined, log: Logger): Switchboard {
  let off: ReadonlySet<string> = new Set();
  let row: Promise<unknown> = (async () => {
    try {
      off = new Set(await store?.load());
    } catch (thrown) {
      log.error("Which sinks are stopped cannot be read: none is.", { error: thrown });
    }
  })();
  return {
    async isOff(sink) {
      await row;
      return off.has(sink);
    },
    keep({ sink, state }) {
      const kept = row.then(async () => {
        const next = new Set(off);
        if (state === "off") next.add(sink);
        else next.delete(sink);
        await store?.save([...next].sort());
        off = next;
      });
      row = kept.catch(() => {});
      return kept;
    },
  };
}

/** A shipper that can be stopped while the relay runs. */
export interface SwitchedShipper extends Shipper {
  /**
   * `off`: a sink that works still gets what waits for it, one that fails is asked once more; then nothing is sent any more, and the spool keeps nothing for it.
   * The same again changes nothing.
   */
  turn(state: OutboxSink["state"]): void;
}

/** Looks for itself even when nobody wakes it. */
const IDLE_MS = 60_000;

/** @param isOff how the last run of the relay left it */
export function createSwitchedShipper(options: ShipperOptions, isOff: () => Promise<boolean>): SwitchedShipper {
  const { sink, spool, clock, log } = options;
  const bell = createBell(clock);
  let wanted: OutboxSink["state"] | undefined;
  let isStopping = false;
  let shipper: Shipper = createShipper(options);
  let before: Pick<SinkState, "messages" | "lost"> = { messages: 0, lost: 0 };

  const cursor = () => spool.state().cursors[sink.name] ?? 0;

  async function ship(): Promise<void> {
    await shipper.run();
    const { messages, lost } = counted(shipper.state());
    before = { messages, lost };
    shipper = createShipper(options);
  }

  const counted = (state: SinkState): SinkState => ({
    ...state,
    messages: before.messages + state.messages,
    lost: before.lost + state.lost,
  });

  /** What comes is acknowledged unsent: so the spool keeps nothing for a sink that will not have it. */
  async function discard(): Promise<void> {
    const { lastSequence } = spool.state();
    if (cursor() < lastSequence) {
      try {
        await spool.acknowledge(sink.name, lastSequence);
      } catch (thrown) {
        log.error("A stopped sink's cursor cannot be moved.", { sink: sink.name, error: thrown });
      }
    }
    if (!isStopping && wanted === "off") await bell.wait(IDLE_MS);
  }

  return {
    async run() {
      const wasOff = await isOff();
      wanted ??= wasOff ? "off" : "on";
      while (!isStopping) await (wanted === "on" ? ship() : discard());
      // The relay ends while it is off: what came last is not kept for it either.
      if (wanted === "off") await discard();
    },
    wake() {
      shipper.wake();
      bell.ring();
    },
    stop() {
      isStopping = true;
      shipper.stop();
      bell.ring();
    },
    turn(state) {
      if (wanted === state) return;
      log.info(state === "off" ? "Nothing is sent to this sink any more." : "This sink is sent to again.", {
        sink: sink.name,
        unsent_records: spool.state().lastSequence - cursor(),
      });
      wanted = state;
      if (state === "off") shipper.stop();
      bell.ring();
    },
    state() {
      if (wanted !== "off") return counted(shipper.state());
      const { lastError: _, failingSinceMs: __, oldestAtMs: ___, ...state } = counted(shipper.state());
      return { ...state, lagRecords: 0, breaker: "closed", isOff: true };
    },
  };
}

/** @throws HearthlineError `sink_unknown` for a name that this relay does not send to, or that it must never stop sending to */
export function requireSwitchable(sink: string, names: readonly string[]): void {
  const others = names.filter((name) => name !== CLOUD_SINK);
  if (others.includes(sink)) return;
  const known = others.map((name) => `"${name}"`).join(", ") || "none: HEARTHLINE_OLD_SINK is none";
  throw new HearthlineError(
    "sink_unknown",
    `The sink "${sink}" was to be stopped or started; this relay can do that of ${known}.`,
  );
}
