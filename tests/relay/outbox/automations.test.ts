import { beforeEach, describe, expect, it } from "vitest";
import type { WritableAutomation } from "../../../lib/event/index.ts";
import { createOutboxRunner, type OutboxRunner, type OutboxRunnerOptions } from "../../../lib/relay/index.ts";
import type { AutomationFile, OutboxWork } from "../../../lib/relay/outbox/ports.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";
import { keepLog, pass } from "../fakes.ts";
import { broken, FakeBroker, FakeFeed, item } from "./fakes.ts";

const config: WritableAutomation = {
  alias: "A",
  description: "",
  mode: "single",
  triggers: [{ trigger: "time", at: "07:00:00" }],
  conditions: [],
  actions: [{ action: "light.turn_on", target: { entity_id: "light.a" } }],
};
const asked = (id: string, wanted: WritableAutomation | null = config): OutboxWork => ({
  id,
  kind: "automation",
  automation: { id: `hearthline_${id}`, config: wanted },
});

/** A home that notes what it is asked. */
class FakeFile implements AutomationFile {
  readonly did: string[] = [];
  before: () => void = () => {};
  async write(id: string): Promise<void> {
    this.before();
    this.did.push(`write ${id}`);
  }
  async remove(id: string): Promise<void> {
    this.before();
    this.did.push(`remove ${id}`);
  }
}

let clock: ManualClock;
let feed: FakeFeed;
let broker: FakeBroker;
let file: FakeFile;

beforeEach(() => {
  clock = manualClock();
  feed = new FakeFeed();
  broker = new FakeBroker();
  file = new FakeFile();
});

function start(parts: Pick<OutboxRunnerOptions, "broker" | "automations">): OutboxRunner {
  const runner = createOutboxRunner({
    ...{ feed, clock, baseTopics: ["zigbee2mqtt"], intervalSeconds: 60, random: () => 0.5, log: keepLog().log },
    append: async () => {},
    turnSink: async () => {},
    refetch: async () => {},
    ...parts,
  });
  void runner.run();
  return runner;
}

const codeOf = (id: string) => feed.outcomes.get(id)?.error?.split(":")[0];

describe("automations of the outbox", () => {
  it("are written and removed in the order of asking, without a broker", async () => {
    feed.items = [asked("a"), asked("a2", null), item("message")];
    start({ automations: file });
    await pass(clock, 5_000);
    expect(file.did).toEqual(["write hearthline_a", "remove hearthline_a2"]);
    expect(feed.outcomes.get("a")).toEqual({ status: "delivered", attempts: 1 });
    expect(codeOf("message")).toBe("mqtt_not_set");
  });

  it("are left alone where the owner does not want them", async () => {
    feed.items = [asked("a"), item("message")];
    start({ broker });
    await pass(clock, 5_000);
    expect(codeOf("a")).toBe("automation_not_allowed");
    expect(feed.outcomes.get("message")?.status).toBe("delivered");
  });

  it("are looked at again: the relay does not trust the cloud with the house", async () => {
    const unlock = { ...config, actions: [{ action: "lock.unlock", target: { entity_id: "lock.a" } }] };
    feed.items = [
      asked("unlock", unlock as unknown as WritableAutomation),
      { id: "foreign", kind: "automation", automation: { id: "morning_lamp", config: null } },
      { id: "malformed", kind: "automation" },
    ];
    start({ broker, automations: file });
    await pass(clock, 5_000);
    expect(file.did).toEqual([]);
    expect(["unlock", "foreign", "malformed"].map(codeOf)).toEqual(Array(3).fill("outbox_item_malformed"));
  });

  it("wait for Home Assistant, and hold up nothing that is for the broker", async () => {
    feed.items = [asked("a"), item("message")];
    file.before = () => {
      throw broken("home_assistant_disconnected");
    };
    const runner = start({ broker, automations: file });
    await pass(clock, 60_000);
    expect(broker.published).toEqual(["message"]);
    expect(feed.outcomes.has("a")).toBe(false);
    expect(runner.state().last_error).toContain("home_assistant_disconnected");
    file.before = () => {};
    await pass(clock, 300_000);
    expect(feed.outcomes.get("a")).toMatchObject({ status: "delivered" });
    expect(runner.state()).not.toHaveProperty("last_error");
  });

  it("fail with what Home Assistant says, once", async () => {
    feed.items = [asked("a"), asked("b")];
    file.before = () => {
      if (file.did.length === 0 && !feed.outcomes.has("a")) throw broken("automation_not_loaded");
    };
    start({ automations: file });
    await pass(clock, 5_000);
    expect(codeOf("a")).toBe("automation_not_loaded");
    expect(file.did).toEqual(["write hearthline_b"]);
  });
});
