import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createHaAutomations } from "../../../lib/adapters/homeassistant/automations.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import type { WritableAutomation } from "../../../lib/event/index.ts";
import { createSimulatedHome } from "../../../local/home/simulated-home.ts";
import { temporaryFolder } from "../../local/home/support.ts";

const ID = "hearthline_p_abc";
const quick = { ...systemClock, sleep: async () => {} };

const lampAt = (more: Partial<WritableAutomation> = {}): WritableAutomation => ({
  alias: "Turn on Lamp when Hall is on",
  description: "Because it is done by hand.",
  mode: "single",
  triggers: [{ trigger: "state", entity_id: "input_boolean.vacation", to: "on", not_from: ["unavailable"] }],
  conditions: [],
  actions: [{ action: "light.turn_on", target: { entity_id: "light.kitchen_ceiling" } }],
  ...more,
});

describe.each(["2024.3.3", "2026.11.0"] as const)("automations of a simulated home %s", (version) => {
  async function start() {
    const home = await createSimulatedHome({ data: temporaryFolder(), version, rate: 0.03 });
    onTestFinished(() => home.stop());
    const automations = createHaAutomations({ url: home.url, token: home.token, clock: quick });
    const entity = () => [...home.core.states.all()].find(({ attributes }) => attributes.id === ID);
    return { home, automations, entity };
  }

  it("are written in the keys of the version, are there, and do what they say", async () => {
    const { home, automations, entity } = await start();
    const { switched, helper } = targets(home.house.live.map(({ id }) => id));
    const automation = lampAt({
      triggers: [{ trigger: "state", entity_id: helper, to: "on" }],
      actions: [{ action: "input_boolean.turn_on", target: { entity_id: switched } }],
    });
    home.emit({ entityId: switched, state: "off" });
    home.emit({ entityId: helper, state: "off" });
    await automations.write(ID, automation);
    await automations.write(ID, automation);
    expect(entity()).toMatchObject({ entityId: "automation.turn_on_lamp_when_hall_is_on", state: "on" });
    const isOld = version === "2024.3.3";
    expect(home.core.automations.get(ID)).toHaveProperty(isOld ? "action" : "actions");
    expect(home.core.registries.list("entity").filter((row) => row.unique_id === ID)).toHaveLength(1);
    home.emit({ entityId: helper, state: "on" });
    await expect.poll(() => home.core.states.get(switched)?.state).toBe("on");
    const did = home.core.states.get(switched);
    expect(entity()?.context.id).toBe(did?.context.id);
    expect(entity()?.attributes.last_triggered).not.toBeNull();
  });

  it("are gone when they are removed, and removing them again is no failure", async () => {
    const { home, automations, entity } = await start();
    await automations.write(ID, lampAt());
    await automations.remove(ID);
    expect(entity()).toBeUndefined();
    expect(home.core.automations.get(ID)).toBeUndefined();
    await automations.remove(ID);
  });
});

/** Two helpers of the house. */
function targets(ids: readonly string[]) {
  const [helper = "", switched = ""] = ids.filter((id) => id.startsWith("input_boolean."));
  return { helper, switched };
}

type Reply = readonly [status: number, body: unknown] | undefined;

