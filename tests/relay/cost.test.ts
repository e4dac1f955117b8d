import { expect, it } from "vitest";
import { createMemorySpool } from "../../lib/adapters/memory/spool.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { createRelay } from "../../lib/relay/index.ts";
import { manualClock } from "../support/manual-clock.ts";
import { FakeHomeAssistant, FakeSink, keepLog, pass } from "./fakes.ts";
import { change } from "./ha-samples.ts";

const HOURS = 3;

/** A home of 0.3 events a second for some hours; how many messages went, and what was logged. */
async function hoursOf(flushMs: number, eventsASecond: number) {
  const clock = manualClock();
  const spool = createMemorySpool({ relayId: "r", clock, sinks: ["cloud"], maxBytes: 1e9 });
  const sink = new FakeSink(clock, { flushMs });
  const home = new FakeHomeAssistant();
  const { log, lines } = keepLog();
  const random = seededRandom(5);
  const relay = createRelay({
    ...{ homeId: "home", homeAssistant: home, spool, sinks: [sink], references: [], clock, random, log },
    ...{ include: [], exclude: [], endsWhenRefused: false },
  });
  void relay.run();
  await pass(clock, 2_000);
  for (let second = 0; second < HOURS * 3_600; second += 10) {
    const time_fired = new Date(clock.nowMs()).toISOString();
    for (let us = 0; us < 10; us++)
      if (random() < eventsASecond) home.fire({ ...change("light.a", second * 10 + us), time_fired });
    await clock.advance(10_000);
  }
  const { length: messages } = sink.messages;
  await relay.stop();
  return { messages, lines: lines.length, statuses: sink.records.filter(({ t }) => t === "relay").length };
}

it.each([
  [60_000, 0.3, HOURS * 60],
  [300_000, 0.3, HOURS * 12],
  [60_000, 0, HOURS * 12],
])(
  "with %i ms between messages and %d events a second it makes at most %i in three hours",
  async (flushMs, rate, most) => {
    const { messages, lines, statuses } = await hoursOf(flushMs, rate);
    // What is no news is said every five minutes, and goes with the others; what makes a connection goes by itself.
    expect(statuses).toBeGreaterThanOrEqual(HOURS * 12);
    expect(statuses).toBeLessThan(HOURS * 12 + 10);
    expect(messages).toBeLessThanOrEqual(most + 2);
    expect(messages).toBeGreaterThan(most * 0.8);
    expect(lines).toBeLessThan(10);
  },
);
