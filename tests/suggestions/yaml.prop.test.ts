import fc from "fast-check";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { toYaml } from "../../lib/suggestions/index.ts";

const text = fc.oneof(
  fc.constantFrom(
    "on",
    "off",
    "No",
    "y",
    "null",
    "~",
    "07:00:00",
    "1e3",
    "0x1f",
    "0o7",
    "1_000",
    "- a",
    "a: b",
    "#",
    "@x",
    "  x ",
    "=",
    "<<",
    "\ufeff",
  ),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.string({ unit: "grapheme-composite", maxLength: 20 }),
);
const tree = fc.object({
  key: text,
  values: [text, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)],
  maxDepth: 4,
});

it.each(["1.1", "1.2"] as const)("reads back as it was, as YAML %s", (version) => {
  fc.assert(
    fc.property(tree, (value) => {
      fc.pre(Object.keys(value).length > 0);
      expect(parse(toYaml(value), { version, merge: false })).toEqual(JSON.parse(JSON.stringify(value)));
    }),
    { examples: [[{ a: [], b: {}, c: [[1, [2]], { d: [{}] }], e: "" }]] },
  );
});

it("reads as people write it", () => {
  const automation = {
    alias: "Coffee at 7",
    triggers: [{ trigger: "time", at: "07:00:00" }],
    actions: [{ action: "light.turn_on", target: { entity_id: ["light.a", "light.b"] } }],
  };
  expect(toYaml(automation)).toBe(`alias: "Coffee at 7"
triggers:
  - trigger: time
    at: "07:00:00"
actions:
  - action: light.turn_on
    target:
      entity_id:
        - light.a
        - light.b
`);
});
