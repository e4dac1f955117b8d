import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../lib/base/log.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import { createOutboxRunner, type OutboxRunner } from "../../../lib/relay/index.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { broken, FakeBroker, FakeFeed, item } from "./fakes.ts";

const FAULTS = ["none", "look", "connect", "publish", "puback", "refuse", "acknowledge", "answer", "crash"] as const;
type Fault = (typeof FAULTS)[number];

describe("the outbox", () => {
  it("delivers each item at least once, in order, and exactly once where no fault fell between the broker's word and the cloud's", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.constantFrom(...FAULTS), { maxLength: 20 }),
        fc.integer(),
        async (count, faults, seed) => {
          const clock = manualClock();
          const feed = new FakeFeed();
          const broker = new FakeBroker();
          feed.items = Array.from({ length: count }, (_, at) => item(String(at)));
          const plan = [...faults];
          const refused = new Set<string>();
          /** Takes the next fault when it is of this kind. */
          const hits = (...kinds: readonly Fault[]): Fault | undefined => {
            while (plan[0] === "none") plan.shift();
            return kinds.some((kind) => kind === plan[0]) ? plan.shift() : undefined;
          };
          let runner: OutboxRunner | undefined;
          let mayRepeat = 0;
          const start = () => {
            const made = createOutboxRunner({
              ...{ feed, broker, clock, baseTopics: [], intervalSeconds: 60, log: silentLogger },
              random: seededRandom(seed),
              append: async () => {},
              turnSink: async () => {},
              refetch: async () => {},
            });
            runner = made;
            void made.run();
          };
          feed.before = (what) => {
            if (what === "pending" && hits("look")) throw broken("service_unreachable");
            if (what === "acknowledge" && hits("acknowledge")) throw broken("service_timeout");
          };
          feed.after = () => {
            if (hits("answer")) throw broken("service_timeout");
          };
          broker.before = (what, id) => {
            if (what === "connect" && hits("connect")) throw broken("mqtt_unreachable");
            if (what !== "publish") return;
            if (hits("publish")) throw broken("mqtt_disconnected");
            if (hits("refuse")) {
              refused.add(id);
              throw broken("mqtt_publish_refused");
            }
          };
          broker.after = () => {
            const fault = hits("puback", "crash");
            if (!fault) return;
            mayRepeat += 1;
            if (fault === "crash") {
              // What this process knew is gone; the next one begins with nothing.
              runner?.stop();
              start();
            }
            throw broken("mqtt_disconnected");
          };
          start();
          for (let minutes = 0; minutes < 400 && feed.outcomes.size < count; minutes++) await clock.advance(60_000);
          runner?.stop();
          const ids = feed.items.map(({ id }) => id);
          expect([...feed.outcomes.keys()].toSorted()).toEqual(ids);
          for (const id of ids) {
            const status = feed.outcomes.get(id)?.status;
            if (status === "delivered") expect(broker.published).toContain(id);
            else expect(refused.has(id)).toBe(true);
          }
          expect(broker.published.length - new Set(broker.published).size).toBeLessThanOrEqual(mayRepeat);
          if (faults.every((fault) => fault === "none")) expect(broker.published).toEqual(ids);
          expect(broker.open).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});
