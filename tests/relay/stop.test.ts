import { describe, expect, it } from "vitest";
import { createMemorySpool } from "../../lib/adapters/memory/spool.ts";
import { createRelay } from "../../lib/relay/index.ts";
import type { Spool } from "../../lib/relay/ports.ts";
import { manualClock } from "../support/manual-clock.ts";
import { FakeHomeAssistant, FakeSink, keepLog, pass, settle } from "./fakes.ts";
import { change } from "./ha-samples.ts";

const never = <T>(): Promise<T> => new Promise(() => {});

/** A relay that has read, of which parts hang from now on; how long its stop took then. */
async function stopWith(hang: (parts: Parts) => void): Promise<number> {
  const clock = manualClock();
  const memory = createMemorySpool({ relayId: "r", clock, sinks: ["cloud"], maxBytes: 100_000_000 });
  const parts: Parts = {
    spool: memory,
    sink: new FakeSink(clock),
    home: new FakeHomeAssistant(),
  };
  const relay = createRelay({
    homeId: "home",
    homeAssistant: parts.home,
    spool: parts.spool,
    sinks: [parts.sink],
    references: [],
    clock,
    random: () => 0.5,
    log: keepLog().log,
    include: [],
    exclude: [],
    endsWhenRefused: false,
  });
  void relay.run();
  await pass(clock, 2_000);
  hang(parts);
  for (let us = 1; us <= 10; us++) parts.home.fire(change("light.a", us));
  await settle();
  const startMs = clock.monotonicMs();
  let stoppedAtMs = Number.POSITIVE_INFINITY;
  void relay.stop().then(() => {
    stoppedAtMs = clock.monotonicMs();
  });
  for (let step = 0; step < 100 && stoppedAtMs === Number.POSITIVE_INFINITY; step++) await pass(clock, 100);
  return stoppedAtMs - startMs;
}

interface Parts {
  readonly spool: Spool;
  readonly sink: FakeSink;
  readonly home: FakeHomeAssistant;
}
const sinkHangs = ({ sink }: Parts) => {
  sink.gate = never;
};
const spoolHangs = ({ spool }: Parts) => {
  Object.assign(spool, { append: never, read: never, acknowledge: never, recordLoss: never, close: never });
};
const homeHangs = ({ home }: Parts) => {
  Object.assign(home, { connect: never });
  Object.assign(home.session ?? {}, { close: never, closed: never() });
};

describe("a stop ends within 4.5 s", () => {
  it.each([
    ["a sink that hangs", [sinkHangs]],
    ["a spool that hangs", [spoolHangs]],
    ["a Home Assistant that hangs", [homeHangs]],
    ["all of them", [sinkHangs, spoolHangs, homeHangs]],
  ] as const)("with %s", async (_what, hangs) => {
    const tookMs = await stopWith((parts) => {
      for (const hang of hangs) hang(parts);
    });
    expect(tookMs).toBeLessThanOrEqual(4_500);
  });

  it("at once when nothing hangs", async () => {
    expect(await stopWith(() => {})).toBeLessThanOrEqual(500);
  });
});
