import { describe, expect, it } from "vitest";
import {
  automationIdSchema,
  automationSchema,
  forVersion,
  openedCovers,
  WRITABLE_ACTIONS,
} from "../../lib/event/index.ts";
import { allAutomations } from "../support/all-drafts.ts";

const base = {
  alias: "A",
  description: "",
  mode: "single",
  triggers: [{ trigger: "time", at: "07:00:00" }],
  conditions: [],
  actions: [{ action: "light.turn_on", target: { entity_id: "light.a" } }],
};
const isTaken = (more: object) => automationSchema.safeParse({ ...base, ...more }).success;
const does = (...actions: object[]) => isTaken({ actions });

describe("what may be written into a home", () => {
  it("is everything that is suggested, and no action but these", () => {
    const used = new Set(
      allAutomations().flatMap(({ actions }) => actions.flatMap((one) => ("action" in one ? [one.action] : []))),
    );
    const listed = new Set([...WRITABLE_ACTIONS, "climate.set_hvac_mode", "persistent_notification.create"]);
    expect([...used].sort()).toEqual([...listed].sort());
  });

  it.each([
    [{ action: "lock.unlock", target: { entity_id: "lock.a" } }],
    [{ action: "cover.toggle", target: { entity_id: "cover.a" } }],
    [{ action: "shell_command.x", target: { entity_id: "light.a" } }],
    [{ action: "homeassistant.turn_off", target: { entity_id: "lock.a" } }],
    [{ action: "light.turn_on" }],
    [{ action: "light.turn_on", target: { entity_id: "lock.a" } }],
    [{ action: "light.turn_on", target: { entity_id: ["light.a", "switch.gate"] } }],
    [{ action: "light.turn_on", target: { entity_id: "all" } }],
    [{ action: "light.turn_on", target: { area_id: "hall" } }],
    [{ action: "light.turn_on", target: { entity_id: "light.a" }, data: { brightness: 1 } }],
    [{ action: "{{ 'lock.unlock' }}", target: { entity_id: "lock.a" } }],
    [{ action: "notify.everybody", data: { message: "x" } }],
    [{ action: "persistent_notification.create", data: { title: "x", message: "{{ states('sensor.pin') }}" } }],
    [{ action: "persistent_notification.create", data: { title: "{% raw %}", message: "x" } }],
    [{ action: "climate.set_hvac_mode", target: { entity_id: "climate.a" }, data: { hvac_mode: "{{ 1 }}" } }],
    [{ wait_template: "{{ true }}" }],
    [{ delay: "{{ 1 }}" }],
    [{ service: "light.turn_on", target: { entity_id: "light.a" } }],
  ])("is not %j", (action) => {
    expect(does(action)).toBe(false);
  });

  it("has triggers and conditions without templates, and no other members", () => {
    expect(does({ delay: { seconds: 5 } })).toBe(true);
    expect(isTaken({ triggers: [{ trigger: "template", value_template: "{{ 1 }}" }] })).toBe(false);
    expect(isTaken({ triggers: [{ trigger: "webhook", webhook_id: "x" }] })).toBe(false);
    expect(isTaken({ conditions: ["{{ true }}"] })).toBe(false);
    expect(isTaken({ variables: {} })).toBe(false);
    expect(isTaken({ id: "other" })).toBe(false);
    expect(isTaken({ use_blueprint: {} })).toBe(false);
  });

  it("has an id of ours alone", () => {
    for (const id of ["hearthline_p_abc", "hearthline_f_0xab_color_temp"])
      expect(automationIdSchema.safeParse(id).success).toBe(true);
    for (const id of [
      "morning_lamp",
      "hearthline",
      "hearthline_",
      "hearthline_../x",
      "hearthline_A",
      "hearthline_a/b",
      "",
    ])
      expect(automationIdSchema.safeParse(id).success).toBe(false);
  });

  it("names the covers that it opens", () => {
    const opens = automationSchema.parse({
      ...base,
      actions: [
        { action: "cover.open_cover", target: { entity_id: ["cover.a", "cover.b"] } },
        { action: "cover.close_cover", target: { entity_id: "cover.c" } },
        { delay: { seconds: 1 } },
      ],
    });
    expect(openedCovers(opens)).toEqual(["cover.a", "cover.b"]);
    expect(forVersion(opens, "2024.9.0")).toHaveProperty("action");
    expect(forVersion(opens, "2024.10.0")).toHaveProperty("actions");
  });
});
