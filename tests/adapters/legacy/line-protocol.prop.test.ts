import fc from "fast-check";
import { expect, it } from "vitest";
import { lineShape, toLine } from "../../../lib/adapters/legacy/line-protocol.ts";
import { formatIsoUs } from "../../../lib/base/time.ts";
import type { StateRecord } from "../../../lib/event/index.ts";

/** A reader of line protocol, one character after the other: what a backslash escapes is taken as it is. */
function parse(line: string) {
  let at = 0;
  const until = (ends: string): string => {
    let text = "";
    for (; at < line.length && !ends.includes(line[at] ?? ""); at++) {
      if (line[at] === "\\") at++;
      text += line[at] ?? "";
    }
    return text;
  };
  const measurement = until(", ");
  const tags: Record<string, string> = {};
  while (line[at] === ",") {
    at++;
    const name = until("=");
    at++;
    tags[name] = until(", ");
  }
  const fields: Record<string, string | number> = Object.create(null);
  do {
    at++;
    const name = until("=");
    at++;
    if (line[at] === '"') {
      at++;
      fields[name] = until('"');
      at++;
    } else fields[name] = Number(until(", "));
  } while (line[at] === ",");
  return { measurement, tags, fields, time: line.slice(at + 1) };
}

const nasty = fc.string({
  unit: fc.oneof(
    fc.constantFrom(" ", ",", "=", '"', "\\", "\n", "\r", "'", ".", "1", "é", "温", "\u2028"),
    fc.string({ maxLength: 1 }).filter((text) => !/\p{Cc}/u.test(text)),
  ),
  maxLength: 12,
});
const name = nasty.filter((text) => text !== "" && !text.includes("\r") && text !== "unit_of_measurement");
const value = fc.oneof(
  nasty,
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.array(nasty, { maxLength: 3 }),
);
const states = fc.record({
  state: fc.oneof(nasty, fc.constantFrom("on", "off", "12", "1e3", "nan")),
  object: fc.stringMatching(/^[a-z0-9_]{1,10}$/),
  // InfluxDB would take the line for a comment.
  unit: fc.option(
    nasty.filter((text) => !joinLines(text).startsWith("#")),
    { nil: undefined },
  ),
  attributes: fc.dictionary(name, value, { maxKeys: 6 }),
  atUs: fc.integer({ min: 0, max: 4_102_444_800_000_000 }),
});

it("every point that is written is one line and reads back as what was meant", () => {
  fc.assert(
    fc.property(states, ({ state, object, unit, attributes, atUs }) => {
      const last_updated = formatIsoUs(atUs);
      const record: StateRecord = {
        n: 1,
        t: "state",
        kind: "change",
        source: "live",
        entity_id: `sensor.${object}`,
        state,
        attributes: { ...attributes, ...(unit !== undefined && { unit_of_measurement: unit }) },
        last_changed: last_updated,
        last_updated,
        context: { id: "c" },
      };
      const line = toLine(record, "state");
      if (line === undefined) return;
      expect(line).not.toMatch(/[\n\r]/);
      const { measurement, tags, fields, time } = parse(line);
      expect(tags).toEqual({ domain: "sensor", entity_id: object });
      expect(time).toBe(`${atUs}000`);
      expect(measurement).toBe(unit ? joinLines(unit) : "state");
      const shown = fields.state ?? fields.value;
      expect(typeof shown === "number" ? Number.isFinite(shown) : shown === joinLines(state)).toBe(true);
      for (const [attribute, given] of Object.entries(attributes)) {
        // A line end in a name is written as two characters, and the server keeps it so.
        if (attribute.includes("\n")) continue;
        if (["state", "value", "time"].includes(attribute) || `${attribute}_str` in attributes) continue;
        if (typeof given === "number" && Number.isFinite(given)) expect([given]).toContain(fields[attribute]);
        if (typeof given === "string" && /^[^\d.]+$/.test(given) && Number.isNaN(Number(given.trim() || "x")))
          if (!/^[+-]?(inf|nan)/i.test(given.trim())) expect(fields[`${attribute}_str`]).toBe(joinLines(given));
      }
      // The reader of this test takes the two characters of a line end in a name for one, so two names may become the same to it.
      if (Object.keys(attributes).some((attribute) => attribute.includes("\n"))) return;
      // What errors of the server are matched by.
      const types = Object.fromEntries(lineShape(line).types);
      expect(Object.values(types)).toHaveLength(Object.keys(fields).length);
      expect(Object.values(types).filter((type) => type === "string")).toHaveLength(
        Object.values(fields).filter((field) => typeof field === "string").length,
      );
    }),
    { numRuns: 2_000 },
  );
});

/** Python's splitlines() and a space between. */
function joinLines(text: string): string {
  const lines = text.split(/\r\n|[\n\r\u2028\u2029]/);
  if (lines.length > 1 && lines.at(-1) === "") lines.pop();
  return lines.join(" ");
}
