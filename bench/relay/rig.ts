import { join } from "node:path";
import { createFileLastKnown } from "../../lib/adapters/file/last-known.ts";
import { createNodeFiles } from "../../lib/adapters/journal/node-files.ts";
import { openJournal } from "../../lib/adapters/journal/open.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { createLogger } from "../../lib/base/log.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { keyIdOf } from "../../lib/event/index.ts";
import { createEnvelopePacker, createRelay } from "../../lib/relay/index.ts";
import type { RelaySink } from "../../lib/relay/ports.ts";
import { homeEvents } from "./events.ts";
import { createFiringHome } from "./home.ts";

/** So many different events are fired in turn. */
const DIFFERENT_EVENTS = 20_000;
/** Fired on one turn of the event loop, as one frame of a socket brings them. */
const BURST_EVENTS = 500;
/** What waits for the spool is kept far below the bound at which a relay drops it. */
const WAITING_MAX_RECORDS = 10_000;
const SPOOL_MAX_BYTES = 16_000_000_000;

export interface Rig {
  /** Fires so many events as fast as the relay's spool takes them, and waits until all are in the spool. `onEach` is called every million. */
  fire(count: number, onEach?: (fired: number) => void): Promise<void>;
  readonly sent: { messages: number; bytes: number; records: number };
  lag(): number;
  spoolBytes(): number;
  stop(): Promise<void>;
}

/** `cloud`: whether the sink takes what it gets. */
export async function startRig(folder: string, cloud: "up" | "down"): Promise<Rig> {
  const log = createLogger({ level: "error", fields: {} });
  const spool = await openJournal({
    files: createNodeFiles(join(folder, "relay", "spool")),
    log,
    clock: systemClock,
    homeId: "home",
    newRelayId: () => "bench",
    sinks: ["cloud"],
    maxBytes: SPOOL_MAX_BYTES,
  });
  const secret = Buffer.alloc(32, 7);
  const sent = { messages: 0, bytes: 0, records: 0 };
  const key = { id: keyIdOf(secret), secret };
  const sink: RelaySink = {
    name: "cloud",
    packer: createEnvelopePacker({ homeId: "home", relayId: spool.relayId, key, clock: systemClock }),
    flushMs: 1_000,
    batchMax: 10,
    inFlightMax: 4,
    send: async (messages) => {
      if (cloud === "down") return messages.map(() => ({ outcome: "failed", error: new Error("nobody answers") }));
      for (const { first, last, pieces } of messages) {
        sent.messages += pieces.length;
        for (const { text } of pieces) sent.bytes += text.length;
        sent.records += last - first + 1;
      }
      return messages.map(() => ({ outcome: "taken" }));
    },
  };
  const home = createFiringHome();
  const relay = createRelay({
    homeId: "home",
    homeAssistant: home,
    spool,
    lastKnown: createFileLastKnown({ path: join(folder, "relay", "last-known.json"), clock: systemClock, log }),
    sinks: [sink],
    references: [],
    clock: systemClock,
    random: seededRandom(1),
    log,
    include: [],
    exclude: [],
    endsWhenRefused: false,
  });
  const ended = relay.run();
  await home.listened;
  const events = homeEvents(DIFFERENT_EVENTS, seededRandom(2));
  let fired = 0;
  const waiting = () => relay.health().memory.records;
  const turn = () => new Promise((done) => setImmediate(done));

  return {
    sent,
    lag: () => relay.health().sinks[0]?.lag_records ?? 0,
    spoolBytes: () => relay.health().spool.bytes,
    async fire(count, onEach) {
      for (let left = count; left > 0; ) {
        for (let burst = 0; burst < BURST_EVENTS && left > 0; burst++, left--) {
          const event = events[fired % DIFFERENT_EVENTS];
          if (event) home.fire(event);
          fired += 1;
          if (fired % 1_000_000 === 0) onEach?.(fired);
        }
        await turn();
        while (waiting() > WAITING_MAX_RECORDS) await turn();
      }
      while (waiting() > 0) await turn();
    },
    async stop() {
      await relay.stop();
      await ended;
    },
  };
}
