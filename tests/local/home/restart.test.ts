import { describe, expect, it } from "vitest";
import {
  changesOf,
  postFault,
  rawClient,
  SUNDAY_MS,
  signedIn,
  temporaryFolder,
  testHome,
  type WireState,
  watching,
} from "./support.ts";

describe("a restart", () => {
  it("closes with 1000, answers while it starts, brings the entities back without old states, then runs", async () => {
    const home = await testHome({ days: 1 });
    const before = await watching(home);
    home.emit({ entityId: "sensor.by_hand", state: "1" });
    expect((await postFault(home, { fault: "restart" })).status).toBe(200);
    expect(await before.closed).toBe(1000);
    await expect(rawClient(home.url)).rejects.toThrow();
    home.advance(800);
    const client = await watching(home, null);
    expect((await client.command({ type: "get_config" })).result).toMatchObject({ state: "NOT_RUNNING" });
    expect((await client.command({ type: "get_states" })).result).toEqual([]);
    home.advance(1_000);
    const half = (await client.command({ type: "get_states" })).result as WireState[];
    expect(half.length).toBeGreaterThan(20);
    expect(half.length).toBeLessThan(home.house.live.length);
    home.advance(1_000);
    expect((await client.command({ type: "get_config" })).result).toMatchObject({ state: "RUNNING" });
    const all = (await client.command({ type: "get_states" })).result as WireState[];
    expect(all).toHaveLength(home.house.live.length);
    expect(all.some((state) => state.entity_id === "sensor.by_hand")).toBe(false);
    const types = client.frames.flatMap((frame) => frame.event?.event_type ?? []);
    expect(types.filter((type) => type.startsWith("homeassistant_"))).toEqual([
      "homeassistant_start",
      "homeassistant_started",
    ]);
    const first = new Map<string, unknown>();
    for (const event of changesOf(client))
      if (!first.has(String(event.data.entity_id))) first.set(String(event.data.entity_id), event.data.old_state);
    expect(first.size).toBe(home.house.live.length);
    expect([...first.values()].every((old) => old === null)).toBe(true);
    expect(all.every((state) => state.last_changed > new Date(SUNDAY_MS + 800).toISOString())).toBe(true);
  });

  it("gives helpers back what they were at a clean stop, and what was saved last after a power cut", async () => {
    const home = await testHome();
    const id = "input_boolean.film_night";
    const turn = async (service: string) => {
      const client = await signedIn(home);
      await client.command({ type: "call_service", domain: "input_boolean", service, target: { entity_id: id } });
    };
    await turn("turn_on");
    home.fault({ fault: "restart", mode: "clean", down_ms: 10, start_ms: 100 });
    home.advance(200);
    expect(home.core.states.get(id)?.state).toBe("on");
    await turn("turn_off");
    home.fault({ fault: "restart", mode: "power-cut", down_ms: 10, start_ms: 100 });
    home.advance(200);
    expect(home.core.states.get(id)?.state).toBe("on");
  });

  it("loses what was not committed in a power cut, nothing at a clean stop", async () => {
    const rows = async (mode: "clean" | "power-cut") => {
      const home = await testHome();
      home.advance(1_050);
      home.emit({ entityId: "sensor.by_hand", state: "7" });
      home.fault({ fault: "restart", mode, down_ms: 10, start_ms: 100 });
      home.advance(2_000);
      return [...home.core.recorder.rows("sensor.by_hand", 0, 1e10)].map((row) => row.state);
    };
    expect(await rows("clean")).toEqual(["7"]);
    expect(await rows("power-cut")).toEqual([]);
  });

  it("of the whole process continues the home: same token, history of before, clock not behind", async () => {
    const data = temporaryFolder();
    const first = await testHome({ data, speed: 3_600, rate: 0.1, days: 1 });
    first.advance(10_000);
    const { token } = first;
    const last = first.core.sim.now();
    await first.stop();
    const second = await testHome({ data, rate: 0.1, days: 5 });
    expect(second.token).toBe(token);
    expect(second.core.phase).toBe("NOT_RUNNING");
    second.advance(3_000);
    expect(second.core.phase).toBe("RUNNING");
    expect(second.core.sim.now()).toBeGreaterThan(last);
    const client = await signedIn(second);
    const ask = {
      type: "history/history_during_period",
      start_time: new Date(SUNDAY_MS - 86_000_000).toISOString(),
      entity_ids: ["binary_sensor.living_room_motion"],
      significant_changes_only: false,
    };
    const rows =
      ((await client.command(ask)).result as Record<string, { lu: number }[]>)["binary_sensor.living_room_motion"] ??
      [];
    const live = rows.filter((row) => row.lu > SUNDAY_MS / 1000);
    expect(live.length).toBeGreaterThan(20);
    expect(rows.length).toBeGreaterThan(live.length);
  });

  it("does not continue another seed's folder", async () => {
    const data = temporaryFolder();
    await (await testHome({ data, seed: 4 })).stop();
    await expect(testHome({ data, seed: 5 })).rejects.toThrow(/seed 5.*seed 4/);
  });
});
