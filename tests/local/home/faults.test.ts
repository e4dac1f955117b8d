import { describe, expect, it } from "vitest";
import { MALFORMED } from "../../../local/home/live/malformed.ts";
import type { SimulatedHome } from "../../../local/home/simulated-home.ts";
import { changesOf, postFault, rawClient, settled, testHome, type WireState, watching } from "./support.ts";

const stateNow = async (home: SimulatedHome) =>
  (await (await fetch(`${home.url}/_sim/state`)).json()) as Record<string, unknown>;
const sentLines = async (home: SimulatedHome) =>
  (await (await fetch(`${home.url}/_sim/events`)).text())
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("other faults", () => {
  it("make a device unavailable for a while", async () => {
    const home = await testHome();
    const client = await watching(home);
    await postFault(home, { fault: "unavailable", device: "meter", seconds: 30 });
    home.advance(29_000);
    await settled(client);
    const meter = () =>
      changesOf(client)
        .filter((event) => event.data.entity_id === "sensor.power_consumption")
        .map((event) => (event.data.new_state as WireState).state);
    expect(meter().at(-1)).toBe("unavailable");
    home.advance(2_000);
    await settled(client);
    expect(Number(meter().at(-1))).toBeGreaterThan(0);
  });

  it("drop every connection without a word", async () => {
    const home = await testHome();
    const client = await watching(home);
    await postFault(home, { fault: "drop" });
    expect(await client.closed).toBe(1006);
    expect((await stateNow(home)).connections).toBe(0);
    await watching(home);
  });

  it("burst", async () => {
    const home = await testHome();
    const client = await watching(home);
    await postFault(home, { fault: "burst", events: 2_000 });
    for (let step = 0; step < 10; step++) {
      home.advance(100);
      await settled(client);
    }
    expect(changesOf(client).length).toBeGreaterThanOrEqual(2_000);
    const keys = changesOf(client).map(
      (event) => `${event.data.entity_id} ${(event.data.new_state as WireState).last_updated}`,
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("send each kind of malformed event among good ones, and go on", async () => {
    const home = await testHome();
    const client = await watching(home);
    await postFault(home, { fault: "malformed" });
    home.emit({ entityId: "sensor.by_hand", state: "fine" });
    await settled(client);
    const events = changesOf(client);
    expect(events).toHaveLength(MALFORMED.length + 1);
    const states = events.map((event) => event.data.new_state as WireState | undefined);
    expect(states.some((state) => state && state.entity_id === undefined)).toBe(true);
    expect(states.some((state) => state?.state.length === 300)).toBe(true);
    expect(states.some((state) => state?.state.includes("\u0000"))).toBe(true);
    expect(states.some((state) => state?.last_updated.startsWith("9999"))).toBe(true);
    expect(client.texts.some((text) => text.length > 1_048_576)).toBe(true);
    const lines = await sentLines(home);
    expect(lines.filter((line) => line.kind === "malformed")).toHaveLength(MALFORMED.length);
    expect(lines.at(-1)).toMatchObject({ entity_id: "sensor.by_hand", state: "fine", kind: "state_changed" });
  });

  it("repeat an event, step the clock back, refuse the token, slow the recorder, remove an entity", async () => {
    const home = await testHome({ rate: 50 });
    const client = await watching(home);
    home.emit({ entityId: "sensor.by_hand", state: "1" });
    await postFault(home, { fault: "duplicate" });
    await settled(client);
    const [one, two] = changesOf(client).slice(-2);
    expect(two).toEqual(one);
    await postFault(home, { fault: "clock-step", seconds: -30 });
    home.emit({ entityId: "sensor.by_hand", state: "2" });
    await settled(client);
    const stepped = changesOf(client).at(-1)?.time_fired ?? "";
    expect(stepped < (one?.time_fired ?? "")).toBe(true);
    await postFault(home, { fault: "remove", entity_id: "sensor.by_hand" });
    await settled(client);
    expect(changesOf(client).at(-1)?.data).toMatchObject({ entity_id: "sensor.by_hand", new_state: null });
    await postFault(home, { fault: "recorder-slow", rows_per_second: 1, seconds: 60 });
    home.advance(5_000);
    expect((await stateNow(home)).recorder_backlog).toBeGreaterThan(100);
    await postFault(home, { fault: "auth-refused", seconds: 5 });
    const refused = await rawClient(home.url);
    refused.send({ type: "auth", access_token: home.token });
    expect(await refused.closed).toBe(1000);
    expect((await fetch(`${home.url}/api/`, { headers: { authorization: `Bearer ${home.token}` } })).status).toBe(401);
    home.advance(5_000);
    await watching(home);
  });

  it("are refused clearly when nobody knows them, and to anybody but this machine", async () => {
    const home = await testHome();
    expect((await postFault(home, { fault: "earthquake" })).status).toBe(400);
    expect((await fetch(`${home.url}/_sim/other`)).status).toBe(404);
    const { request } = await import("node:http");
    const status = await new Promise((resolve) =>
      request(`${home.url}/_sim/state`, { headers: { host: "evil.example" } }, (response) =>
        resolve(response.statusCode),
      ).end(),
    );
    expect(status).toBe(403);
  });

  it("come by themselves when switched on, the same for the same seed", async () => {
    const run = async () => {
      const home = await testHome({ faults: ["malformed", "clock-step", "remove"], seed: 9 });
      for (let step = 0; step < 70; step++) home.advance(1_000);
      return (await sentLines(home)).filter((line) => line.kind === "malformed").map((line) => line.last_updated);
    };
    const [first, second] = [await run(), await run()];
    expect(first.length).toBeGreaterThanOrEqual(MALFORMED.length);
    expect(second).toEqual(first);
  });
});

describe("the log of what was sent", () => {
  it("has every event that a client got, key by key, and can be asked for a stretch", async () => {
    const home = await testHome({ rate: 200 });
    const client = await watching(home);
    for (let step = 0; step < 10; step++) {
      home.advance(500);
      await settled(client);
    }
    const got = changesOf(client)
      .map((event) => event.data.new_state as WireState)
      .map((state) => `${state.entity_id} ${state.last_updated} ${state.state}`);
    const sent = (await sentLines(home)).map((line) => `${line.entity_id} ${line.last_updated} ${line.state}`);
    expect(got.length).toBeGreaterThan(700);
    expect(sent).toEqual(got);
    const from = "2026-11-22T13:00:01";
    const part = (await (await fetch(`${home.url}/_sim/events?from=${from}&to=2026-11-22T13:00:02`)).text())
      .trim()
      .split("\n");
    expect(part.length).toBe(got.filter((line) => line.split(" ")[1]?.startsWith(from)).length);
    expect((await stateNow(home)).events_sent).toBe(got.length);
  });
});
