import { beforeEach, describe, expect, it } from "vitest";
import { createMemoryDisplayStore } from "../../lib/adapters/memory/display.ts";
import { createMemoryHomeDirectory } from "../../lib/adapters/memory/homes.ts";
import { createMemorySuggestionStore } from "../../lib/adapters/memory/suggestions.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import type { RelayStatus } from "../../lib/devices/ports.ts";
import { OUTBOX_PAYLOAD_MAX_BYTES, type OutboxMessage, topicProblem } from "../../lib/event/index.ts";
import { createDisplay, type Display } from "../../lib/publish/index.ts";
import { suggestionsPayload } from "../../lib/publish/texts.ts";
import type { Suggestion } from "../../lib/suggestions/ports.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";
import { suggestion } from "../support/suggestions.ts";

const FIGURES = {
  date: "2026-11-21",
  patterns: 7,
  last_run: "2026-11-22T02:00:00.000Z",
  events_day: 1,
  events_day_before: null,
  ledger_complete: "no" as const,
};
const DEVICE = "homeassistant/device/hearthline_my_home/config";

let clock: ManualClock;
let sent: OutboxMessage[];
let display: Display;
let isFull: boolean;
let relays: readonly RelayStatus[];
const suggestions = createMemorySuggestionStore();
let homes: ReturnType<typeof createMemoryHomeDirectory>;

async function begin(haVersion = "2026.11.0") {
  homes = createMemoryHomeDirectory();
  const facts = { homeId: "my-home", name: "Home", timeZone: "UTC", revision: 0, createdAt: "2026-01-01", haVersion };
  await homes.add(facts, { id: "k", secret: Buffer.alloc(32) });
  display = createDisplay({
    told: createMemoryDisplayStore(),
    outbox: {
      add: async (asked) => {
        if (isFull) throw new HearthlineError("outbox_full", "300 wait");
        if (asked.kind === "mqtt") sent.push(asked.message);
        return { item: {} as never, added: true };
      },
    },
    suggestions,
    homes,
    index: { relayStatuses: async () => relays },
    clock,
    url: "https://hearthline.example",
  });
}
const tell = (all: readonly Suggestion[]) => suggestions.change("my-home", () => all);
const two = [suggestion({ homeId: "my-home" }), suggestion({ homeId: "my-home", id: "f-0xab-color", rank: 2 })];
const topics = () => sent.splice(0).map(({ topic }) => topic);
const told = (topic: string) => JSON.parse(sent.findLast((message) => message.topic === topic)?.payload ?? "null");

beforeEach(async () => {
  clock = manualClock();
  sent = [];
  isFull = false;
  relays = [];
  await begin();
  await tell(two);
});

