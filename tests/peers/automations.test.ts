import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHaAutomations } from "../../lib/adapters/homeassistant/automations.ts";
import { systemClock } from "../../lib/base/clock.ts";
import type { WritableAutomation } from "../../lib/event/index.ts";
import { allAutomations } from "../support/all-drafts.ts";
import { describePeer, installPeer } from "../support/peers.ts";
import { type RealHome, startHome } from "../support/real-home.ts";
import { until } from "../support/stack.ts";

interface HaState {
  readonly entity_id: string;
  readonly state: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}
type Config = Readonly<Record<string, unknown>>;

for (const version of ["2024", "current", "newest"] as const)
  await describePeer(
    `Home Assistant ${version}`,
    () => installPeer("home-assistant", ["--version", version, "--install-only"]),
    () => describe(`Home Assistant ${version}`, () => automations(version)),
  );

function automations(version: string) {
  let home: RealHome;
  beforeAll(async () => {
    home = await startHome(version);
    await home.ask("POST", "/api/states/cover.blinds", { state: "closed", attributes: { device_class: "blind" } });
  }, 300_000);
  afterAll(() => home.stop());

  const files = () => createHaAutomations({ url: home.url, token: home.token, clock: systemClock });
  const states = () => home.ask<HaState[]>("GET", "/api/states");
  const configOf = (id: string) => home.ask<Config>("GET", `/api/config/automation/config/${id}`);
  const entityOf = async (id: string) => (await states()).find(({ attributes }) => attributes.id === id);
  const follow = (to: string): WritableAutomation => ({
    alias: "Restored follows",
    description: "",
    mode: "single",
    triggers: [{ trigger: "state", entity_id: "input_boolean.relay_boolean", to }],
    conditions: [],
    actions: [{ action: `input_boolean.turn_${to}`, target: { entity_id: "input_boolean.relay_boolean_restored" } }],
  });

  it("takes every template of every domain, and has them afterwards", async () => {
    const all = allAutomations();
    expect(all.length).toBeGreaterThan(60);
    const file = files();
    const ids = all.map((_, at) => `hearthline_p_all_${at}`);
    for (const [at, automation] of all.entries()) await file.write(ids[at] ?? "", automation);
    const there = (await states()).filter(({ entity_id }) => entity_id.startsWith("automation."));
    const on = new Set(there.filter(({ state }) => state === "on").map(({ attributes }) => attributes.id));
    expect(ids.filter((id) => !on.has(id))).toEqual([]);
    const kept = await configOf("hearthline_p_all_0");
    expect(Object.keys(kept)).toContain(version === "2024" ? "trigger" : "triggers");
    for (const id of ids.slice(0, 3)) await file.remove(id);
    expect(await entityOf("hearthline_p_all_0")).toBeUndefined();
  }, 300_000);

  it("does what it says, by its trigger and when it is triggered", async () => {
    const file = files();
    await file.write("hearthline_p_follow", follow("on"));
    const set = (entity: string, to: string) =>
      home.ask("POST", `/api/services/input_boolean/turn_${to}`, { entity_id: `input_boolean.${entity}` });
    const restored = async () =>
      (await home.ask<HaState>("GET", "/api/states/input_boolean.relay_boolean_restored")).state;
    // Home Assistant attaches a new automation's triggers, and takes an old one's away, a moment after it shows the entity.
    const becomes = (state: string, attempt: () => Promise<unknown>) =>
      until(
        async () => {
          await attempt();
          return restored();
        },
        (now) => now === state,
        { deadlineMs: 60_000, everyMs: 500 },
      );
    await set("relay_boolean_restored", "off");
    await becomes("on", async () => {
      await set("relay_boolean", "off");
      await set("relay_boolean", "on");
    });
    // Another of the same id takes its place.
    await file.write("hearthline_p_follow", follow("off"));
    await becomes("off", async () => {
      const entity = await entityOf("hearthline_p_follow");
      await home.ask("POST", "/api/services/automation/trigger", { entity_id: entity?.entity_id });
    });
    await file.remove("hearthline_p_follow");
    await file.remove("hearthline_p_follow");
  }, 120_000);

  it("says what it does not take: no administrator's token, a door, another's file", async () => {
    const stranger = createHaAutomations({ url: home.url, token: "not-a-token-of-this-home", clock: systemClock });
    await expect(stranger.write("hearthline_x", follow("on"))).rejects.toMatchObject({ code: "automation_refused" });
    await home.ask("POST", "/api/states/cover.garage", { state: "closed", attributes: { device_class: "garage" } });
    const opens: WritableAutomation = {
      ...follow("on"),
      actions: [{ action: "cover.open_cover", target: { entity_id: "cover.garage" } }],
    };
    await expect(files().write("hearthline_x", opens)).rejects.toMatchObject({ code: "automation_refused" });
    expect(await entityOf("hearthline_x")).toBeUndefined();
  });
}
