import { describe, expect, it } from "vitest";
import { testHome } from "./support.ts";

const call = async (home: { url: string; token: string }, path: string, init: RequestInit = {}) => {
  const response = await fetch(`${home.url}${path}`, { ...init, headers: { authorization: `Bearer ${home.token}` } });
  return { status: response.status, text: await response.text(), headers: response.headers };
};

describe("Home Assistant's HTTP", () => {
  it("answers with the token only", async () => {
    const home = await testHome();
    expect(await call(home, "/api/")).toMatchObject({ status: 200, text: '{"message":"API running."}' });
    expect(await call({ ...home, token: "wrong" }, "/api/")).toMatchObject({ status: 401, text: "401: Unauthorized" });
    expect((await fetch(`${home.url}/manifest.json`)).status).toBe(200);
    expect(await (await fetch(`${home.url}/manifest.json`)).json()).toMatchObject({ name: "Home Assistant" });
    expect((await call(home, "/api/nothing")).status).toBe(404);
    expect(JSON.parse((await call(home, "/api/config")).text)).toMatchObject({
      version: "2026.11.0",
      state: "RUNNING",
    });
    expect(JSON.parse((await call(home, "/api/states")).text)).toHaveLength(home.house.live.length);
  });

  it("makes, changes, keeps and removes a state", async () => {
    const home = await testHome();
    const path = "/api/states/sensor.by_hand";
    const post = (body: unknown) =>
      call(home, path, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) });
    expect((await call(home, path)).status).toBe(404);
    const made = await post({ state: 21.5, attributes: { unit_of_measurement: "°C" } });
    expect([made.status, made.headers.get("location"), JSON.parse(made.text).state]).toEqual([201, path, "21.5"]);
    expect(JSON.parse(made.text).context.user_id).toBe(home.house.userId);
    const same = await post({ state: "21.5", attributes: { unit_of_measurement: "°C" } });
    expect([same.status, JSON.parse(same.text).last_updated]).toEqual([200, JSON.parse(made.text).last_updated]);
    const forced = await post({ state: "21.5", attributes: { unit_of_measurement: "°C" }, force_update: true });
    expect(JSON.parse(forced.text).last_updated > JSON.parse(made.text).last_updated).toBe(true);
    expect([
      (await post("{")).status,
      (await post({})).status,
      (await post({ state: "x".repeat(256) })).status,
    ]).toEqual([400, 400, 400]);
    expect((await call(home, "/api/states/nonsense", { method: "POST", body: '{"state":"1"}' })).status).toBe(400);
    expect((await call(home, path, { method: "DELETE" })).text).toBe('{"message":"Entity removed."}');
    expect((await call(home, path, { method: "DELETE" })).status).toBe(404);
  });

  it("calls a service", async () => {
    const home = await testHome();
    const body = JSON.stringify({ entity_id: "switch.study_strip_printer" });
    const answer = await call(home, "/api/services/switch/turn_on", { method: "POST", body });
    expect(JSON.parse(answer.text)).toMatchObject([{ entity_id: "switch.study_strip_printer", state: "on" }]);
    expect((await call(home, "/api/services/switch/turn_on", { method: "POST", body })).text).toBe("[]");
    expect((await call(home, "/api/services/switch/explode", { method: "POST", body })).status).toBe(400);
  });
});
