import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buttonIdOf } from "../../lib/publish/names.ts";
import { mayBePressed, pressesOf, settlePresses } from "../../lib/publish/press.ts";
import { suggestion } from "../support/suggestions.ts";

const press = fc.record({
  what: fc.constantFrom("accept" as const, "dismiss" as const),
  at: fc.integer({ min: 0, max: 60 }).map((second) => new Date(Date.UTC(2026, 10, 22, 10, 0, second)).toISOString()),
});
const pressed = ({ what, at }: { readonly what: "accept" | "dismiss"; readonly at: string }) => ({
  uniqueId: buttonIdOf("home", "p-abc", what),
  at,
});

describe("presses", () => {
  it("come to the same however often, and in whatever order within a batch, they are told", () => {
    fc.assert(
      fc.property(fc.uniqueArray(press, { minLength: 1, maxLength: 6, selector: ({ at }) => at }), (presses) => {
        const all = presses.map(pressed);
        const once = settlePresses("home", suggestion(), all);
        expect(settlePresses("home", once, all)).toBe(once);
        expect(settlePresses("home", suggestion(), all.toReversed())).toEqual(once);
        const last = presses.toSorted((a, b) => (a.at < b.at ? -1 : 1));
        expect(once.status).toBe(last.some(({ what }) => what === "accept") ? "accepted" : "dismissed");
      }),
    );
  });

  it("are those of our buttons: by the registry, or by name while it does not know them", () => {
    const at = "2026-11-22T10:00:00.123456+00:00";
    const id = buttonIdOf("home", "p-abc", "accept");
    const states = [`button.${id}`, "button.renamed", "button.of_zigbee", "light.a"].map(
      (one) => [one, { state: at }] as const,
    );
    const seen = new Map<string, { readonly state: string }>([
      ...states,
      ["button.hearthline_home_x", { state: "unavailable" }],
    ]);
    expect(mayBePressed(seen)).toBe(true);
    expect(mayBePressed(new Map([["button.a", { state: "unknown" }]]))).toBe(false);
    const row = (entityId: string, platform: string, uniqueId: string) => ({ entityId, platform, uniqueId });
    const known = [row("button.renamed", "mqtt", "hearthline_home_p_x_accept"), row("button.of_zigbee", "mqtt", "0x1")];
    const expected = { at: "2026-11-22T10:00:00.123Z" };
    expect(pressesOf("home", seen, known)).toEqual([
      { uniqueId: id, ...expected },
      { uniqueId: "hearthline_home_p_x_accept", ...expected },
    ]);
    expect(pressesOf("home", seen, [row(`button.${id}`, "template", id)])).toEqual([]);
    expect(pressesOf("other", seen, known)).toEqual([]);
  });

  it("of before a person's other decision change nothing", () => {
    const decided = suggestion({
      status: "dismissed",
      history: [{ at: "2026-11-22T11:00:00.000Z", what: "dismissed", by: "api" }],
    });
    const early = pressed({ what: "accept", at: "2026-11-22T10:59:59.000Z" });
    expect(settlePresses("home", decided, [early])).toBe(decided);
    const late = pressed({ what: "accept", at: "2026-11-22T11:00:01.000Z" });
    expect(settlePresses("home", decided, [late])).toMatchObject({ status: "accepted", outcome: "waiting" });
  });
});
