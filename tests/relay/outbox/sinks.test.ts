import { describe, expect, it } from "vitest";
import { HearthlineError } from "../../../lib/base/errors.ts";
import type { OutboxSink } from "../../../lib/event/index.ts";
import { createOutboxRunner } from "../../../lib/relay/index.ts";
import type { OutboxWork } from "../../../lib/relay/outbox/ports.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { keepLog, pass } from "../fakes.ts";
import { FakeFeed } from "./fakes.ts";

function start(turnSink: (asked: OutboxSink) => Promise<void>) {
  const [clock, feed] = [manualClock(), new FakeFeed()];
  const runner = createOutboxRunner({
    ...{ feed, clock, baseTopics: [], intervalSeconds: 60, random: () => 0.5, log: keepLog().log },
    append: async () => {},
    turnSink,
    refetch: async () => {},
  });
  void runner.run();
  return { clock, feed };
}

const work = (id: string, sink?: OutboxSink): OutboxWork => ({ id, kind: "sink", ...(sink && { sink }) });

describe("the outbox's word on a sink", () => {
  it("is done in order, without a broker, and acknowledged after it is durable", async () => {
    const asked: OutboxSink[] = [];
    const { clock, feed } = start(async (one) => {
      expect(feed.outcomes.size).toBe(asked.length);
      asked.push(one);
    });
    feed.items = [work("1", { sink: "old", state: "off" }), work("2", { sink: "old", state: "on" })];
    await pass(clock, 10_000);
    expect(asked.map(({ state }) => state)).toEqual(["off", "on"]);
    expect([...feed.outcomes.values()].map(({ status }) => status)).toEqual(["delivered", "delivered"]);
  });

  it("fails for good when the relay has no such sink, or it is malformed; a full disk is tried again", async () => {
    let isFull = true;
    const { clock, feed } = start(async ({ sink }) => {
      if (sink === "none") throw new HearthlineError("sink_unknown", "there is none");
      if (isFull) throw new HearthlineError("spool_failed", "no room");
    });
    feed.items = [work("1", { sink: "none", state: "off" }), work("2"), work("3", { sink: "old", state: "off" })];
    await pass(clock, 10_000);
    expect(feed.outcomes.get("1")).toMatchObject({ status: "failed", error: "sink_unknown: there is none" });
    expect(feed.outcomes.get("2")?.error).toMatch(/^outbox_item_malformed/);
    expect(feed.outcomes.has("3")).toBe(false);
    isFull = false;
    await pass(clock, 600_000);
    expect(feed.outcomes.get("3")?.status).toBe("delivered");
  });
});
