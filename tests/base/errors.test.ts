import { describe, expect, it } from "vitest";
import { HearthlineError, isHearthlineError, messageOf } from "../../lib/base/errors.ts";

describe("an error of ours", () => {
  it("carries its code, the fate that goes with it, and its cause", () => {
    const cause = new Error("socket hang up");
    const error = new HearthlineError("home_assistant_disconnected", "The session ended.", { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "HearthlineError", message: "The session ended.", fate: "retry", cause });
  });

  it.each([
    ["service_throttled", "retry"],
    ["envelope_signature_wrong", "dead-letter"],
    ["home_assistant_token_refused", "stop"],
  ] as const)("of code %s has the fate %s", (code, fate) => {
    expect(new HearthlineError(code, "x").fate).toBe(fate);
  });

  it("is known by its brand, also from another copy of the module", () => {
    const foreign = Object.assign(new Error("x"), { [Symbol.for("hearthline.error")]: true, code: "conflict" });
    expect(isHearthlineError(foreign)).toBe(true);
    expect(isHearthlineError(new HearthlineError("conflict", "x"))).toBe(true);
    for (const other of [new Error("x"), "text", null, undefined, 5, {}]) expect(isHearthlineError(other)).toBe(false);
  });

  it("or anything else thrown has a text", () => {
    expect([new Error("a"), "b", 5, null, undefined].map(messageOf)).toEqual(["a", "b", "5", "null", "undefined"]);
  });
});
