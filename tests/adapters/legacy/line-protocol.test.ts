import { describe, expect, it } from "vitest";
import { toLine } from "../../../lib/adapters/legacy/line-protocol.ts";
import { pythonFloat, pythonText } from "../../../lib/adapters/legacy/python.ts";
import type { StateRecord } from "../../../lib/event/index.ts";

const record = (state: string, attributes: Record<string, unknown> = {}, entity_id = "sensor.power"): StateRecord => ({
  n: 1,
  t: "state",
  kind: "change",
  source: "live",
  entity_id,
  state,
  attributes,
  last_changed: "2026-11-22T05:47:09.185382+00:00",
  last_updated: "2026-11-22T05:47:09.185382+00:00",
  context: { id: "c" },
});
const NS = "1795326429185382000";
const line = (state: string, attributes?: Record<string, unknown>, entityId?: string) =>
  toLine(record(state, attributes, entityId), "state");

describe("a point as Home Assistant's integration writes it", () => {
  it("numbers are value, in the measurement of their unit, which is no field", () => {
    expect(line("12.50", { unit_of_measurement: "W", friendly_name: "Power" })).toBe(
      `W,domain=sensor,entity_id=power friendly_name_str="Power",value=12.5 ${NS}`,
    );
  });

  it.each([
    ["on", 1],
    ["open", 1],
    ["home", 1],
    ["locked", 1],
    ["above_horizon", 1],
    ["off", 0],
    ["closed", 0],
    ["not_home", 0],
    ["unlocked", 0],
    ["below_horizon", 0],
  ])("%s is text and %d", (state, value) => {
    expect(line(state)).toBe(`state,domain=sensor,entity_id=power state="${state}",value=${value} ${NS}`);
  });

  it("other texts are state alone; without a default measurement the entity id is one", () => {
    expect(line("heating")).toBe(`state,domain=sensor,entity_id=power state="heating" ${NS}`);
    expect(toLine(record("heating"))).toBe(`sensor.power,domain=sensor,entity_id=power state="heating" ${NS}`);
  });

  it.each(["unknown", "unavailable", "", "nan", "NaN", "inf", "-Infinity"])("%j is not written", (state) => {
    expect(line(state)).toBeUndefined();
  });

  it("escapes measurement, field names and texts", () => {
    expect(line("1", { unit_of_measurement: "k W,=\\", "a b,c=d": 'say "\\"\nthen' })).toBe(
      `k\\ W\\,\\=\\\\,domain=sensor,entity_id=power a\\ b\\,c\\=d_str="say \\"\\\\\\" then",value=1 ${NS}`,
    );
  });

  it("attributes: numbers and booleans under their name, all else as text, with the one number a text holds", () => {
    const attributes = {
      on: true,
      many: "7",
      none: null,
      list: [1, "a", null, false, 1.5],
      at: "12:30",
      v: "v1.25b",
      w: "v1",
    };
    expect(line("x", attributes)).toBe(
      `state,domain=sensor,entity_id=power at=1230,at_str="12:30",list=11.5,list_str="[1, 'a', None, False, 1.5]",many=7,none_str="None",on=1,state="x",v=1.25,v_str="v1.25b",w_str="v1" ${NS}`,
    );
  });

  it("an attribute of the name of a field, and of the name that InfluxDB keeps for itself", () => {
    expect(line("5", { value: 3, state: "s", time: 9, time_: 1 })).toBe(
      `state,domain=sensor,entity_id=power state_str="s",time_=1,time__=9,value=5,value_=3 ${NS}`,
    );
  });

  it("leaves out attributes that are no finite number", () => {
    expect(line("5", { a: "nan", b: "inf", c: "1e999" })).toBe(`state,domain=sensor,entity_id=power value=5 ${NS}`);
  });

  it("an empty unit counts as none", () => {
    expect(line("5", { unit_of_measurement: "" })).toMatch(/^state,.* unit_of_measurement_str="",value=5 /);
    expect(line("5", { unit_of_measurement: null })).toMatch(/^state,.* unit_of_measurement_str="None",value=5 /);
  });

  it("a time that cannot be read is said", () => {
    expect(() => toLine({ ...record("5"), last_updated: "soon" })).toThrowError(/"soon" cannot be read/);
  });
});

describe("Python's view of a value", () => {
  it.each([
    ["12", 12],
    [" -1.5e3 ", -1500],
    ["1_000", 1000],
    [".5", 0.5],
    ["5.", 5],
    ["+7", 7],
    ["٣٤", 34],
    ["𝟗", 9],
    ["-inf", Number.NEGATIVE_INFINITY],
    ["0x10", undefined],
    ["1__0", undefined],
    ["_1", undefined],
    ["1,5", undefined],
    ["", undefined],
    ["e5", undefined],
    [[1], undefined],
    [null, undefined],
    [false, 0],
  ])("float(%j) is %d", (value, wanted) => {
    expect(pythonFloat(value)).toBe(wanted);
  });

  it.each([
    [{ a: { b: [] } }, "{'a': {'b': []}}"],
    [["it's"], `["it's"]`],
    [[`"it's"`], `['"it\\'s"']`],
    [["tab\t\n\\ \u0001 é 温 \u00a0 😀"], "['tab\\t\\n\\\\ \\x01 é 温 \\xa0 😀']"],
    [[1e16, 1.5e-7, 0.0001, -2, 123456.5], "[1e+16, 1.5e-07, 0.0001, -2, 123456.5]"],
    [true, "True"],
  ])("str(%j)", (value, wanted) => {
    expect(pythonText(value)).toBe(wanted);
  });
});
