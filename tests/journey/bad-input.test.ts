import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatIsoUs } from "../../lib/base/time.ts";
import { type Pipeline, startPipeline } from "../support/pipeline.ts";
import { sealed, stateRecord } from "../support/records.ts";
import { AT_US, type Journey } from "./records.ts";

const MEBIBYTE = 1_048_576;
/** Text that does not pack: what is random stays long. */
const noise = Array.from({ length: MEBIBYTE }, (_, at) =>
  String.fromCharCode(33 + ((at * at * 31 + at * 7) % 90)),
).join("");

/** The wrong events: what is wrong of an otherwise good one, and under which code it is refused. */
const WRONG: readonly (readonly [what: string, members: Record<string, unknown>, code: string])[] = [
  ["without an entity", { entity_id: undefined }, "event_entity_id_invalid"],
  ["with an entity that is none", { entity_id: "kitchen" }, "event_entity_id_invalid"],
  ["with a state of 300 characters", { state: "x".repeat(300) }, "event_state_invalid"],
  ["with the number NaN as its state", { state: null }, "event_state_invalid"],
  ["with U+0000 in its state", { state: "a\u0000b" }, "event_state_invalid"],
  ["of the year 9999", { last_updated: "9999-12-31T23:59:59.999999+00:00" }, "event_time_out_of_range"],
  ["of 1970", { last_updated: "1970-01-01T00:00:00.000000+00:00" }, "event_time_out_of_range"],
  ["of no date", { last_updated: "yesterday" }, "event_time_invalid"],
  ["with 1 MB of attributes", { attributes: { noise } }, "event_too_large"],
];

/** What looks wrong and is not: it comes back as it was. */
const ODD: readonly (readonly [what: string, state: string, attributes: Record<string, unknown>])[] = [
  ["the text NaN", "NaN", {}],
  ["255 characters outside the basic plane", "\u{1f525}".repeat(255), {}],
  ["U+0000 in attributes", "on", { text: "a\u0000b" }],
  ["the empty state", "", {}],
  ["a megabyte of attributes that packs", "on", { text: "y".repeat(900_000) }],
];

let pipeline: Pipeline;
let home: Journey;
beforeAll(async () => {
  pipeline = await startPipeline();
  home = await pipeline.addHome();
});
afterAll(() => pipeline.stop());

const at = (n: number) => formatIsoUs(AT_US + n);
const stored = async (entity: string) => pipeline.events(home.token, `&entity_id=${entity}`);
const post = (body: unknown, type?: string) =>
  pipeline.ask(home.token, "/api/v1/events", {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...(type !== undefined && { type }),
  });

describe("wrong events in an envelope", () => {
  it("are set aside one by one, each with its code; the good ones between them are stored", async () => {
    const good = (n: number) => stateRecord({ entity_id: "light.good", atUs: AT_US + n });
    const records = WRONG.flatMap(([, members], n) => [good(n), { ...stateRecord({ atUs: AT_US }), ...members }]);
    await pipeline.send("events", sealed(records, { key: home.key }));
    await pipeline.drain();
    expect((await stored("light.good")).map((event) => event.last_updated)).toEqual(WRONG.map((_, n) => at(n)));
    const letters = await pipeline.dead("events");
    expect(letters.map(({ code, attributes }) => `${attributes.sequence} ${code}`).sort()).toEqual(
      WRONG.map(([, , code], n) => `${2 * n + 2} ${code}`).sort(),
    );
  });

  it("that are only odd are stored as they are", async () => {
    const records = ODD.map(([, state, attributes], n) =>
      stateRecord({ entity_id: "text.odd", atUs: AT_US + n, state, attributes }),
    );
    await pipeline.send("events", sealed(records, { key: home.key, relayId: "odd" }));
    await pipeline.drain();
    const events = await stored("text.odd");
    expect(events.map(({ state, attributes }) => [state, attributes])).toEqual(
      ODD.map(([, state, attributes]) => [state, attributes]),
    );
  });
});