describe("what the house is told", () => {
  it("is retained, may be published, and names everything hearthline", async () => {
    await display.show("my-home", { figures: FIGURES });
    expect(sent.map(({ topic }) => topic)).toEqual([
      DEVICE,
      "hearthline/my-home/suggestions",
      "hearthline/my-home/figures",
    ]);
    for (const { topic, payload, qos, retain } of sent) {
      expect(topicProblem(topic, payload)).toBeUndefined();
      expect([qos, retain]).toEqual([1, true]);
    }
    const { components, device } = told(DEVICE);
    expect(device).toMatchObject({
      identifiers: ["hearthline_my_home"],
      configuration_url: "https://hearthline.example",
    });
    expect(Object.keys(components)).toHaveLength(6 + 2 * 3);
    expect(components.hearthline_my_home_f_0xab_color_dismiss).toMatchObject({
      platform: "button",
      default_entity_id: "button.hearthline_my_home_f_0xab_color_dismiss",
      availability_topic: "hearthline/my-home/availability",
    });
  });

  it("is only what is new, and at night everything", async () => {
    expect(await display.show("my-home", { figures: FIGURES })).toBe(3);
    expect(await display.show("my-home")).toBe(0);
    expect(await display.show("my-home", { figures: { ...FIGURES, patterns: 8 } })).toBe(1);
    expect(await display.show("my-home", { figures: { ...FIGURES, date: "2026-11-01" }, again: true })).toBe(3);
    expect(told("hearthline/my-home/figures")).toMatchObject({ date: "2026-11-21", patterns: 8 });
  });

  it("takes away what is decided, for a week, and then speaks of it no more", async () => {
    await display.show("my-home");
    await tell([{ ...two[0], status: "dismissed" } as Suggestion, two[1] as Suggestion]);
    await display.show("my-home");
    expect(told(DEVICE).components.hearthline_my_home_p_abc_accept).toEqual({ platform: "button" });
    expect(told("hearthline/my-home/suggestions")).toMatchObject({ count: 1, suggestions: [{ id: "f-0xab-color" }] });
    await clock.advance(8 * 86_400_000);
    await display.show("my-home", { again: true });
    expect(told(DEVICE).components).not.toHaveProperty("hearthline_my_home_p_abc_accept");
    await tell(two);
    await display.show("my-home");
    expect(told(DEVICE).components.hearthline_my_home_p_abc_accept).toHaveProperty("command_topic");
  });

  it("is one message an entity for an older Home Assistant, and an empty one when it goes", async () => {
    await begin("2024.3.3");
    await display.show("my-home");
    const first = sent.map(({ topic }) => topic);
    expect(first).toContain("homeassistant/button/hearthline_my_home/hearthline_my_home_p_abc_accept/config");
    expect(first).toHaveLength(6 + 6 + 1);
    for (const { topic, payload } of sent) expect(topicProblem(topic, payload)).toBeUndefined();
    expect(JSON.parse(sent[0]?.payload ?? "")).toHaveProperty("object_id");
    topics();
    await tell([two[1] as Suggestion]);
    await display.show("my-home");
    expect(sent.filter(({ payload }) => payload === "")).toHaveLength(3);
  });

  it("takes the old form away before it uses the new one", async () => {
    await begin("2024.3.3");
    await display.show("my-home");
    topics();
    const newer = { name: "Home", timeZone: "UTC", haVersion: "2026.11.0", revision: 5 };
    await homes.update("my-home", newer);
    await display.show("my-home");
    expect(sent.slice(0, 12).every(({ payload, topic }) => payload === "" && topic.endsWith("/config"))).toBe(true);
    expect(sent[12]?.topic).toBe(DEVICE);
  });

  it("is nothing while no relay knows a broker, and everything once one does", async () => {
    const relay = (publishes?: boolean, at = "2026-11-21T23:00:00Z") =>
      ({ relayId: "r", at, ...(publishes !== undefined && { publishes }) }) as RelayStatus;
    relays = [relay(false), relay(false)];
    expect([
      await display.reaches("my-home"),
      await display.show("my-home", { figures: FIGURES, again: true }),
    ]).toEqual([false, 0]);
    expect(sent).toEqual([]);
    // Of those that have been replaced nothing is expected; of one that is away for long, while there is no other, what it said.
    for (const gone of [relay(true, "2026-11-20T22:00:00Z"), relay(undefined, "2026-11-20T22:00:00Z")]) {
      relays = [gone, relay(false)];
      expect(await display.show("my-home", { figures: FIGURES, again: true })).toBe(0);
    }
    for (const some of [
      [relay(false), relay()],
      [relay(false), relay(true)],
      [relay(false, "2026-11-01T00:00:00Z"), relay(true)],
      [relay(true, "2026-11-01T00:00:00Z")],
      [relay(true, "2026-11-20T23:30:00Z"), relay(false)],
    ]) {
      relays = some;
      expect(await display.show("my-home", { figures: FIGURES, again: true })).toBe(3);
    }
  });

  it("is told again to a Home Assistant that comes back, not more often than every ten minutes", async () => {
    expect(await display.refresh("my-home")).toBe(0);
    await display.show("my-home", { figures: FIGURES });
    expect(await display.refresh("my-home")).toBe(0);
    await clock.advance(601_000);
    expect(await display.refresh("my-home")).toBe(3);
    expect(await display.refresh("my-home")).toBe(0);
  });

  it("is not kept as told when the outbox is full", async () => {
    isFull = true;
    await expect(display.show("my-home")).rejects.toMatchObject({ code: "outbox_full" });
    isFull = false;
    expect(await display.show("my-home")).toBe(2);
  });

  it("stays below what Home Assistant records, however long the words are", () => {
    const long = '🔥 very "long" words '.repeat(400);
    const many = Array.from({ length: 30 }, (_, at) =>
      suggestion({ id: `p-${at}`, title: long, description: long, evidence: long }),
    );
    const payload = suggestionsPayload(many, "https://hearthline.example");
    expect(Buffer.byteLength(payload)).toBeLessThan(16_384);
    expect(JSON.parse(payload)).toMatchObject({ count: 30 });
    expect(JSON.parse(payload).suggestions).toHaveLength(10);
    expect(Buffer.byteLength(payload)).toBeLessThan(OUTBOX_PAYLOAD_MAX_BYTES);
  });
});
