import { describe, expect, it } from "vitest";
import { rawClient, temporaryFolder, testHome } from "./support.ts";

const HOUR_MS = 3_600_000;
const lamp = { action: "input_boolean.turn_on", target: { entity_id: "input_boolean.guest_mode" } };

describe("automations that were written into a simulated home", () => {
  async function start(folder?: string) {
    const home = await testHome(folder === undefined ? {} : { data: folder });
    const helpers = home.house.live.filter(({ id }) => id.startsWith("input_boolean.")).map(({ id }) => id);
    const [target = ""] = helpers;
    const state = (entityId: string) => home.core.states.get(entityId);
    const post = async (id: string, config: object) => {
      const answer = await fetch(`${home.url}/api/config/automation/config/${id}`, {
        method: "POST",
        headers: { authorization: `Bearer ${home.token}` },
        body: JSON.stringify(config),
      });
      return { status: answer.status, body: await answer.json() };
    };
    const switches = { ...lamp, target: { entity_id: target } };
    return { home, target, state, post, switches };
  }

  it("run at their time of day, on their days, and wait between two actions", async () => {
    const { home, target, state, post, switches } = await start();
    home.emit({ entityId: target, state: "off" });
    // It is Sunday, 14:00.
    const config = { alias: "At three", triggers: [{ trigger: "time", at: "15:00:00" }], actions: [] };
    const actions = [{ delay: { seconds: 60 } }, switches];
    await post("a", { ...config, conditions: [{ condition: "time", weekday: ["mon"] }], actions });
    home.advance(2 * HOUR_MS);
    expect(state("automation.at_three")?.attributes.last_triggered).toBeNull();
    home.advance(23 * HOUR_MS + 30_000);
    expect(state("automation.at_three")?.attributes.last_triggered).not.toBeNull();
    const ranAt = String(state("automation.at_three")?.attributes.last_triggered);
    expect(ranAt).toContain("T14:00:0");
    home.advance(60_000);
    expect(home.core.states.get(target)?.context.id).toBe(state("automation.at_three")?.context.id);
  });

  it("run when something has lasted, not when they are off, and when they are triggered by hand", async () => {
    const { home, target, state, post, switches } = await start();
    const door = { trigger: "state", entity_id: "binary_sensor.test_door", to: "on", for: { seconds: 60 } };
    await post("b", { alias: "Door", triggers: [door], actions: [switches] });
    const ran = () => state("automation.door")?.attributes.last_triggered ?? null;
    const set = (to: string) => home.emit({ entityId: "binary_sensor.test_door", state: to });
    set("off");
    set("on");
    home.advance(30_000);
    set("off");
    home.advance(60_000);
    expect(ran()).toBeNull();
    const client = await rawClient(home.url);
    await client.next(({ type }) => type === "auth_required");
    client.send({ type: "auth", access_token: home.token });
    await client.next(({ type }) => type === "auth_ok");
    const call = (service: string) =>
      client.command({ type: "call_service", domain: "automation", service, target: { entity_id: "automation.door" } });
    await call("turn_off");
    set("on");
    home.advance(61_000);
    expect([ran(), state("automation.door")?.state]).toEqual([null, "off"]);
    await call("trigger");
    home.advance(10);
    expect(ran()).not.toBeNull();
    expect(state(target)?.state).toBe("on");
  });

  it("say what is wrong, as Home Assistant does", async () => {
    const { home, post, switches } = await start();
    const triggers = [{ trigger: "time", at: "15:00:00" }];
    expect(await post("c", { alias: "X", triggers, actions: [switches], foo: 1 })).toEqual({
      status: 400,
      body: { message: "Message malformed: extra keys not allowed @ data['foo']" },
    });
    expect((await post("c", { alias: "X", triggers })).status).toBe(400);
    expect((await post("c", { alias: "X", actions: [switches] })).status).toBe(400);
    expect(home.core.automations.get("c")).toBeUndefined();
  });

  it("are there again after a restart, under the same entity id", async () => {
    const folder = temporaryFolder();
    const first = await start(folder);
    await first.post("d", { alias: "Stays", triggers: [{ trigger: "time", at: "15:00:00" }], actions: [lamp] });
    await first.home.stop();
    const second = await start(folder);
    second.home.advance(10_000);
    expect(second.state("automation.stays")).toMatchObject({ state: "on", attributes: { id: "d" } });
    expect(second.home.core.registries.list("entity").filter(({ unique_id }) => unique_id === "d")).toHaveLength(1);
  });
});
