import { expect, it } from "vitest";
import { createMemoryDeviceIndex } from "../../lib/adapters/memory/device-index.ts";
import { createMemoryHomeDirectory } from "../../lib/adapters/memory/homes.ts";
import { createMemoryQueue } from "../../lib/adapters/memory/queue.ts";
import { createMemorySpool } from "../../lib/adapters/memory/spool.ts";
import { silentLogger } from "../../lib/base/log.ts";
import { indexBatch } from "../../lib/devices/index.ts";
import { relayRecordsSchema } from "../../lib/event/index.ts";
import { packBatch } from "../../lib/ingest/index.ts";
import { canReach } from "../../lib/publish/index.ts";
import { createRelay } from "../../lib/relay/index.ts";
import { FakeHomeAssistant, FakeSink, keepLog, pass } from "../relay/fakes.ts";
import { manualClock } from "../support/manual-clock.ts";

const clock = manualClock(Date.parse("2026-11-22T06:00:00Z"));

/** What the cloud gets of a relay's first minute. */
async function recordsOf(relayId: string, publishes: boolean | undefined) {
  const sink = new FakeSink(clock, { flushMs: 1_000 });
  const relay = createRelay({
    ...{ homeId: "home", homeAssistant: new FakeHomeAssistant(), sinks: [sink], references: [], clock },
    spool: createMemorySpool({ relayId, clock, sinks: ["cloud"], maxBytes: 1_000_000 }),
    ...{ random: () => 0.5, log: keepLog().log, include: [], exclude: [], endsWhenRefused: false },
    ...(publishes !== undefined && { publishes }),
  });
  const ended = relay.run();
  await pass(clock, 60_000);
  await relay.stop();
  await ended;
  return sink.records.filter(({ t }) => t === "relay");
}

it("comes from the relay's record through the index: whether a home has a broker for what it is told", async () => {
  const index = createMemoryDeviceIndex();
  const parts = {
    ...{ index, homes: createMemoryHomeDirectory(), dead: createMemoryQueue(), log: silentLogger },
    presence: { isThere: async () => true },
    compare: async () => 0,
  };
  let messages = 0;
  const after = async (relayId: string, publishes: boolean | undefined) => {
    const records = await recordsOf(relayId, publishes);
    expect(records.length).toBeGreaterThan(0);
    // As it goes over the wire, by the schema of whoever takes it; `n` goes on where the relay's last run ended.
    const taken = records.map((one) => relayRecordsSchema.parse(JSON.parse(JSON.stringify(one))));
    const entries = taken.map((one) => ({ ...one, n: one.n + 1_000 * ++messages, relay_id: relayId }));
    for (const body of packBatch({ homeId: "home" }, entries))
      expect(await indexBatch([{ messageId: `m${messages}`, body }], parts)).toMatchObject({ deadLettered: 0 });
    const statuses = await index.relayStatuses("home");
    return [statuses.find((status) => status.relayId === relayId)?.publishes, canReach(statuses)];
  };
  expect(canReach(await index.relayStatuses("home"))).toBe(true);
  // An older relay says nothing of it.
  expect(await after("r", undefined)).toEqual([undefined, true]);
  expect(await after("r", false)).toEqual([false, false]);
  expect(await after("s", false)).toEqual([false, false]);
  // The broker comes later: the relay starts anew with its address.
  expect(await after("s", true)).toEqual([true, true]);
  expect(await after("s", false)).toEqual([false, false]);
});
