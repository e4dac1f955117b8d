import { describe, expect, it } from "vitest";
import { changesOf, type Frame, rawClient, settled, signedIn, testHome, type WireState } from "./support.ts";

const rows = (frame: Frame) => frame.result as Record<string, unknown>[];

describe("signing in", () => {
  it("greets, takes the token, says the version", async () => {
    const home = await testHome();
    const client = await rawClient(home.url);
    client.send({ type: "auth", access_token: home.token });
    await client.next((frame) => frame.type === "auth_ok");
    expect(client.texts).toEqual([
      '{"type":"auth_required","ha_version":"2026.11.0"}',
      '{"type":"auth_ok","ha_version":"2026.11.0"}',
    ]);
  });

  it("refuses a wrong token and closes with 1000", async () => {
    const home = await testHome();
    const client = await rawClient(home.url);
    client.send({ type: "auth", access_token: "wrong" });
    expect(await client.closed).toBe(1000);
    expect(client.texts[1]).toBe('{"type":"auth_invalid","message":"Invalid access token or password"}');
  });

  it("closes after ten seconds without a word, and on a command before the token", async () => {
    const home = await testHome();
    const [silent, hasty] = [await rawClient(home.url), await rawClient(home.url)];
    hasty.send({ id: 1, type: "ping" });
    expect(await hasty.closed).toBe(1000);
    expect(hasty.frames[1]?.type).toBe("auth_invalid");
    home.advance(9_999);
    expect(silent.ws.readyState).toBe(silent.ws.OPEN);
    home.advance(1);
    expect(await silent.closed).toBe(1000);
    expect(silent.frames).toHaveLength(1);
  });

  it("ends a connection that sends no JSON", async () => {
    const client = await rawClient((await testHome()).url);
    client.send("nonsense");
    expect(await client.closed).toBe(1000);
  });
});