/** A Home Assistant that answers as told; what it was asked, in order. */
async function answering(reply: (method: string, path: string) => Reply, version = "2026.11.0") {
  const asked: string[] = [];
  const usual = (path: string): Reply => {
    if (path === "/api/config") return [200, { version, state: "RUNNING" }];
    return path === "/api/states" ? [200, []] : [200, { result: "ok" }];
  };
  const server = createServer(async (request: IncomingMessage, response) => {
    for await (const _ of request);
    const [method = "", path = ""] = [request.method, request.url];
    asked.push(`${method} ${path}`);
    const [status, body] = reply(method, path) ?? usual(path) ?? [404, {}];
    response.writeHead(status, { "content-type": "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { automations: createHaAutomations({ url, token: "a-secret-token-of-the-home", clock: quick }), asked };
}

describe("what Home Assistant does not take", () => {
  const post =
    (status: number, body: unknown = {}) =>
    (method: string) =>
      method === "POST" ? ([status, body] as const) : undefined;

  it.each([
    ["is not loaded, and is taken out again", () => undefined, "automation_not_loaded", "!include automations.yaml"],
    ["is not valid", post(400, { message: "extra keys not allowed" }), "automation_refused", "extra keys not allowed"],
    ["comes from no administrator", post(401, "401: Unauthorized"), "automation_refused", "administrator"],
    ["finds no editor", post(404, "404: Not Found"), "automation_refused", "default_config"],
    ["meets a fault", post(500, "Server got itself in trouble"), "home_assistant_command_failed", "500"],
  ] as const)("%s", async (_, reply, code, said) => {
    const { automations, asked } = await answering(reply);
    const thrown = await automations.write(ID, lampAt()).catch((error: Error) => error);
    expect(thrown).toMatchObject({ code, message: expect.stringContaining(said) });
    expect((thrown as Error).message).not.toContain("a-secret-token");
    expect(asked.at(-1)?.startsWith("DELETE")).toBe(code === "automation_not_loaded");
  });

  it("waits while it starts, and while it is away", async () => {
    const { automations, asked } = await answering((_, path) =>
      path === "/api/config" ? [200, { version: "2026.11.0", state: "STARTING" }] : undefined,
    );
    await expect(automations.write(ID, lampAt())).rejects.toMatchObject({ code: "home_assistant_not_ready" });
    expect(asked).toEqual(["GET /api/config"]);
    const away = createHaAutomations({ url: "http://127.0.0.1:1", token: "a-token", clock: quick });
    await expect(away.remove(ID)).rejects.toMatchObject({ code: "home_assistant_disconnected", fate: "retry" });
  });

  it("is unavailable: taken, but of no use", async () => {
    const state = { entity_id: "automation.x", state: "unavailable", attributes: { id: ID } };
    const { automations, asked } = await answering((_, path) => (path === "/api/states" ? [200, [state]] : undefined));
    await expect(automations.write(ID, lampAt())).rejects.toMatchObject({ code: "automation_refused" });
    expect(asked.at(-1)).toBe(`DELETE /api/config/automation/config/${ID}`);
  });

  it.each([
    ["garage", "automation_refused"],
    [undefined, "automation_refused"],
    ["blind", undefined],
  ])("opens a cover of the class %s: %s", async (deviceClass, code) => {
    const cover = { entity_id: "cover.a", state: "closed", attributes: { device_class: deviceClass } };
    const written = { entity_id: "automation.x", state: "on", attributes: { id: ID } };
    const { automations, asked } = await answering((_, path) =>
      path === "/api/states" ? [200, [cover, written]] : undefined,
    );
    const opens = lampAt({ actions: [{ action: "cover.open_cover", target: { entity_id: ["cover.a"] } }] });
    const thrown = await automations.write(ID, opens).catch((error: { code: string }) => error.code);
    expect(thrown).toBe(code);
    expect(asked.some((one) => one.startsWith("POST"))).toBe(code === undefined);
  });

  it("is spoken to through the Supervisor too", async () => {
    const asked: string[] = [];
    const { automations } = await answering((method, path) => void asked.push(`${method} ${path}`));
    await automations.write(ID, lampAt()).catch(() => {});
    expect(asked[0]).toBe("GET /api/config");
    const address = new URL((await fetchedAddress("ws://127.0.0.1:9/core/websocket")) ?? "http://none");
    expect(address.pathname).toBe("/core/api/config");
  });
});

/** The first address that is asked for. */
async function fetchedAddress(url: string): Promise<string | undefined> {
  const real = globalThis.fetch;
  let asked: string | undefined;
  globalThis.fetch = async (input) => {
    asked ??= String(input);
    throw new Error("not reached");
  };
  try {
    await createHaAutomations({ url, token: "a-token", clock: quick })
      .remove(ID)
      .catch(() => {});
  } finally {
    globalThis.fetch = real;
  }
  return asked;
}
