import { beforeEach, describe, expect, it } from "vitest";
import { HearthlineError } from "../../lib/base/errors.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { openEnvelope, readEnvelope } from "../../lib/event/index.ts";
import { SQS_MESSAGE_MAX_BYTES } from "../../lib/limits.ts";
import { createTestApi, HOME_KEY, type TestApi, tokenText } from "../support/api.ts";
import { AT, haEvent, plainEvent } from "../support/api-requests.ts";
import { manualClock } from "../support/manual-clock.ts";

let api: TestApi;
beforeEach(async () => {
  api = await createTestApi({ clock: manualClock() });
});

const queued = () =>
  api.queue.messages.flatMap(({ body }) => openEnvelope(readEnvelope(body), HOME_KEY).map((line) => JSON.parse(line)));
const bodyOf = async (response: Response): Promise<Record<string, unknown>> => ({
  status: response.status,
  ...((await response.json()) as Record<string, unknown>),
});

describe("POST /api/v1/events", () => {
  it("queues Home Assistant's event in an envelope that the home's key signs", async () => {
    expect(await bodyOf(await api.post("/api/v1/events", haEvent()))).toEqual({
      status: 202,
      accepted: 1,
      rejected: [],
    });
    const [message] = api.queue.messages;
    const envelope = readEnvelope(message?.body ?? "");
    expect(envelope).toMatchObject({ home_id: "home", relay_id: "api", first: 0, last: 0, count: 1 });
    expect(queued()).toEqual([
      {
        n: 0,
        t: "state",
        kind: "change",
        source: "api",
        entity_id: "light.kitchen",
        state: "on",
        attributes: { brightness: 128 },
        last_changed: AT,
        last_updated: AT,
        origin: "LOCAL",
        context: { id: "01KAMC7H5JPQ3V2Z9X8W7T6S5R", parent_id: null, user_id: null },
        old: {
          state: "off",
          last_changed: "2026-11-22T05:40:00.000001+00:00",
          last_updated: "2026-11-22T05:40:00.000001+00:00",
        },
      },
    ]);
  });

  it("lets no secret into the queue: neither in attributes, at any depth, nor in a state, new or old", async () => {
    const secret = {
      entity_picture: "/api/x?token=s3cr3t-text",
      nested: [{ access_token: "s3cr3t-text" }],
      latitude: 52.1,
    };
    const jwt = "eyJhbGciOiJIUzI1NiJ9.s3cr3t-text.sig";
    const change = haEvent().data;
    const hidden = { ...change.old_state, state: "s3cr3t-text", attributes: { mode: "password" } };
    const password = {
      ...change,
      entity_id: "input_text.pin",
      old_state: hidden,
      new_state: { ...hidden, last_updated: AT },
    };
    const answer = await api.post("/api/v1/events", [
      plainEvent({ attributes: { ...secret, brightness: 3 } }),
      plainEvent({ entity_id: "sensor.jwt", state: jwt }),
      {
        ...haEvent(),
        data: { ...change, new_state: { ...change.new_state, attributes: { ...secret, brightness: 4 } } },
      },
      { ...haEvent(), data: password },
      { ...haEvent(), data: { ...password, new_state: null } },
    ]);
    expect(await bodyOf(answer)).toMatchObject({ status: 202, accepted: 5, rejected: [] });
    expect(JSON.stringify(queued())).not.toMatch(/s3cr3t|52\.1/);
    expect(queued().map(({ state, attributes, old }) => [state, attributes, old?.state])).toEqual([
      ["on", { nested: [{}], brightness: 3 }, undefined],
      ["[secret]", {}, undefined],
      ["on", { nested: [{}], brightness: 4 }, "off"],
      ["[secret]", { mode: "password" }, "[secret]"],
      [undefined, undefined, "[secret]"],
    ]);
  });

  it("does not take attributes that cannot be looked through for secrets", async () => {
    const answer = await bodyOf(
      await api.post("/api/v1/events", plainEvent({ attributes: { a: "x".repeat(65_537) } })),
    );
    expect(answer).toMatchObject({ status: 400, code: "no_event_accepted", rejected: [{ code: "event_too_large" }] });
    expect(api.queue.messages).toEqual([]);
  });

  it("takes the data of an event alone, and the plain shape, at both addresses", async () => {
    await api.post("/api/v1/events/forward", [
      haEvent().data,
      plainEvent({ entity_id: "sensor.a", attributes: { unit: "W" } }),
    ]);
    expect(queued()).toMatchObject([
      { entity_id: "light.kitchen", kind: "change", last_updated: AT },
      {
        entity_id: "sensor.a",
        kind: "change",
        state: "on",
        attributes: { unit: "W" },
        last_changed: AT,
        last_updated: AT,
        source: "api",
      },
    ]);
  });

  it.each([
    ["no old state", { old_state: null }, "restore"],
    ["an old state of the same change", { old_state: haEvent().data.new_state }, "attributes"],
    ["a restored state", { new_state: { ...haEvent().data.new_state, attributes: { restored: true } } }, "restore"],
  ])("tells %s from a change", async (_what, data, kind) => {
    await api.post("/api/v1/events", haEvent({ data: { ...haEvent().data, ...data } }));
    expect(queued()).toMatchObject([{ kind }]);
  });

  it("takes a removal with its time, and refuses one without", async () => {
    const data = { ...haEvent().data, new_state: null };
    const answer = await bodyOf(await api.post("/api/v1/events", [haEvent({ data }), data]));
    expect(answer).toMatchObject({ status: 202, accepted: 1, rejected: [{ index: 1, code: "event_time_invalid" }] });
    expect(queued()).toMatchObject([
      { t: "removed", time_fired: AT, entity_id: "light.kitchen", old: { state: "off" } },
    ]);
  });

  it("gives events without a context each their own, and the same event the same", async () => {
    await api.post("/api/v1/events", [plainEvent(), plainEvent({ entity_id: "light.hall" }), plainEvent()]);
    const [first, second, again] = queued().map(({ context }) => context.id);
    expect(first).not.toBe(second);
    expect(again).toBe(first);
  });

  it("takes the good ones and names the wrong ones", async () => {
    const wrong = [
      [plainEvent({ entity_id: undefined }), "event_malformed"],
      [plainEvent({ entity_id: "Kitchen Light" }), "event_entity_id_invalid"],
      [plainEvent({ state: "x".repeat(256) }), "event_state_invalid"],
      [plainEvent({ state: "a\u0000b" }), "event_state_invalid"],
      [plainEvent({ state: null }), "event_malformed"],
      [plainEvent({ timestamp: "yesterday" }), "event_time_invalid"],
      [plainEvent({ timestamp: "2026-11-22T05:47:09" }), "event_time_invalid"],
      [plainEvent({ timestamp: "9999-12-31T23:59:59+00:00" }), "event_time_out_of_range"],
      [plainEvent({ timestamp: "1970-01-01T00:00:00+00:00" }), "event_time_out_of_range"],
      [plainEvent({ attributes: "none" }), "event_malformed"],
      [plainEvent({ event_type: "call_service" }), "event_malformed"],
      ["light.kitchen", "event_malformed"],
      [null, "event_malformed"],
      [[], "event_malformed"],
    ] as const;
    const answer = await bodyOf(
      await api.post("/api/v1/events", [plainEvent(), ...wrong.map(([event]) => event), plainEvent({ state: "off" })]),
    );
    expect(answer).toMatchObject({ status: 202, accepted: 2 });
    expect(answer.rejected).toMatchObject(wrong.map(([, code], index) => ({ index: index + 1, code })));
    expect(queued().map(({ state }) => state)).toEqual(["on", "off"]);
  });

  it("keeps 255 characters that are more than 255 UTF-16 units", async () => {
    const state = "😀".repeat(255);
    expect((await api.post("/api/v1/events", plainEvent({ state }))).status).toBe(202);
    expect(queued()).toMatchObject([{ state }]);
  });

  it("answers 400 when nothing can be taken, and queues nothing", async () => {
    const answer = await bodyOf(await api.post("/api/v1/events", [plainEvent({ state: 5 }), {}]));
    expect(answer).toMatchObject({
      status: 400,
      code: "no_event_accepted",
      rejected: [{ index: 0 }, { index: 1 }],
      errors: [{ field: "0" }, { field: "1" }],
    });
    expect(api.queue.messages).toEqual([]);
  });

  it.each([0, 1_001])("refuses %i events at once", async (count) => {
    const answer = await bodyOf(
      await api.post(
        "/api/v1/events",
        Array.from({ length: count }, () => plainEvent()),
      ),
    );
    expect(answer).toMatchObject({ status: 400, code: "request_invalid" });
    expect(api.queue.messages).toEqual([]);
  });

  it("puts 1,000 events into one message", async () => {
    const events = Array.from({ length: 1_000 }, (_, index) => plainEvent({ entity_id: `sensor.s_${index}` }));
    expect(await bodyOf(await api.post("/api/v1/events", events))).toMatchObject({ status: 202, accepted: 1_000 });
    expect(api.queue.messages).toHaveLength(1);
    expect(queued().map(({ entity_id }) => entity_id)).toEqual(events.map(({ entity_id }) => entity_id));
  });

  // Printable characters without quotes and backslashes: 6.5 bits each, so that base64 of what is packed is longer than they were.
  const random = seededRandom(7);
  const letters = Array.from({ length: 92 }, (_, index) => String.fromCharCode(0x23 + index)).filter(
    (letter) => letter !== "\\",
  );
  const noise = (characters: number) =>
    Array.from({ length: characters }, () => letters[Math.floor(random() * letters.length)]).join("");

  it("splits what does not compress, within the limit of a message", async () => {
    const events = Array.from({ length: 10 }, (_, index) =>
      plainEvent({ entity_id: `sensor.s_${index}`, attributes: { noise: [noise(51_000), noise(51_000)] } }),
    );
    expect(JSON.stringify(events).length).toBeLessThan(1_048_576);
    expect(await bodyOf(await api.post("/api/v1/events", events))).toMatchObject({ status: 202, accepted: 10 });
    expect(api.queue.messages.length).toBeGreaterThan(1);
    for (const { body } of api.queue.messages) expect(body.length).toBeLessThanOrEqual(SQS_MESSAGE_MAX_BYTES);
    expect(queued().map(({ entity_id }) => entity_id)).toEqual(events.map(({ entity_id }) => entity_id));
  });

  it("refuses one event that would not fit into a message, and takes its neighbour", async () => {
    const answer = await bodyOf(
      await api.post("/api/v1/events", [
        plainEvent({ attributes: { noise: Array.from({ length: 17 }, () => noise(60_000)) } }),
        plainEvent(),
      ]),
    );
    expect(answer).toMatchObject({ status: 202, accepted: 1, rejected: [{ index: 0, code: "event_too_large" }] });
  });

  it("never takes the home from the body", async () => {
    await api.post("/api/v1/events", plainEvent({ home_id: "other" }));
    expect(readEnvelope(api.queue.messages[0]?.body ?? "").home_id).toBe("home");
  });

  it("answers 503 with Retry-After when the queue is away, so that the sender keeps the events", async () => {
    const away = {
      send: () => Promise.reject(new HearthlineError("service_unreachable", "SQS at secret-host is away")),
    };
    api = await createTestApi({ clock: manualClock(), parts: { queue: away } });
    const response = await api.post("/api/v1/events", plainEvent());
    expect(response.headers.get("retry-after")).toBe("5");
    const answer = await bodyOf(response);
    expect(answer).toMatchObject({ status: 503, code: "service_unavailable" });
    expect(JSON.stringify(answer)).not.toContain("secret-host");
  });

  it("needs the scope to write", async () => {
    const response = await api.post("/api/v1/events", plainEvent(), { token: tokenText("home", "r") });
    expect(response.headers.get("www-authenticate")).toContain("insufficient_scope");
    expect(await bodyOf(response)).toMatchObject({ status: 403, code: "scope_missing" });
    expect(api.queue.messages).toEqual([]);
  });
});

