import { describe, expect, it, onTestFinished } from "vitest";
import { createHomeAssistant } from "../../../lib/adapters/homeassistant/client.ts";
import { watch } from "../../../lib/adapters/homeassistant/watchdog.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { type Command, type Peer, startFakeServer, succeed, TOKEN } from "./fake-server.ts";

/** A watchdog over a line whose counters the test moves. */
function watched(answer: (deadlineMs: number) => Promise<unknown>) {
  const clock = manualClock(0);
  const line = { messages: 0, bytes: 0 };
  const stop = new AbortController();
  const pings: number[] = [];
  const silences: { atMs: number; reason: string }[] = [];
  const done = watch({
    clock,
    pingIntervalMs: 15_000,
    pingTimeoutMs: 10_000,
    heard: () => ({ ...line }),
    ping: (deadlineMs) => {
      pings.push(clock.nowMs());
      return answer(deadlineMs);
    },
    onSilence: (reason) => silences.push({ atMs: clock.nowMs(), reason }),
    signal: stop.signal,
  });
  const refuseAfter = (deadlineMs: number) =>
    clock.sleep(deadlineMs).then(() => Promise.reject(new Error("no answer")));
  return { clock, line, stop, pings, silences, done, refuseAfter };
}

describe("the watchdog", () => {
  it("asks after an interval of silence, and goes on while it is answered", async () => {
    const { clock, pings, silences } = watched(async () => {});
    await clock.advance(60_000);
    expect(pings).toEqual([15_000, 30_000, 45_000, 60_000]);
    expect(silences).toEqual([]);
  });

  it("does not ask while messages come", async () => {
    const { clock, line, pings } = watched(async () => {});
    for (let round = 0; round < 10; round++) {
      await clock.advance(7_000);
      line.messages++;
    }
    expect(pings).toEqual([]);
  });

  it("gives up when the ping is not answered, and stops", async () => {
    const dead = watched((deadlineMs) => dead.refuseAfter(deadlineMs));
    await dead.clock.advance(100_000);
    await dead.done;
    expect(dead.pings).toEqual([15_000]);
    expect(dead.silences).toEqual([
      { atMs: 25_000, reason: "nothing came for 15000 ms, and no answer to a ping within 10000 ms" },
    ]);
  });

  it("finds a line that went dead just after a message within two intervals and one timeout", async () => {
    const line = watched((deadlineMs) => line.refuseAfter(deadlineMs));
    await line.clock.advance(1);
    line.line.messages++;
    await line.clock.advance(39_999);
    expect(line.silences.map(({ atMs }) => atMs)).toEqual([40_000]);
  });

  it("waits while a long message is still coming", async () => {
    const slow = watched((deadlineMs) => slow.refuseAfter(deadlineMs));
    for (let round = 0; round < 20; round++) {
      slow.line.bytes += 100_000;
      await slow.clock.advance(5_000);
    }
    expect(slow.silences).toEqual([]);
  });

  it("is not fooled by the keep-alives of a proxy", async () => {
    const proxied = watched((deadlineMs) => proxied.refuseAfter(deadlineMs));
    for (let round = 0; round < 6; round++) {
      proxied.line.bytes += 2;
      await proxied.clock.advance(5_000);
    }
    expect(proxied.silences).toHaveLength(1);
  });

  it("ends with its session", async () => {
    const { clock, stop, pings, done } = watched(async () => {});
    stop.abort();
    await done;
    await clock.advance(60_000);
    expect(pings).toEqual([]);
    expect(clock.sleeping()).toBe(0);
  });
});

describe("a session on a half-open connection", () => {
  it("ends with a reason, although no packet says that the other side is gone", async () => {
    let isGone = false;
    const onCommand = (command: Command, peer: Peer) => {
      if (!isGone) succeed(command, peer);
    };
    const server = await startFakeServer({ onCommand });
    onTestFinished(() => server.stop());
    const clock = manualClock();
    const session = await createHomeAssistant({ url: server.url, token: TOKEN, clock }).connect();
    isGone = true;
    const asked = session.command({ type: "slow" }).catch((thrown: unknown) => thrown);
    let isOver = false;
    void session.closed.then(() => {
      isOver = true;
    });
    for (let second = 0; second < 40; second++) await clock.advance(1_000);
    await expect.poll(() => isOver).toBe(true);
    expect((await session.closed).reason).toContain("no answer to a ping within 10000 ms");
    expect(await asked).toMatchObject({ fate: "retry" });
    // Nothing is left that waits: no timer keeps the process alive.
    expect(clock.sleeping()).toBe(0);
  });
});
