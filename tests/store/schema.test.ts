import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { homeEventSchema, parseHomeEvent } from "../../lib/store/index.ts";
import { anyEvent, buildEvent, fullEvent } from "../support/events.ts";

const parse = (change: object) => parseHomeEvent(JSON.stringify({ ...fullEvent, ...change }), "home");

describe("an event from the store queue", () => {
  it("is the event that was sent", () =>
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(parseHomeEvent(JSON.stringify(event), event.homeId)).toEqual(event);
      }),
    ));

  it("leaves out what this version does not know", () => {
    expect(parse({ colour: "red" })).toEqual(fullEvent);
    expect(homeEventSchema.safeParse(buildEvent()).success).toBe(true);
  });

  it.each([
    ["no entity", { entityId: undefined }, /entityId/],
    ["an empty entity", { entityId: "" }, /entityId/],
    ["half a character in its entity", { entityId: "light.\ud835" }, /well-formed/],
    ["a state that is a number", { state: 21 }, /state/],
    ["a state of 600 characters", { state: "x".repeat(600) }, /state/],
    ["a time that is text", { atUs: "2026-11-22" }, /atUs/],
    ["a time with a fraction", { atUs: 1.5 }, /atUs/],
    ["an unknown kind", { kind: "guess" }, /kind/],
    ["an old state that is null", { oldState: null }, /oldState/],
    ["attributes that are a list", { attributes: [] }, /attributes/],
    ["a context without id", { context: {} }, /context/],
  ])("is refused with %s", (_, change, said) => {
    expect(() => parse(change)).toThrow(said);
    expect(() => parse(change)).toThrow(expect.objectContaining({ code: "event_malformed", fate: "dead-letter" }));
  });

  it("is refused when it is another home's, or no JSON, or no object", () => {
    expect(() => parse({ homeId: "other" })).toThrow(/of home "other", its message of home "home"/);
    expect(() => parseHomeEvent('{"homeId":', "home")).toThrow(/is not JSON/);
    expect(() => parseHomeEvent("[]", "home")).toThrow(/cannot be stored/);
    expect(() => parseHomeEvent("null", "home")).toThrow(/cannot be stored/);
  });
});