describe("bodies that are wrong", () => {
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  it.each([
    ["not JSON", "{", 400, "body_not_json"],
    ["nothing", " ", 400, "body_not_json"],
    ["NaN", '{"state": NaN}', 400, "body_not_json"],
    ["deep", deep, 400, "body_too_deep"],
    ["deep and cut short", "[".repeat(100_000), 400, "body_too_deep"],
    ["brackets within a string", JSON.stringify("[".repeat(1_000)), 400, "no_event_accepted"],
    ["a quote behind a backslash", JSON.stringify('"\\"[[['.repeat(100)), 400, "no_event_accepted"],
    ["a number", "5", 400, "no_event_accepted"],
    ["2 MB", JSON.stringify("x".repeat(2_000_000)), 413, "body_too_large"],
  ])("%s", async (_what, body, status, code) => {
    expect(await bodyOf(await api.post("/api/v1/events", body))).toMatchObject({ status, code });
  });

  it("text that is not UTF-8", async () => {
    const response = await api.ask("/api/v1/events", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: new Uint8Array([0x22, 0xff, 0xfe, 0x22]),
    });
    expect(await bodyOf(response)).toMatchObject({ status: 400, code: "body_not_json" });
  });

  it.each([
    [{ "content-type": "application/x-www-form-urlencoded" }],
    [{ "content-type": "text/plain" }],
    [{ "content-type": "application/json", "content-encoding": "gzip" }],
    [{ "content-type": "application/json; charset=iso-8859-1" }],
    [{ "content-type": 'application/json;foo=bar; CharSet="UTF-16LE"' }],
  ])("a body of another kind: %o", async (headers) => {
    const response = await api.post("/api/v1/events", plainEvent(), { headers });
    expect(await bodyOf(response)).toMatchObject({ status: 415, code: "media_type_unsupported" });
  });

  it("the content type may have parameters and capitals", async () => {
    const response = await api.post("/api/v1/events", plainEvent(), {
      headers: { "content-type": "Application/JSON; charset=utf-8" },
    });
    expect(response.status).toBe(202);
  });
});
