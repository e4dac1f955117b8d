import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { PATTERN_KINDS } from "../../lib/analysis/ports.ts";
import { automationSchema, draftOfFeature, draftOfPattern, forVersion, toYaml } from "../../lib/suggestions/index.ts";
import { names, pattern } from "./samples.ts";

const token = (entityId: string, state: string) => ({ entityId, state });

describe("a draft of a pattern", () => {
  it("by the clock says when, on which days, and how sure it is", () => {
    const draft = draftOfPattern(pattern(), names);
    expect(draft).toMatchObject({
      id: "p-abc",
      title: "Turn on coffee machine at 07:02 on weekdays",
      description: "You turn on coffee machine around 07:02 on weekdays. Home Assistant can do it for you.",
      evidence:
        "18 of 20 days, give or take 5 minutes, at least 74 % reliable; less than 1 in 1,000,000 to be chance; since 2026-10-25",
      entityIds: ["switch.coffee_machine"],
    });
    expect(draft?.automation).toMatchObject({
      mode: "single",
      triggers: [{ trigger: "time", at: "07:02:00" }],
      conditions: [{ condition: "time", weekday: ["mon", "tue", "wed", "thu", "fri"] }],
      actions: [{ action: "switch.turn_on", target: { entity_id: "switch.coffee_machine" } }],
    });
  });

  it("by the sun has an offset, before and after", () => {
    const sun = (offsetMinutes: number) =>
      draftOfPattern(
        pattern({ target: token("cover.blinds", "closed"), anchor: "sunset", offsetMinutes, days: undefined as never }),
        names,
      );
    expect(sun(-15)?.title).toBe("Close blinds 15 minutes before sunset every day");
    expect(sun(-15)?.automation?.triggers).toEqual([{ trigger: "sun", event: "sunset", offset: "-00:15:00" }]);
    expect(sun(75)?.automation?.triggers).toEqual([{ trigger: "sun", event: "sunset", offset: "01:15:00" }]);
    expect(sun(0.2)?.automation?.triggers).toEqual([{ trigger: "sun", event: "sunset" }]);
    expect(sun(0)?.automation?.conditions).toEqual([]);
  });

  it("by a trigger does not start from a lost radio, and keeps to the dark when it was found there", () => {
    const draft = draftOfPattern(
      pattern({
        kind: "co-occurrence",
        trigger: token("binary_sensor.hall_motion", "on"),
        target: token("light.kitchen", "on"),
        days: undefined as never,
        delaySeconds: { median: 5, p90: 12 },
        details: { condition: "dark" },
      }),
      names,
    );
    expect(draft?.title).toBe("Turn on kitchen when hall motion is triggered in the dark");
    expect(draft?.automation).toMatchObject({
      triggers: [
        { trigger: "state", entity_id: "binary_sensor.hall_motion", to: "on", not_from: ["unavailable", "unknown"] },
      ],
      conditions: [{ condition: "state", entity_id: "sun.sun", state: "below_horizon" }],
    });
  });

  it("of a sequence leaves the first step to the person, and never unlocks", () => {
    const steps = [token("media_player.tv", "off"), token("lock.front_door", "locked"), token("light.bedside", "on")];
    const draft = draftOfPattern(pattern({ kind: "sequence", steps }), names);
    expect(draft?.automation?.actions.map(({ action }) => action)).toEqual(["lock.lock", "light.turn_on"]);
    const open = steps.map((step) => (step.state === "locked" ? { ...step, state: "unlocked" } : step));
    const safe = draftOfPattern(pattern({ kind: "sequence", steps: open }), names);
    expect(safe?.automation?.actions.map(({ action }) => action)).toEqual(["light.turn_on"]);
    expect(draftOfPattern(pattern({ target: token("lock.front_door", "unlocked") }), names)).toBeUndefined();
    expect(draftOfPattern(pattern({ target: token("cover.garage", "open") }), names)).toBeUndefined();
    expect(draftOfPattern(pattern({ target: token("cover.garage", "closed") }), names)).toBeDefined();
  });

  it("of a duration ends what consumes, a little after its usual time, and tells of doors", () => {
    const held = { kind: "duration" as const, durationSeconds: { median: 1_320, p90: 1_500 } };
    const fixed = { ...held, details: { finding: "fixed" } };
    const coffee = draftOfPattern(pattern(fixed), names);
    expect(coffee?.automation?.triggers).toMatchObject([{ to: "on", for: { seconds: 1_500 } }]);
    expect(coffee?.automation?.actions).toMatchObject([{ action: "switch.turn_off" }]);
    expect(coffee?.description).not.toContain("forgotten");
    const forgotten = { ...held, details: { finding: "forgotten", forgotten: 4 } };
    const heater = draftOfPattern(pattern({ ...forgotten, target: token("switch.heater", "on") }), names);
    expect(heater?.automation?.triggers).toMatchObject([{ for: { seconds: 2_100 } }]);
    expect(heater?.description).toContain("was forgotten 4 times");
    const door = draftOfPattern(pattern({ ...forgotten, target: token("binary_sensor.back_door", "on") }), names);
    expect(door?.automation?.actions).toMatchObject([{ action: "persistent_notification.create" }]);
    expect(door?.title).toBe("Tell me when back door has been open for 35 minutes");
    // What it saves is what was forgotten, not how often the door is used.
    expect(door?.score).toBeLessThan(heater ? (coffee?.score ?? 0) : 0);
    const garage = draftOfPattern(pattern({ ...forgotten, target: token("cover.garage", "open") }), names);
    const open = { ...forgotten, trigger: token("cover.garage", "open"), target: token("cover.garage", "closed") };
    expect(garage).toBeUndefined();
    expect(draftOfPattern(pattern(open), names)?.automation?.actions).toMatchObject([
      { action: "persistent_notification.create" },
    ]);
  });

  it("of a duration is none of what is long, short, no burden, or a machine's own", () => {
    const of = (entityId: string, seconds: number, finding = "fixed") =>
      draftOfPattern(
        pattern({
          kind: "duration",
          trigger: token(entityId, entityId.startsWith("cover.") ? "open" : "on"),
          target: token(entityId, entityId.startsWith("cover.") ? "closed" : "off"),
          durationSeconds: { median: seconds, p90: seconds },
          details: { finding, forgotten: 3 },
        }),
        names,
      );
    expect(of("light.garden", 1_200)).toBeDefined();
    expect(of("light.garden", 8 * 3_600)).toBeUndefined();
    expect(of("light.stairs", 120)).toBeUndefined();
    expect(of("switch.dehumidifier", 120)).toBeDefined();
    expect(of("switch.dehumidifier", 20)).toBeUndefined();
    for (const entityId of ["cover.blinds", "siren.hall", "input_boolean.guests", "binary_sensor.back_door"])
      expect([entityId, of(entityId, 1_200)]).toEqual([entityId, undefined]);
    for (const entityId of ["switch.washing_machine", "switch.fridge_compressor", "cover.blinds", "siren.hall"])
      expect([entityId, of(entityId, 1_200, "forgotten")]).toEqual([entityId, undefined]);
  });

  it("turns nothing on that heats, makes noise or opens, and leaves some alone", () => {
    const states = (entityId: string) =>
      ["on", "off"].filter((state) => draftOfPattern(pattern({ target: token(entityId, state) }), names));
    expect(states("switch.coffee_machine")).toEqual(["on", "off"]);
    for (const entityId of ["switch.bathroom_heater", "switch.oven", "input_boolean.alarm", "switch.garage_opener"])
      expect([entityId, states(entityId)]).toEqual([entityId, ["off"]]);
    for (const entityId of ["switch.freezer", "switch.router", "switch.washing_machine"])
      expect([entityId, states(entityId)]).toEqual([entityId, []]);
    expect(states("light.oven")).toEqual(["on", "off"]);
  });

  it("by a trigger waits where people sit still, and where they wait themselves", () => {
    const of = (trigger: ReturnType<typeof token>, state: string, median: number, more = {}) =>
      draftOfPattern(
        pattern({
          kind: "co-occurrence",
          ...{ trigger, target: token("light.kitchen", state), days: undefined as never, at: undefined as never },
          ...{ delaySeconds: { median, p90: 2 * median }, ...more },
        }),
        names,
      );
    const clear = of(token("binary_sensor.hall_motion", "off"), "off", 20);
    expect(clear?.automation?.triggers).toMatchObject([{ to: "off", for: { seconds: 120 } }]);
    expect(clear?.title).toBe("Turn off kitchen when hall motion has been clear for 2 minutes");
    const late = of(token("binary_sensor.hall_motion", "off"), "off", 200);
    expect(late?.automation?.triggers).toMatchObject([{ for: { seconds: 200 } }]);
    expect(of(token("media_player.tv", "off"), "off", 40)?.automation?.triggers).toMatchObject([
      { for: { seconds: 40 } },
    ]);
    for (const at of [
      of(token("media_player.tv", "off"), "off", 3),
      of(token("binary_sensor.hall_motion", "off"), "on", 40),
      of(token("binary_sensor.hall_motion", "on"), "off", 40),
    ])
      expect(at?.automation?.triggers[0]).not.toHaveProperty("for");
  });

  it("by a trigger keeps to every condition that is found, and waits for no state that never comes", () => {
    const of = (condition: string, trigger = token("person.anna", "home")) =>
      draftOfPattern(
        pattern({
          kind: "co-occurrence",
          ...{ trigger, target: token("light.hall", "on"), details: { condition, coverage: 0.95 } },
          ...{ days: undefined as never, at: undefined as never },
        }),
        names,
      );
    expect(of("light")?.automation?.conditions).toMatchObject([{ entity_id: "sun.sun", state: "above_horizon" }]);
    expect(of("night")?.automation?.conditions).toEqual([{ condition: "time", after: "23:00:00", before: "05:00:00" }]);
    expect(of("evening")).toMatchObject({ title: "Turn on hall when anna comes home in the evening", explains: true });
    for (const moment of ["event.remote", "button.bell", "input_button.night", "scene.film"])
      expect([moment, of("always", token(moment, "single"))]).toEqual([moment, undefined]);
  });

  it("after midnight goes by the calendar's weekday, as Home Assistant does", () => {
    const late = draftOfPattern(pattern({ at: "00:27", days: ["fri", "sat"] }), names);
    expect(late?.automation?.conditions).toEqual([{ condition: "time", weekday: ["sat", "sun"] }]);
    expect(late?.title).toBe("Turn on coffee machine at 00:27 at weekends");
    const sunday = draftOfPattern(pattern({ at: "02:59", days: ["sun"] }), names);
    expect(sunday?.automation?.conditions).toEqual([{ condition: "time", weekday: ["mon"] }]);
    expect(draftOfPattern(pattern({ at: "03:00", days: ["sun"] }), names)?.automation?.conditions).toMatchObject([
      { weekday: ["sun"] },
    ]);
  });

  it("of a sequence waits for what only people do: nothing is locked before they are out", () => {
    const steps = [
      token("light.hall", "off"),
      token("binary_sensor.back_door", "on"),
      token("binary_sensor.back_door", "off"),
      token("lock.front_door", "locked"),
    ];
    const leaving = { kind: "sequence" as const, steps, days: undefined as never, at: "08:10", spreadMinutes: 10 };
    const draft = draftOfPattern(pattern(leaving), names);
    expect(draft?.automation?.triggers).toMatchObject([{ entity_id: "binary_sensor.back_door", to: "off" }]);
    expect(draft?.automation?.conditions).toEqual([{ condition: "time", after: "07:15:00", before: "09:00:00" }]);
    expect(draft?.title).toBe("When back door is closed between 07:15 and 09:00: lock front door");
    expect(draftOfPattern(pattern({ ...leaving, steps: steps.slice(0, 3) }), names)).toBeUndefined();
    const midnight = draftOfPattern(pattern({ ...leaving, at: "23:50" }), names);
    expect(midnight?.automation?.conditions).toEqual([{ condition: "time", after: "23:00:00", before: "00:45:00" }]);
  });

  it("has names as they can be shown, told and written: cut, of one line, no template", () => {
    const named = (name: string) => ({ ...names, entity: () => name });
    const steps = Array.from({ length: 5 }, (_, at) => token(`light.l${at}`, "on"));
    const endless = draftOfPattern(pattern({ kind: "sequence", steps }), named("💡".repeat(100)));
    expect([...(endless?.automation?.alias ?? "")].length).toBeLessThanOrEqual(255);
    expect(endless?.title.isWellFormed()).toBe(true);
    expect(endless?.title).toContain("💡…");
    const odd = draftOfPattern(pattern(), named("Say \"hi\"\n{{ states('lock.door') }} \u2028x\ud800"));
    expect(odd?.title).toBe("Turn on Say \"hi\" ({ states('lock.door') }} x\ufffd at 07:02 on weekdays");
    expect(draftOfPattern(pattern(), named(" \n "))?.title).toContain("switch.coffee_machine");
  });

  it("of a room sets the others when the leading one is set", () => {
    const steps = [token("media_player.tv", "playing"), token("light.floor", "on"), token("light.ceiling", "off")];
    const film = pattern({ kind: "room", target: token("media_player.tv", "playing"), steps, days: ["fri"] });
    expect(draftOfPattern(film, names)).toMatchObject({
      title: "When tv starts to play between 06:15 and 08:00 on Fridays: turn on floor and turn off ceiling",
      automation: { actions: [{ action: "light.turn_on" }, { action: "light.turn_off" }] },
    });
  });

  it("is none of what is automated, has ended, or cannot be acted on", () => {
    expect(draftOfPattern(pattern({ automated: true }), names)).toBeUndefined();
    expect(draftOfPattern(pattern({ status: "fading" }), names)).toBeUndefined();
    expect(draftOfPattern(pattern({ witnessedHits: 2 }), names)).toBeUndefined();
    expect(draftOfPattern(pattern({ witnessedHits: 3 }), names)).toBeDefined();
    expect(draftOfPattern(pattern({ status: "ended" }), names)).toBeUndefined();
    for (const kind of ["anomaly", "day-type", "seasonal", "frequency"] as const)
      expect(draftOfPattern(pattern({ kind }), names)).toBeUndefined();
    expect(draftOfPattern(pattern({ target: token("sensor.power", "5") }), names)).toBeUndefined();
    expect(draftOfPattern(pattern({ target: token("light.constructor", "constructor") }), names)).toBeUndefined();
  });

  it("is worth more the surer it is and the more it saves", () => {
    const scoreOf = (more: Parameters<typeof pattern>[0]) => draftOfPattern(pattern(more), names)?.score ?? 0;
    expect(scoreOf({ reliability: 0.9 })).toBeGreaterThan(scoreOf({ reliability: 0.6 }));
    const rare = pattern().days90.map((day, at) => ({ ...day, hits: at % 7 === 2 ? 1 : 0 }));
    expect(scoreOf({})).toBeGreaterThan(scoreOf({ days90: rare }));
    for (const kind of PATTERN_KINDS) expect(scoreOf({ kind })).toBeLessThanOrEqual(1);
  });
});

