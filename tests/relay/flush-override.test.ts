import { expect, it } from "vitest";
import { createMemorySpool } from "../../lib/adapters/memory/spool.ts";
import { createRelay } from "../../lib/relay/index.ts";
import { manualClock } from "../support/manual-clock.ts";
import { FakeHomeAssistant, FakeSink, keepLog, pass } from "./fakes.ts";
import { change } from "./ha-samples.ts";

const OWN_MS = 60_000;

async function start() {
  const clock = manualClock(Date.parse("2026-11-22T06:00:00Z"));
  const spool = createMemorySpool({ relayId: "r", clock, sinks: ["cloud"], maxBytes: 100_000_000 });
  const sink = new FakeSink(clock, { flushMs: OWN_MS });
  const home = new FakeHomeAssistant();
  const relay = createRelay({
    ...{ homeId: "home", homeAssistant: home, spool, sinks: [sink], references: [], clock },
    ...{ random: () => 0.5, log: keepLog().log, include: [], exclude: [], endsWhenRefused: false },
  });
  relay.run().catch(() => {});
  await pass(clock, 2 * OWN_MS);
  let seconds = 0;
  /** How long an event waits for its message, to a second. */
  const waitSeconds = async () => {
    // What the relay says of itself is sent, and its minute has just passed.
    const before = sink.messages.length;
    seconds += 1;
    home.fire(change("light.a", seconds));
    for (let waited = 1; waited <= 600; waited++) {
      await pass(clock, 1_000);
      if (sink.messages.length > before) return waited;
    }
    return Number.POSITIVE_INFINITY;
  };
  const said = () => sink.records.flatMap((record) => (record.t === "relay" ? [record] : [])).at(-1);
  return {
    clock,
    relay,
    waitSeconds,
    said,
    flush: (flush_seconds: number, until?: string) =>
      relay.turnSink({ sink: "cloud", state: "on", flush_seconds, ...(until !== undefined && { until }) }),
  };
}

it("collects for another time until the moment that was named, then as the settings say, and says both in its status", async () => {
  const { clock, waitSeconds, said, flush } = await start();
  expect(said()?.flush_seconds).toBe(60);
  await flush(5, new Date(clock.nowMs() + 600_000).toISOString());
  await pass(clock, 10_000);
  expect(said()).toMatchObject({ flush_seconds: 5, sinks: [{ name: "cloud", messages: expect.any(Number) }] });
  expect(await waitSeconds()).toBeLessThanOrEqual(6);
  await pass(clock, 600_000);
  await pass(clock, 2 * OWN_MS);
  expect(said()?.flush_seconds).toBe(60);
  expect(await waitSeconds()).toBeGreaterThan(20);
});

it("what waits already goes by the new time; an end that has passed, or a clock that is set back, does not make it last", async () => {
  const { clock, waitSeconds, said, flush } = await start();
  await flush(2, new Date(clock.nowMs() - 1_000).toISOString());
  await pass(clock, 2 * OWN_MS);
  expect(said()?.flush_seconds).toBe(60);
  await flush(2, new Date(clock.nowMs() + 120_000).toISOString());
  clock.set(clock.nowMs() - 86_400_000);
  await pass(clock, 121_000 + 2 * OWN_MS);
  expect(said()?.flush_seconds).toBe(60);
  expect(await waitSeconds()).toBeGreaterThan(20);
});

it("without an end holds until the relay ends; and the cloud's sink still cannot be stopped", async () => {
  const { clock, relay, waitSeconds, flush } = await start();
  await flush(3);
  await pass(clock, 86_400_000);
  expect(await waitSeconds()).toBeLessThanOrEqual(4);
  await expect(relay.turnSink({ sink: "cloud", state: "off", flush_seconds: 3 })).rejects.toThrow(/"cloud"/);
  await expect(relay.turnSink({ sink: "cloud", state: "on" })).rejects.toThrow(/"cloud"/);
});
