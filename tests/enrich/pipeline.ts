import { createMemoryDeviceIndex } from "../../lib/adapters/memory/device-index.ts";
import { createMemoryHomeDirectory } from "../../lib/adapters/memory/homes.ts";
import { createMemoryLedger } from "../../lib/adapters/memory/ledger.ts";
import { createMemoryQueue } from "../../lib/adapters/memory/queue.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { createHomeViews, type EnrichPorts, enrichBatch } from "../../lib/enrich/index.ts";
import { type HomeEvent, naturalKey } from "../../lib/event/index.ts";
import { type IndexEntry, type QueueMessage, unpackBatch } from "../../lib/ingest/index.ts";
import { SOME_TIME_US } from "../support/events.ts";
import { manualClock } from "../support/manual-clock.ts";
import { randomKey } from "../support/records.ts";

export const OPTIONS = { futureSeconds: 86_400, withWeather: true };

/** What may be made to fail, and the error that it then fails with. */
export type Part = "keys" | "arrived" | "record" | "revisions" | "store" | "index" | "dead";

const away = () => new HearthlineError("service_unreachable", "It is away.");

/** `enrich` with everything around it in memory, two homes, and a switch on every outside. */
export async function pipeline() {
  const clock = manualClock(SOME_TIME_US / 1000);
  const key = randomKey();
  const otherKey = randomKey();
  const queues = { store: createMemoryQueue(), index: createMemoryQueue(), dead: createMemoryQueue() };
  const ledger = createMemoryLedger(clock);
  const index = createMemoryDeviceIndex();
  const homes = createMemoryHomeDirectory();
  const home = { homeId: "home", name: "Home", timeZone: "Europe/Amsterdam", createdAt: "", revision: 1 };
  await homes.add(home, key);
  await homes.add({ ...home, homeId: "other", timeZone: "America/New_York" }, otherKey);

  /** Asked before each call of a part: true makes it fail. */
  let fails: (part: Part) => boolean = () => false;
  const check = (part: Part) => {
    if (fails(part)) throw away();
  };
  const guarded =
    <A extends unknown[], R>(part: Part, call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      check(part);
      return call(...args);
    };
  const sending = (part: "store" | "index" | "dead") => ({
    send: async (messages: readonly QueueMessage[]) => {
      if (messages.length > 0) check(part);
      await queues[part].send(messages);
    },
  });
  const ports: EnrichPorts = {
    keys: { find: guarded("keys", homes.keys.find) },
    ledger: {
      arrived: guarded("arrived", ledger.arrived),
      record: guarded("record", ledger.record),
    },
    views: createHomeViews({
      index: { ...index, revisions: guarded("revisions", index.revisions) },
      homes,
      clock,
    }),
    store: sending("store"),
    index: sending("index"),
    dead: sending("dead"),
    clock,
  };

  const linesOf = (messages: readonly QueueMessage[]) =>
    messages.flatMap(({ body }) => unpackBatch(body).lines.map((line) => JSON.parse(line)));
  return {
    clock,
    key,
    otherKey,
    queues,
    ledger,
    index,
    ports,
    failWhen: (condition: (part: Part) => boolean) => {
      fails = condition;
    },
    /** Takes one batch through; message ids are `m0`, `m1`, ... */
    run: (...bodies: string[]) =>
      enrichBatch(
        bodies.map((body, at) => ({ messageId: `m${at}`, body })),
        ports,
        OPTIONS,
      ),
    stored: (): HomeEvent[] => linesOf(queues.store.messages),
    storedKeys: (): string[] => [...new Set(linesOf(queues.store.messages).map(naturalKey))].sort(),
    indexed: (): IndexEntry[] => linesOf(queues.index.messages),
  };
}