describe("commands", () => {
  it("answers a ping, and each kind of mistake with its code", async () => {
    const client = await signedIn(await testHome());
    client.send([
      { id: 5, type: "ping" },
      { id: 5, type: "ping" },
      { id: 6, type: "no/such_command" },
      { type: "ping" },
      { id: 7, type: "unsubscribe_events", subscription: 3 },
      { id: 8, type: "history/history_during_period", start_time: "2026-11-22T00:00:00+00:00" },
    ]);
    await client.next((frame) => frame.id === 8);
    expect(client.texts.slice(2)).toEqual([
      '{"id":5,"type":"pong"}',
      '{"id":5,"type":"result","success":false,"error":{"code":"id_reuse","message":"Identifier values have to increase."}}',
      '{"id":6,"type":"result","success":false,"error":{"code":"unknown_command","message":"Unknown command."}}',
      '{"id":null,"type":"result","success":false,"error":{"code":"invalid_format","message":"Message incorrectly formatted."}}',
      '{"id":7,"type":"result","success":false,"error":{"code":"not_found","message":"Subscription not found."}}',
      `{"id":8,"type":"result","success":false,"error":{"code":"invalid_format","message":"required key not provided at 'entity_ids'. Got None"}}`,
    ]);
  });

  it("coalesces frames only when the client asked for it", async () => {
    const home = await testHome({ rate: 50 });
    const [plain, coalescing] = [await signedIn(home), await signedIn(home)];
    await coalescing.command({ type: "supported_features", features: { coalesce_messages: 1 } });
    for (const client of [plain, coalescing])
      await client.command({ type: "subscribe_events", event_type: "state_changed" });
    home.advance(2_000);
    for (const client of [plain, coalescing]) await settled(client);
    expect(changesOf(plain).length).toBeGreaterThan(60);
    expect(changesOf(coalescing)).toEqual(changesOf(plain));
    expect(plain.texts.some((text) => text.startsWith("["))).toBe(false);
    expect(coalescing.texts.some((text) => text.startsWith('[{"type":"event"'))).toBe(true);
  });

  it("sends state changes in Home Assistant's shape and key order", async () => {
    const home = await testHome();
    const client = await signedIn(home);
    await client.command({ type: "subscribe_events", event_type: "state_changed" });
    home.emit({ entityId: "sensor.by_hand", state: "1", attributes: { unit_of_measurement: "W" } });
    home.emit({ entityId: "sensor.by_hand", state: "1", attributes: { unit_of_measurement: "W" } });
    home.emit({ entityId: "sensor.by_hand", state: "1", attributes: { unit_of_measurement: "kW" } });
    await settled(client);
    const [first, second, ...more] = client.frames.filter((frame) => frame.type === "event");
    expect(more).toEqual([]);
    expect(Object.keys(first ?? {})).toEqual(["type", "event", "id"]);
    expect(Object.keys(first?.event ?? {})).toEqual(["event_type", "data", "origin", "time_fired", "context"]);
    const { old_state, new_state } = (first?.event?.data ?? {}) as { old_state: null; new_state: WireState };
    expect(old_state).toBeNull();
    expect(Object.keys(new_state)).toEqual([
      "entity_id",
      "state",
      "attributes",
      "last_changed",
      "last_reported",
      "last_updated",
      "context",
    ]);
    expect(new_state.last_updated).toMatch(/^2026-11-22T13:00:00\.\d{6}\+00:00$/);
    expect(new_state.last_updated).toBe(first?.event?.time_fired);
    expect(new_state.context).toEqual({ id: expect.stringMatching(/^[0-9A-Z]{26}$/), parent_id: null, user_id: null });
    // The same again was no event, but it was reported; then only an attribute changed.
    const data = (second?.event?.data ?? {}) as { old_state: WireState; new_state: WireState };
    expect(data.old_state.last_reported > data.old_state.last_updated).toBe(true);
    expect(data.new_state.last_changed).toBe(new_state.last_changed);
    expect(data.new_state.last_updated > new_state.last_updated).toBe(true);
  });

  it("subscribes to one type or to all, and ends a subscription", async () => {
    const home = await testHome();
    const client = await signedIn(home);
    const all = await client.command({ type: "subscribe_events" });
    const some = await client.command({ type: "subscribe_events", event_type: "area_registry_updated" });
    await client.command({ type: "config/area_registry/update", area_id: "study", name: "Office" });
    await settled(client);
    const events = client.frames.filter((frame) => frame.type === "event");
    expect(events.map((frame) => [frame.id, frame.event?.event_type, frame.event?.data])).toEqual([
      [some.id, "area_registry_updated", { action: "update", area_id: "study" }],
      [all.id, "area_registry_updated", { action: "update", area_id: "study" }],
    ]);
    await client.command({ type: "unsubscribe_events", subscription: all.id });
    home.emit({ entityId: "sensor.by_hand", state: "1" });
    await settled(client);
    expect(client.frames.filter((frame) => frame.type === "event")).toHaveLength(2);
  });

  it("gives states, configuration, services and the recorder's state", async () => {
    const home = await testHome({ days: 2 });
    const client = await signedIn(home);
    const states = rows(await client.command({ type: "get_states" })) as unknown as WireState[];
    expect(states).toHaveLength(home.house.live.length);
    expect(states.length).toBeGreaterThan(90);
    expect(new Set(states.map((state) => state.entity_id.split(".")[0])).size).toBeGreaterThanOrEqual(18);
    expect(
      states.every((state) => state.last_changed <= state.last_updated && state.last_updated <= "2026-11-22T13:00:01"),
    ).toBe(true);
    expect((await client.command({ type: "get_config" })).result).toMatchObject({
      state: "RUNNING",
      version: "2026.11.0",
      time_zone: "Europe/Amsterdam",
    });
    expect((await client.command({ type: "recorder/info" })).result).toMatchObject({ backlog: 0, recording: true });
    expect(Object.keys((await client.command({ type: "get_services" })).result as object)).toContain("light");
  });

  it("carries secrets in attributes, as real homes do", async () => {
    const home = await testHome();
    const client = await signedIn(home);
    const states = rows(await client.command({ type: "get_states" })) as unknown as WireState[];
    const of = (id: string) => states.find((state) => state.entity_id === id)?.attributes;
    expect(of("camera.doorbell")).toMatchObject({
      access_token: expect.any(String),
      entity_picture: expect.stringContaining("token="),
    });
    expect(of("person.anna")).toMatchObject({ latitude: expect.any(Number), longitude: expect.any(Number) });
  });

  it("switches what a service call means, in one context with the user", async () => {
    const home = await testHome();
    const client = await signedIn(home);
    await client.command({ type: "subscribe_events", event_type: "state_changed" });
    const call = { type: "call_service", domain: "light", service: "turn_on", service_data: { brightness: 99 } };
    const answer = await client.command({ ...call, target: { area_id: "bedroom" } });
    await settled(client);
    const changes = changesOf(client).map((event) => event.data.new_state as WireState);
    expect(changes.map((state) => [state.entity_id, state.state, state.attributes.brightness])).toEqual([
      ["light.bedside_anna", "on", 99],
      ["light.bedside_ben", "on", 99],
    ]);
    const { context } = answer.result as { context: WireState["context"] };
    expect(
      changes.every((state) => state.context.id === context.id && state.context.user_id === home.house.userId),
    ).toBe(true);
    expect((await client.command({ ...call, service: "explode", target: {} })).error?.code).toBe("not_found");
    expect((await client.command({ ...call, target: {} })).error?.code).toBe("invalid_format");
    await client.command({
      type: "call_service",
      domain: "homeassistant",
      service: "toggle",
      target: { entity_id: "input_boolean.film_night" },
    });
    await settled(client);
    expect(changesOf(client).at(-1)?.data).toMatchObject({ old_state: { state: "off" }, new_state: { state: "on" } });
  });
});
