import { beforeEach, describe, expect, it } from "vitest";
import { createMemoryDeviceIndex } from "../../lib/adapters/memory/device-index.ts";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import { createMemorySuggestionStore } from "../../lib/adapters/memory/suggestions.ts";
import type { HomeEvent } from "../../lib/event/index.ts";
import { createWatch } from "../../lib/suggestions/index.ts";
import type { AcceptOutcome, Suggestion } from "../../lib/suggestions/ports.ts";
import { buildEvent } from "../support/events.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";
import { suggestion } from "../support/suggestions.ts";

const LAMP = "input_boolean.lamp";
const AUTOMATION = "automation.turn_on_lamp";
const DAY_MS = 86_400_000;
const WRITTEN_MS = Date.UTC(2026, 10, 20, 8);

let clock: ManualClock;
let index: ReturnType<typeof createMemoryDeviceIndex>;
let events: ReturnType<typeof createMemoryEventStore>;
let suggestions: ReturnType<typeof createMemorySuggestionStore>;
let asked: string[];

beforeEach(async () => {
  clock = manualClock(WRITTEN_MS + 2 * DAY_MS);
  index = createMemoryDeviceIndex(clock);
  events = createMemoryEventStore();
  suggestions = createMemorySuggestionStore();
  asked = [];
  await suggestions.change("home", () => [accepted()]);
});

const accepted = (more: Partial<Suggestion> = {}): Suggestion =>
  suggestion({
    status: "accepted",
    outcome: "written",
    automationId: "hearthline_p_abc",
    history: [{ at: new Date(WRITTEN_MS).toISOString(), what: "written into Home Assistant", by: "relay" }],
    ...more,
  });

/** The registry as the relay read it, with the automation in it or not. */
const registry = (isThere: boolean, revision = clock.nowMs()) =>
  index.applyRegistry("home", {
    ...{ registry: "entities", revision, part: 1, parts: 1 },
    rows: [
      { entityId: LAMP, platform: "input_boolean", uniqueId: "lamp", labels: [] },
      ...(isThere ? [{ entityId: AUTOMATION, platform: "automation", uniqueId: "hearthline_p_abc", labels: [] }] : []),
    ],
  });
const seen = (state: string) => index.applySeen("home", new Map([[AUTOMATION, { atUs: clock.nowMs() * 1000, state }]]));

async function watched(): Promise<AcceptOutcome | undefined> {
  const watch = createWatch({ suggestions, index, events, clock, again: async ({ id }) => void asked.push(id) });
  await watch("home");
  return (await suggestions.get("home", "p-abc"))?.outcome;
}

/** Runs of the automation, one a quarter of an hour; each is followed by what `then` gives. */
async function runs(count: number, then: (run: number) => Partial<HomeEvent> & { readonly afterSeconds: number }) {
  const all: HomeEvent[] = [];
  for (let run = 0; run < count; run++) {
    const atUs = (clock.nowMs() - 20_000_000 + run * 900_000) * 1000;
    const context = { id: `run-${run}` };
    const own = { homeId: "home", context, atUs };
    const attributes = { last_triggered: new Date(atUs / 1000).toISOString() };
    all.push(
      buildEvent({ ...own, entityId: AUTOMATION, domain: "automation", state: "on", kind: "attributes", attributes }),
      buildEvent({ ...own, entityId: LAMP, domain: "input_boolean", state: "on", kind: "change", atUs: atUs + 1_000 }),
    );
    const { afterSeconds, ...more } = then(run);
    const lamp = { homeId: "home", entityId: LAMP, domain: "input_boolean", state: "off", kind: "change" as const };
    all.push(buildEvent({ ...lamp, atUs: atUs + afterSeconds * 1_000_000, ...more }));
  }
  await events.write(all);
}
const byPerson = { context: { id: "person", userId: "u" } };

describe("accepted automations in the house", () => {
  it("are kept after two weeks on", async () => {
    await registry(true);
    await seen("on");
    expect(await watched()).toBe("written");
    await clock.advance(13 * DAY_MS);
    expect(await watched()).toBe("kept");
    const { history } = (await suggestions.get("home", "p-abc")) ?? { history: [] };
    expect(history.map(({ by }) => by)).toEqual(["relay", "night"]);
  });

  it("are turned off, on again, and removed", async () => {
    await registry(true);
    await seen("off");
    expect(await watched()).toBe("turned-off");
    await clock.advance(1_000);
    await seen("on");
    expect(await watched()).toBe("written");
    await clock.advance(1_000);
    await registry(false);
    expect(await watched()).toBe("removed");
  });

  it("are not called removed by a registry that was read before they were written", async () => {
    await registry(false, WRITTEN_MS - 1);
    expect(await watched()).toBe("written");
    await seen("unavailable");
    await registry(true);
    expect(await watched()).toBe("written");
  });

  it("are overridden when people undo three of the last five runs", async () => {
    await registry(true);
    await seen("on");
    await runs(5, (run) => ({ ...byPerson, afterSeconds: run < 3 ? 30 : 1_000 }));
    expect(await watched()).toBe("overridden");
  });

  it.each([
    ["once or twice", (run: number) => ({ ...byPerson, afterSeconds: run < 2 ? 30 : 800 })],
    ["late", () => ({ ...byPerson, afterSeconds: 700 })],
    ["by another automation", () => ({ context: { id: "x", parentId: "y" }, afterSeconds: 30 })],
    ["by a lost radio", () => ({ state: "unavailable", quality: "unavailable" as const, afterSeconds: 30 })],
  ])("are not overridden when what they did is undone %s", async (_, then) => {
    await registry(true);
    await seen("on");
    await runs(5, then);
    expect(await watched()).toBe("written");
  });

  it("are asked for again while they wait, and left alone when they were refused", async () => {
    await suggestions.change("home", () => [
      accepted({ outcome: "waiting" }),
      accepted({ id: "p-refused", outcome: "refused" }),
      suggestion({ id: "p-new" }),
    ]);
    expect(await watched()).toBe("waiting");
    expect(asked).toEqual(["p-abc"]);
  });
});