describe("a draft of a feature", () => {
  it("has no automation, and the second of a device is worth less", () => {
    const unused = {
      ...{ deviceId: "0xAB", deviceName: "Desk lamp", feature: "color_temp", label: "Colour temperature" },
      watchedSince: "2026-10-01",
    };
    const [first, second] = [draftOfFeature(unused, 0), draftOfFeature(unused, 1)];
    expect(first).toMatchObject({ id: "f-0xab-color-temp", source: "feature", deviceId: "0xAB" });
    expect(first.automation).toBeUndefined();
    expect(first.score).toBeGreaterThan(second.score);
  });
});

describe("a draft's id", () => {
  it("is another one for another device, whatever its letters", () => {
    const idOf = (deviceId: string) =>
      draftOfFeature({ deviceId, deviceName: "x", feature: "effect", label: "Effect", watchedSince: "2026-10-01" }, 0)
        .id;
    const ids = ["客厅", "卧室", "a.b", "a/b", "x".repeat(61), "x".repeat(62)].map(idOf);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z0-9-]{1,150}$/);
  });
});

describe("an automation", () => {
  const automation = draftOfPattern(pattern(), names)?.automation;
  if (!automation) throw new Error("the sample has no automation");

  it("has the singular keys before 2024.10, and the plural ones since", () => {
    expect(forVersion(automation, "2024.9.3")).toMatchObject({
      trigger: [{ platform: "time", at: "07:02:00" }],
      action: [{ service: "switch.turn_on" }],
    });
    expect(Object.keys(forVersion(automation, "2024.9.3"))).not.toContain("triggers");
    for (const version of ["2024.10.0", "2024.11.1", "2026.11.0b2", undefined])
      expect(forVersion(automation, version)).toEqual(automation);
  });

  it("is YAML that reads back as it was: on stays a word, 07:02:00 a text", () => {
    const text = toYaml(forVersion(automation, undefined));
    expect(parse(text, { version: "1.1" })).toEqual(automation);
    expect(text).toContain("07:02:00");
    const odd = {
      ...automation,
      alias: 'A: "b" # c\nd 💡',
      triggers: [{ trigger: "state", entity_id: "x.y", to: "on" }],
    };
    expect(parse(toYaml(odd), { version: "1.1" })).toEqual(odd);
  });

  it("is refused with what Home Assistant would not take", () => {
    for (const wrong of [
      { triggers: [] },
      { triggers: [{ trigger: "time", at: "25:00:00" }] },
      { actions: [{ action: "light", target: { entity_id: "light.x" } }] },
      { conditions: [{ condition: "time", weekday: ["monday"] }] },
      { alias: "" },
    ])
      expect(automationSchema.safeParse({ ...automation, ...wrong }).success).toBe(false);
    expect(automationSchema.safeParse(automation).success).toBe(true);
  });
});
