import { beforeEach, describe, expect, it } from "vitest";
import { createTestApi, type TestApi, tokenText } from "../support/api.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";

let api: TestApi;
let clock: ManualClock;
beforeEach(async () => {
  clock = manualClock();
  api = await createTestApi({ clock });
});

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the answer is JSON of the route that was asked
  readonly body: any;
}
const answered = async (response: Response): Promise<Answer> => ({
  status: response.status,
  body: await response.json(),
});
const add = async (body: unknown, token = tokenText("home")) =>
  answered(await api.post("/api/v1/outbox", body, { token }));
const list = async (query = "", token = tokenText("home")) =>
  answered(await api.ask(`/api/v1/outbox${query}`, { token }));
const acknowledge = async (id: string, body: unknown, token = tokenText("home")) =>
  answered(await api.post(`/api/v1/outbox/${id}/acknowledge`, body, { token }));
const message = { kind: "mqtt", topic: "hearthline/a", payload: "1" };

describe("the outbox of the API", () => {
  it("takes a message, shows it, and takes the relay's word for it, again and again", async () => {
    const { status, body } = await add({ ...message, retain: true, expires_in_seconds: 60 });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^0000000001-/),
      home_id: "home",
      kind: "mqtt",
      status: "pending",
      created_at: "2026-11-22T06:00:00.000000+00:00",
      expires_at: "2026-11-22T06:01:00.000000+00:00",
      attempts: 0,
      topic: "hearthline/a",
      payload: "1",
      qos: 1,
      retain: true,
    });
    expect((await list("?status=pending")).body).toEqual({ items: [body], next: null });
    const done = await acknowledge(body.id, { status: "delivered", attempts: 2 });
    expect(done).toMatchObject({ status: 200, body: { status: "delivered", attempts: 2 } });
    expect(done.body).not.toHaveProperty("payload");
    expect(await acknowledge(body.id, { status: "delivered", attempts: 2 })).toEqual(done);
    expect((await list("?status=pending")).body.items).toEqual([]);
    expect((await list()).body.items).toEqual([done.body]);
  });

  it("asks for capabilities once at a time", async () => {
    const first = await add({ kind: "capabilities" });
    expect(first).toMatchObject({ status: 201, body: { kind: "capabilities", status: "pending" } });
    expect(await add({ kind: "capabilities" })).toEqual({ status: 200, body: first.body });
  });

  it("takes an automation of ours, and none that does more", async () => {
    const config = {
      alias: "A",
      description: "",
      mode: "single",
      triggers: [{ trigger: "time", at: "07:00:00" }],
      conditions: [],
      actions: [{ action: "light.turn_on", target: { entity_id: "light.a" } }],
    };
    const asked = (automation: object) => add({ kind: "automation", automation });
    const { status, body } = await asked({ id: "hearthline_a", config });
    expect([status, body.automation]).toEqual([201, { id: "hearthline_a", removes: false, config }]);
    expect((await asked({ id: "hearthline_a", config })).status).toBe(200);
    expect((await asked({ id: "hearthline_a", config: null })).body.automation).toMatchObject({ removes: true });
    const unlock = { ...config, actions: [{ action: "lock.unlock", target: { entity_id: "lock.a" } }] };
    for (const wrong of [
      { id: "hearthline_a", config: unlock },
      { id: "morning_lamp", config },
      { id: "hearthline_a" },
    ]) {
      const refused = await asked(wrong);
      expect([refused.status, refused.body.code]).toEqual([400, "request_invalid"]);
    }
    const failed = { status: "failed", attempts: 1, error: "automation_refused: no" };
    expect((await acknowledge(body.id, failed)).body).toMatchObject({ automation: { id: "hearthline_a" } });
  });

  it("shows an item that nobody did in time as expired", async () => {
    await add({ ...message, expires_in_seconds: 60 });
    await clock.advance(60_000);
    expect((await list("?status=pending")).body.items).toEqual([]);
    expect((await list()).body.items).toMatchObject([{ status: "expired" }]);
  });

  it.each([
    ["a lock", { ...message, topic: "zigbee2mqtt/front_door/set" }, "topic"],
    ["a wildcard", { ...message, topic: "hearthline/#" }, "topic"],
    [
      "a discovery that leads out",
      {
        ...message,
        topic: "homeassistant/lock/hearthline/config",
        payload: '{"command_topic":"zigbee2mqtt/front_door/set"}',
      },
      "topic",
    ],
    ["a payload that is too large", { ...message, payload: "x".repeat(131_073) }, "payload"],
    ["QoS 2", { ...message, qos: 2 }, "qos"],
    ["a member that there is not", { ...message, retained: true }, "retained"],
    ["a time that is too long", { ...message, expires_in_seconds: 604_801 }, "expires_in_seconds"],
    ["another kind", { kind: "shell" }, "kind"],
    ["nothing", {}, "kind"],
  ])("refuses %s by name", async (_, body, field) => {
    const { status, body: problem } = await add(body);
    expect(status).toBe(400);
    expect(problem).toMatchObject({ code: "request_invalid", errors: [{ field }] });
    expect((await list()).body.items).toEqual([]);
  });

  it("refuses an acknowledgement that says nothing, and one of what there is not", async () => {
    const { body } = await add(message);
    expect(await acknowledge(body.id, {})).toMatchObject({ status: 400, body: { code: "request_invalid" } });
    expect(await acknowledge(body.id, { status: "pending" })).toMatchObject({ status: 400 });
    expect(await acknowledge("none", { status: "delivered" })).toMatchObject({ status: 404 });
    expect((await list()).body.items).toMatchObject([{ status: "pending" }]);
  });

  it("lets only who may write ask, and only for their own home", async () => {
    expect(await add(message, tokenText("home", "r"))).toMatchObject({ status: 403, body: { code: "scope_missing" } });
    const { body } = await add(message);
    expect((await list("", tokenText("home", "r"))).body.items).toHaveLength(1);
    expect((await list("", tokenText("other"))).body.items).toEqual([]);
    expect(await acknowledge(body.id, { status: "delivered" }, tokenText("other"))).toMatchObject({ status: 404 });
    expect(await acknowledge(body.id, { status: "delivered" }, tokenText("home", "r"))).toMatchObject({ status: 403 });
  });

  it("is full at some point, and says what may be wrong", async () => {
    for (let at = 0; at < 300; at++) await add({ ...message, topic: `hearthline/${at}` });
    expect(await add(message)).toMatchObject({
      status: 429,
      body: { code: "outbox_full", detail: expect.stringContaining("HEARTHLINE_MQTT_URL") },
    });
    const first = await list("?limit=200");
    expect(first.body.items).toHaveLength(200);
    const second = await list(`?limit=200&cursor=${first.body.next}`);
    expect(second.body.items).toHaveLength(100);
    expect(second.body.items[0].topic).toBe("hearthline/200");
    expect(second.body.next).toBeNull();
    expect((await list(`?status=pending&cursor=${first.body.next}`)).body.code).toBe("cursor_of_another_query");
  });

  it("sends an unchanged list once", async () => {
    await add(message);
    const etag = (await api.ask("/api/v1/outbox?status=pending")).headers.get("etag") ?? "";
    const again = () => api.ask("/api/v1/outbox?status=pending", { headers: { "if-none-match": etag } });
    expect((await again()).status).toBe(304);
    await add({ ...message, topic: "hearthline/b" });
    expect((await again()).status).toBe(200);
  });
});
