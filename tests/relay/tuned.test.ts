import { expect, it } from "vitest";
import { createMemorySpool } from "../../lib/adapters/memory/spool.ts";
import { createRelay } from "../../lib/relay/index.ts";
import type { KeptTuning, SinkTunings } from "../../lib/relay/ports.ts";
import { manualClock } from "../support/manual-clock.ts";
import { FakeHomeAssistant, FakeSink, keepLog, pass } from "./fakes.ts";
import { change } from "./ha-samples.ts";

const OWN_MS = 60_000;

/** What a relay keeps on its disk. */
function disk(kept: KeptTuning = {}) {
  const there = { kept };
  const tunings: SinkTunings = {
    load: async () => there.kept,
    save: async (next) => {
      there.kept = next;
    },
  };
  return { there, tunings };
}

async function start({ tunings, ownMs = OWN_MS }: { readonly tunings?: SinkTunings; readonly ownMs?: number } = {}) {
  const clock = manualClock(Date.parse("2026-11-22T06:00:00Z"));
  const spool = createMemorySpool({ relayId: "r", clock, sinks: ["cloud"], maxBytes: 100_000_000 });
  const sink = new FakeSink(clock, { flushMs: ownMs });
  const home = new FakeHomeAssistant();
  const relay = createRelay({
    ...{ homeId: "home", homeAssistant: home, spool, sinks: [sink], references: [], clock },
    ...(tunings && { tunings }),
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
    home,
    sink,
    waitSeconds,
    said,
    batch: (batch_records: number) => relay.turnSink({ sink: "cloud", state: "on", batch_records }),
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

it("a time that is none, or an end that never comes, does not make it last; nor is either kept", async () => {
  const { there, tunings } = disk();
  const { clock, said, flush } = await start({ tunings });
  await flush(2, "never");
  await pass(clock, 2 * OWN_MS);
  expect(said()?.flush_seconds).toBe(60);
  await flush(2, "9999-01-01T00:00:00Z");
  await pass(clock, 2 * OWN_MS);
  expect(said()?.flush_seconds).toBe(2);
  await clock.advance(86_400_000);
  await pass(clock, 3 * OWN_MS);
  expect(said()?.flush_seconds).toBe(60);
  expect(there.kept).toEqual({});
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

it("what was kept is there after a restart, what was tried is not; the owner's own change outranks it", async () => {
  const { there, tunings } = disk();
  const first = await start({ tunings });
  await first.flush(5, new Date(first.clock.nowMs() + 3_600_000).toISOString());
  expect(there.kept).toEqual({});
  expect((await start({ tunings })).said()?.flush_seconds).toBe(60);
  await first.flush(5);
  expect(there.kept).toEqual({ flush: { ms: 5_000, insteadOfMs: OWN_MS } });
  const again = await start({ tunings });
  expect(again.said()?.flush_seconds).toBe(5);
  expect(await again.waitSeconds()).toBeLessThanOrEqual(6);
  expect((await start({ tunings, ownMs: 30_000 })).said()?.flush_seconds).toBe(30);
});

it("does not say that it keeps what it could not write, and goes by its settings where nothing can be read", async () => {
  const fails = () => Promise.reject(new Error("disk full"));
  const { said, flush } = await start({ tunings: { load: fails, save: fails } });
  expect(said()?.flush_seconds).toBe(60);
  await expect(flush(5)).rejects.toThrow("disk full");
  expect(said()?.flush_seconds).toBe(60);
});

it("puts no more records into a message than it was told, over a restart too, and says so", async () => {
  const { there, tunings } = disk();
  const first = await start({ tunings });
  await first.batch(10);
  expect(there.kept).toEqual({ batch: { records: 10 } });
  for (const { clock, home, sink, said } of [first, await start({ tunings })]) {
    const before = sink.messages.length;
    for (let second = 1; second <= 45; second++) home.fire(change("light.a", second));
    await pass(clock, 2 * OWN_MS);
    const sizes = sink.messages.slice(before).map(({ records }) => records.length);
    expect(Math.max(...sizes)).toBe(10);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThanOrEqual(45);
    expect(said()?.batch_records).toBe(10);
  }
});