describe("wrong events in a request", () => {
  const plain = (members: Record<string, unknown>) => {
    const { last_updated, ...others } = members;
    const timestamp = last_updated ?? at(0);
    return { event_type: "state_changed", entity_id: "light.posted", state: "on", timestamp, ...others };
  };
  // One that cannot even be read says so; the attributes of 1 MB make the whole body too large.
  const codes: Record<string, string> = {
    "without an entity": "event_malformed",
    "with the number NaN as its state": "event_malformed",
  };
  const inRequest = WRONG.filter(([, { attributes }]) => attributes === undefined);

  it("are named one by one; the good ones beside them are taken and stored", async () => {
    const body = inRequest.flatMap(([, members], n) => [plain({ last_updated: at(n) }), plain(members)]);
    const { status, json } = await post(body);
    expect([status, json.accepted]).toEqual([202, inRequest.length]);
    expect(json.rejected.map(({ index, code }: { index: number; code: string }) => [index, code])).toEqual(
      inRequest.map(([what, , code], n) => [2 * n + 1, codes[what] ?? code]),
    );
    for (const { detail } of json.rejected) expect(detail).toMatch(/^The .+\.$/s);
    await pipeline.drain();
    expect((await stored("light.posted")).map((event) => event.last_updated)).toEqual(inRequest.map((_, n) => at(n)));
  });

  it.each(inRequest)("one %s alone is answered with 400", async (_, members) => {
    expect(await post(plain(members))).toMatchObject({ status: 400, json: { code: "no_event_accepted" } });
  });

  it.each([
    ["half of JSON", "{", undefined, 400, "body_not_json"],
    ["empty", "", undefined, 400, "body_not_json"],
    ["not quite JSON, for its NaN", '{"state":NaN}', undefined, 400, "body_not_json"],
    ["nested 100,000 deep", "[".repeat(100_000), undefined, 400, "body_too_deep"],
    ["a number", "7", undefined, 400, "no_event_accepted"],
    ["null", "null", undefined, 400, "no_event_accepted"],
    [
      "an event whose members have wrong types",
      '{"entity_id":7,"state":{},"timestamp":[]}',
      undefined,
      400,
      "no_event_accepted",
    ],
    ["an empty list", "[]", undefined, 400, "request_invalid"],
    ["a list of 1,001", `[${"7,".repeat(1_000)}7]`, undefined, 400, "request_invalid"],
    ["2 MB", `"${"x".repeat(2 * MEBIBYTE)}"`, undefined, 413, "body_too_large"],
    ["a form", "a=b", "application/x-www-form-urlencoded", 415, "media_type_unsupported"],
  ])("a body that is %s is answered with its code", async (_, body, type, status, code) => {
    const { json, ...answer } = await post(body, type);
    expect([answer.status, json.status, json.code]).toEqual([status, status, code]);
    expect(json.detail.length).toBeGreaterThan(20);
  });

  it("leave everything else at work: nothing waits, nothing new is dead, and a good event passes", async () => {
    const dead = (await pipeline.dead("events")).length;
    expect(await post(plain({ entity_id: "light.last" }))).toMatchObject({
      status: 202,
      json: { accepted: 1, rejected: [] },
    });
    await pipeline.drain();
    expect(await stored("light.last")).toHaveLength(1);
    expect(dead).toBe(WRONG.length);
    for (const name of ["store", "index", "analysis"] as const) expect(await pipeline.dead(name)).toEqual([]);
  });

  it("of somebody without a token, or with another home's, reach nothing", async () => {
    const other = await pipeline.addHome("other");
    expect(await pipeline.ask(undefined, "/api/v1/events")).toMatchObject({
      status: 401,
      json: { code: "token_missing" },
    });
    expect(await pipeline.ask("hl_home_x", "/api/v1/events")).toMatchObject({
      status: 401,
      json: { code: "token_invalid" },
    });
    expect(await pipeline.events(other.token)).toEqual([]);
  });
});
