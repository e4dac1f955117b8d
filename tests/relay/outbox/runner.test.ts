import { beforeEach, describe, expect, it } from "vitest";
import type { NewRelayRecord } from "../../../lib/event/index.ts";
import { createOutboxRunner, type OutboxRunner } from "../../../lib/relay/index.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";
import { bridgeDevicesText } from "../../support/zigbee.ts";
import { keepLog, pass } from "../fakes.ts";
import { broken, FakeBroker, FakeFeed, item } from "./fakes.ts";

let clock: ManualClock;
let feed: FakeFeed;
let broker: FakeBroker;
let runner: OutboxRunner;
let lines: string[];
let records: NewRelayRecord[];
let spoolFails: Error | undefined;

beforeEach(() => {
  clock = manualClock();
  feed = new FakeFeed();
  broker = new FakeBroker();
  records = [];
  spoolFails = undefined;
  const kept = keepLog();
  lines = kept.lines;
  runner = createOutboxRunner({
    feed,
    broker,
    baseTopics: ["zigbee2mqtt"],
    intervalSeconds: 60,
    clock,
    random: () => 0.5,
    log: kept.log,
    append: async (make) => {
      if (spoolFails) throw spoolFails;
      records.push(...make(7));
    },
    turnSink: async () => {},
    refetch: async () => {},
  });
  void runner.run();
});

