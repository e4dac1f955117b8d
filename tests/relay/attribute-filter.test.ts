import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAdmission } from "../../lib/relay/admit.ts";
import { createAttributeFilter } from "../../lib/relay/attribute-filter.ts";
import { noSecrets } from "../../lib/relay/secrets.ts";
import { cpuTimer } from "../support/cpu.ts";
import { changed, haState } from "./ha-samples.ts";

const PLAYER = { media_title: "Song", media_artist: "Band", volume_level: 0.4, source: "TV" };

describe("the owner's rules for attributes", () => {
  it.each([
    ["a name, everywhere", ["volume_level"], "media_player.tv", ["media_title", "media_artist", "source"]],
    ["a glob, for some entities", ["media_player.*:media_*"], "media_player.tv", ["volume_level", "source"]],
    ["a domain", ["media_player:s*"], "media_player.tv", ["media_title", "media_artist", "volume_level"]],
    ["one character", ["sourc?"], "media_player.tv", ["media_title", "media_artist", "volume_level"]],
    ["several", ["media_player.tv:media_*", "source"], "media_player.tv", ["volume_level"]],
    ["everything", ["*"], "media_player.tv", []],
    ["another entity", ["media_player.*:media_*"], "sensor.media", Object.keys(PLAYER)],
    ["a domain is not a prefix", ["media:media_*"], "media_player.tv", Object.keys(PLAYER)],
    ["a name is the whole name", ["media"], "media_player.tv", Object.keys(PLAYER)],
    ["letters as they are", ["Volume_Level"], "media_player.tv", Object.keys(PLAYER)],
    ["a dot is a dot", ["media_player.t.:source"], "media_player.tv", Object.keys(PLAYER)],
  ])("%s", (_what, rules, entityId, kept) => {
    const count = { excluded: 0 };
    expect(Object.keys(createAttributeFilter(rules, count)(entityId, PLAYER) as object)).toEqual(kept);
    expect(count.excluded).toBe(Object.keys(PLAYER).length - kept.length);
  });

  it("hands on the same object when nothing is left out, and what is no object", () => {
    const filter = createAttributeFilter(["forecast"]);
    expect(filter("light.a", PLAYER)).toBe(PLAYER);
    for (const odd of [null, undefined, "text", 5, ["forecast"]]) expect(filter("light.a", odd)).toBe(odd);
  });

  it.each(["", ":", "a:", ":b", "a:b:c"])("refuses %j by name", (rule) => {
    expect(() => createAttributeFilter([rule])).toThrow(`"${rule}" is no rule for attributes`);
  });

  it("in a time that nobody's names can make long", () => {
    const attributes = { ["a".repeat(60_000)]: 1 };
    const cpuMs = cpuTimer();
    expect(createAttributeFilter([`${"*a".repeat(12)}b`])("light.a", attributes)).toBe(attributes);
    expect(cpuMs()).toBeLessThan(5_000);
  });

  it("as a pattern is read everywhere", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 8 });
    fc.assert(
      fc.property(
        letters,
        fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 10 }),
        (rule, name) => {
          fc.pre(rule !== "");
          const expression = new RegExp(`^${rule.replaceAll("*", ".*").replaceAll("?", ".")}$`);
          const kept = createAttributeFilter([rule])("light.a", { [name]: 1 }) as object;
          expect(Object.keys(kept).length === 0).toBe(expression.test(name));
        },
      ),
    );
  });

  it("for whatever attributes: leaves out those it names, changes none of the others, touches not what it is given", () => {
    const name = fc.string({ minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.dictionary(name, fc.jsonValue()), fc.array(name, { maxLength: 5 }), (attributes, named) => {
        const rules = named.filter((rule) => !/[:*?]|^\s|\s$/.test(rule));
        const before = structuredClone(attributes);
        const kept = createAttributeFilter(rules)("light.a", attributes);
        const wanted = Object.entries(attributes).filter(([key]) => !rules.includes(key));
        expect(Object.entries(kept as object)).toEqual(wanted);
        expect(attributes).toEqual(before);
      }),
    );
  });
});

/** A state_changed event of an entity with these attributes, before and after. */
const live = (entityId: string, us: number, attributes: object) =>
  changed(haState(entityId, us, { attributes }), haState(entityId, us - 1, { attributes: { old: 1 } }));

describe("in admission", () => {
  const admission = (...rules: string[]) => createAdmission(() => true, noSecrets(), createAttributeFilter(rules));

  it("holds for live events and for snapshots", () => {
    const state = haState("weather.home", 5, { attributes: { forecast: [1, 2], temperature: 4 } });
    for (const admitted of [
      admission("forecast").snapshot(state),
      admission("forecast").event(live("weather.home", 5, { forecast: [1, 2], temperature: 4 })),
    ]) {
      expect(admitted).toMatchObject({ outcome: "admitted", record: { attributes: { temperature: 4 } } });
      expect(JSON.stringify(admitted)).not.toContain("forecast");
    }
  });

  it("an event whose only changed attribute stays at home still travels", () => {
    const { event } = admission("position");
    const outcomes = [1, 2, 3].map((us) => event(live("media_player.tv", us, { position: us })).outcome);
    expect(outcomes).toEqual(["admitted", "admitted", "admitted"]);
  });

  it("leaving out what marks a password lets no password out", () => {
    const admitted = admission("mode").snapshot(
      haState("input_text.safe", 1, { state: "hunter2", attributes: { mode: "password" } }),
    );
    expect(JSON.stringify(admitted)).not.toContain("hunter2");
  });
});
