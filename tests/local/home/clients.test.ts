import { describe, expect, it } from "vitest";
import { MAX_PENDING_MESSAGES } from "../../../local/home/protocol/outbox.ts";
import { changesOf, type Frame, settled, signedIn, testHome, type WireState } from "./support.ts";

const rows = (frame: Frame) => frame.result as Record<string, unknown>[];

describe("a client that does not read", () => {
  it(`is cut when ${MAX_PENDING_MESSAGES} messages wait for it`, async () => {
    const home = await testHome();
    const client = await signedIn(home);
    await client.command({ type: "subscribe_events", event_type: "state_changed" });
    client.ws.pause();
    const blob = "z".repeat(2_000);
    let sent = 0;
    while (home.core.bus && sent < 60_000 && home.core.states.size > 0 && (await isOpen(home))) {
      for (let index = 0; index < 500; index++)
        home.emit({ entityId: "sensor.by_hand", state: String(++sent), attributes: { blob } });
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sent).toBeGreaterThan(MAX_PENDING_MESSAGES);
    expect(sent).toBeLessThan(60_000);
    client.ws.resume();
    expect(await client.closed).toBe(1000);
    // What the socket had taken arrives, without a hole; what waited is gone.
    const states = changesOf(client).map((event) => Number((event.data.new_state as WireState).state));
    expect(states).toEqual(states.map((_, index) => index + 1));
    expect(states.length).toBeLessThanOrEqual(sent - MAX_PENDING_MESSAGES + 500);
  });
});

const isOpen = async (home: { url: string }): Promise<boolean> => {
  const state = (await (await fetch(`${home.url}/_sim/state`)).json()) as { connections: number };
  return state.connections > 0;
};

describe("older releases", () => {
  it("stamp and list as they did", async () => {
    const home = await testHome({ version: "2024.3.3" });
    const client = await signedIn(home);
    await client.command({ type: "subscribe_events", event_type: "state_changed" });
    home.emit({ entityId: "sensor.by_hand", state: "1" });
    await settled(client);
    expect(Object.keys((changesOf(client)[0]?.data.new_state ?? {}) as object)).not.toContain("last_reported");
    const [entity] = rows(await client.command({ type: "config/entity_registry/list" }));
    expect(Object.keys(entity ?? {})).toEqual([
      "area_id",
      "config_entry_id",
      "device_id",
      "disabled_by",
      "entity_category",
      "entity_id",
      "has_entity_name",
      "hidden_by",
      "icon",
      "id",
      "labels",
      "name",
      "options",
      "original_name",
      "platform",
      "translation_key",
      "unique_id",
    ]);
    expect(rows(await client.command({ type: "config/floor_registry/list" }))).toEqual([]);
    expect((await client.command({ type: "config/device_registry/list_composite_splits" })).error?.code).toBe(
      "unknown_command",
    );
    const devices = rows(await client.command({ type: "config/device_registry/list" }));
    expect(devices.filter((device) => device.name === "Boiler")).toHaveLength(1);
    expect(devices.every((device) => !("parent_device_id" in device))).toBe(true);
  });
});