describe("the outbox of the relay", () => {
  it("publishes in order, acknowledges after the broker, and connects only while there is work", async () => {
    const order: string[] = [];
    broker.after = (id) => order.push(`published ${id}`);
    feed.after = () => order.push("acknowledged");
    await pass(clock, 10_000);
    expect([feed.looks, broker.connects]).toEqual([1, 0]);
    feed.items = [item("a"), item("b")];
    await pass(clock, 60_000);
    expect(order).toEqual(["published a", "acknowledged", "published b", "acknowledged"]);
    expect(feed.outcomes.get("a")).toEqual({ status: "delivered", attempts: 1 });
    expect([broker.connects, broker.open]).toEqual([1, 0]);
    expect(runner.state()).toEqual({
      breaker: "closed",
      waiting: 0,
      delivered: 2,
      failed: 0,
      looked_at: expect.any(String),
    });
    const looks = feed.looks;
    await pass(clock, 600_000);
    expect(feed.looks - looks).toBeGreaterThanOrEqual(9);
    expect(feed.looks - looks).toBeLessThanOrEqual(12);
    expect(broker.published).toEqual(["a", "b"]);
  });

  it("looks again at once after work: a list may be longer than its page", async () => {
    feed.items = [item("a")];
    feed.after = () => {
      if (feed.items.length === 1) feed.items.push(item("b"));
    };
    await pass(clock, 5_000);
    expect(broker.published).toEqual(["a", "b"]);
  });

  it("publishes nothing twice when only the acknowledgement failed", async () => {
    feed.items = [item("a"), item("b")];
    feed.before = (what) => {
      if (what === "acknowledge") throw broken("service_unreachable");
    };
    await pass(clock, 120_000);
    expect(broker.published).toEqual(["a"]);
    expect(runner.state().last_error).toBe("service_unreachable: it is service_unreachable");
    feed.before = () => {};
    await pass(clock, 300_000);
    expect(broker.published).toEqual(["a", "b"]);
    expect([...feed.outcomes.values()]).toEqual([
      { status: "delivered", attempts: 1 },
      { status: "delivered", attempts: 1 },
    ]);
    expect(runner.state()).toMatchObject({ delivered: 2, breaker: "closed" });
    expect(runner.state()).not.toHaveProperty("last_error");
  });

  it("loses nothing while the broker is away, backs off, says so once, and goes on", async () => {
    feed.items = [item("a")];
    broker.before = () => {
      throw broken("mqtt_unreachable");
    };
    await pass(clock, 3_600_000);
    expect(runner.state()).toMatchObject({
      breaker: "open",
      waiting: 1,
      last_error: "mqtt_unreachable: it is mqtt_unreachable",
    });
    // 5 minutes at most between two attempts, half of it by this chance.
    expect(broker.connects).toBeGreaterThan(20);
    expect(broker.connects).toBeLessThan(45);
    expect(lines.filter((line) => line.includes("cannot be worked through"))).toHaveLength(1);
    broker.before = () => {};
    await pass(clock, 300_000);
    expect(feed.outcomes.get("a")?.status).toBe("delivered");
  });

  it("asks seldom where a person must act", async () => {
    broker.before = () => {
      throw broken("mqtt_refused");
    };
    feed.items = [item("a")];
    await pass(clock, 3_600_000);
    expect(broker.connects).toBeLessThan(13);
    expect(runner.state()).toMatchObject({ breaker: "open", last_error: expect.stringContaining("mqtt_refused") });
    expect(lines.filter((line) => line.includes('"level":"error"'))).toHaveLength(1);
  });

  it("reports what the broker will never take as failed, and goes on with the next", async () => {
    feed.items = [item("a"), item("b")];
    broker.before = (what, id) => {
      if (what === "publish" && id === "a") throw broken("mqtt_publish_refused");
    };
    await pass(clock, 5_000);
    expect(feed.outcomes.get("a")).toEqual({
      status: "failed",
      attempts: 1,
      error: "mqtt_publish_refused: it is mqtt_publish_refused",
    });
    expect(feed.outcomes.get("b")?.status).toBe("delivered");
    expect(runner.state()).toMatchObject({ delivered: 1, failed: 1 });
  });

  it("puts an item at which the connection ends each time behind the others", async () => {
    feed.items = [item("poison"), item("b"), item("c")];
    broker.before = (what, id) => {
      if (what === "publish" && id === "poison") throw broken();
    };
    await pass(clock, 60_000);
    expect(broker.published).toEqual(["b", "c"]);
    await pass(clock, 600_000);
    expect(feed.outcomes.has("poison")).toBe(false);
    broker.before = () => {};
    await pass(clock, 300_000);
    expect(feed.outcomes.get("poison")?.status).toBe("delivered");
  });

  it("does not trust the cloud with the house", async () => {
    feed.items = [
      item("lock", { topic: "zigbee2mqtt/front_door/set" }),
      { id: "malformed", kind: "mqtt" },
      { id: "newer", kind: "unknown" },
      item("wild", { topic: "hearthline/#" }),
    ];
    await pass(clock, 5_000);
    expect(broker.connects).toBe(0);
    expect([...feed.outcomes.values()].map(({ status, error }) => `${status} ${error?.split(":")[0]}`)).toEqual(
      Array(4).fill("failed outbox_item_malformed"),
    );
  });

  it("sends up what Zigbee2MQTT's devices can do, and acknowledges when it is in the spool", async () => {
    broker.kept.set("zigbee2mqtt/bridge/devices", Buffer.from(bridgeDevicesText));
    feed.items = [{ id: "ask", kind: "capabilities" }];
    spoolFails = broken("spool_failed");
    await pass(clock, 30_000);
    expect(feed.outcomes.size).toBe(0);
    spoolFails = undefined;
    await pass(clock, 120_000);
    expect(records).toMatchObject([{ t: "capabilities", revision: 7, part: 1, parts: 1 }]);
    expect(feed.outcomes.get("ask")).toMatchObject({ status: "delivered" });
  });

  it("says when there is no Zigbee2MQTT", async () => {
    feed.items = [{ id: "ask", kind: "capabilities" }];
    await pass(clock, 5_000);
    expect(feed.outcomes.get("ask")).toMatchObject({
      status: "failed",
      error: expect.stringContaining("HEARTHLINE_ZIGBEE2MQTT_BASE_TOPIC"),
    });
    expect(records).toEqual([]);
  });

  it("finishes the item in hand when it is stopped, and begins no other", async () => {
    feed.items = [item("a"), item("b")];
    broker.after = () => runner.stop();
    await pass(clock, 600_000);
    expect(broker.published).toEqual(["a"]);
    expect([...feed.outcomes.keys()]).toEqual(["a"]);
    expect([broker.open, clock.sleeping()]).toEqual([0, 0]);
  });
});
