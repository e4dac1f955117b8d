import { beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Suggestion } from "../../lib/suggestions/ports.ts";
import { suggestion } from "../conformance/suggestion-store.ts";
import { createTestApi, type TestApi, tokenText } from "../support/api.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";

let api: TestApi;
let clock: ManualClock;
let told: Suggestion[];
const automation = {
  ...{ alias: "Coffee at 7", description: "You do it.", mode: "single" as const },
  triggers: [{ trigger: "time", at: "07:02:00" }],
  conditions: [{ condition: "time", weekday: ["mon"] }],
  actions: [{ action: "switch.turn_on", target: { entity_id: "switch.coffee" } }],
};

beforeEach(async () => {
  clock = manualClock(Date.UTC(2026, 10, 22, 6));
  told = [];
  const tellHouse = async (one: Suggestion) => void told.push(one);
  api = await createTestApi({ clock, parts: { tellHouse } });
  await api.suggestions.change("home", () => [
    suggestion("coffee", { rank: 1, automation }),
    suggestion("lamp", { rank: 2, source: "feature", deviceId: "d", feature: "color_temp" }),
    suggestion("old", { status: "dismissed", updatedAt: "2026-11-01T02:00:00.000Z" }),
  ]);
});

// biome-ignore lint/suspicious/noExplicitAny: the answer is JSON of the route that was asked
const answered = async (response: Response): Promise<{ status: number; body: any }> => ({
  status: response.status,
  body: await response.json(),
});
const get = async (path = "", token = tokenText("home")) =>
  answered(await api.ask(`/api/v1/suggestions${path}`, { token }));
const post = async (path: string, body: unknown = {}, token = tokenText("home")) =>
  answered(await api.post(`/api/v1/suggestions/${path}`, body, { token }));

describe("suggestions", () => {
  it("are listed the best first, by status, in pages", async () => {
    const ids = async (path = "") => (await get(path)).body.suggestions.map(({ id }: { id: string }) => id);
    expect(await ids()).toEqual(["coffee", "lamp", "old"]);
    expect(await ids("?status=dismissed")).toEqual(["old"]);
    const first = (await get("?limit=1")).body;
    expect(first.suggestions).toMatchObject([{ id: "coffee", home_id: "home", rank: 1, automation }]);
    expect(await ids(`?limit=5&cursor=${encodeURIComponent(first.next)}`)).toEqual(["lamp", "old"]);
    expect((await get(`?status=new&cursor=${encodeURIComponent(first.next)}`)).status).toBe(400);
  });

  it("are the home's own", async () => {
    expect((await get("", tokenText("other"))).body.suggestions).toEqual([]);
    expect((await get("/coffee", tokenText("other"))).status).toBe(404);
    expect((await get("/coffee/automation.yaml", tokenText("other"))).status).toBe(404);
    for (const what of ["accept", "dismiss", "snooze", "restore"])
      expect((await post(`coffee/${what}`, {}, tokenText("other"))).status).toBe(404);
    expect(told).toEqual([]);
  });

  it("have YAML as the home's version takes it", async () => {
    const yaml = async () => {
      const response = await api.ask("/api/v1/suggestions/coffee/automation.yaml");
      expect(response.headers.get("content-type")).toMatch(/^application\/yaml/);
      return parse(await response.text(), { version: "1.1" });
    };
    expect(await yaml()).toEqual(automation);
    await api.homes.update("home", { name: "Home", timeZone: "UTC", revision: 1, haVersion: "2024.6.4" });
    expect(await yaml()).toMatchObject({ trigger: [{ platform: "time" }], action: [{ service: "switch.turn_on" }] });
    expect((await get("/lamp/automation.yaml")).status).toBe(404);
  });

  it("are accepted once, and the house is told each time, for it may not have heard", async () => {
    const accepted = await post("coffee/accept");
    expect(accepted).toMatchObject({ status: 200, body: { status: "accepted", outcome: "waiting" } });
    expect(accepted.body.history.at(-1)).toEqual({ at: "2026-11-22T06:00:00.000Z", what: "accepted", by: "api" });
    expect((await post("coffee/accept")).body).toEqual(accepted.body);
    expect(told.map(({ id, automationId }) => [id, automationId])).toEqual(
      Array(2).fill(["coffee", "hearthline_coffee"]),
    );
    expect(await post("coffee/dismiss")).toMatchObject({ status: 409, body: { code: "suggestion_accepted" } });
    expect((await post("none/accept")).status).toBe(404);
  });

  it("are dismissed, and put off for so many days", async () => {
    expect((await post("lamp/dismiss")).body).toMatchObject({ status: "dismissed" });
    expect((await post("coffee/snooze", { days: 3 })).body).toMatchObject({
      status: "snoozed",
      snoozed_until: "2026-11-25T06:00:00.000Z",
    });
    expect((await post("old/snooze")).body.snoozed_until).toBe("2026-12-06T06:00:00.000Z");
    for (const body of [{ days: 0 }, { days: 366 }, { days: 1.5 }, { weeks: 1 }])
      expect((await post("coffee/snooze", body)).status).toBe(400);
  });

  it("are new again when a dismissal or a snooze is taken back, and not when the automation is on its way", async () => {
    expect((await post("old/restore")).body).toMatchObject({ status: "new" });
    expect((await post("old/restore")).body.history.at(-1)).toMatchObject({ what: "restored", by: "api" });
    await post("lamp/snooze", { days: 3 });
    const { body } = await post("lamp/restore");
    expect(body).toMatchObject({ status: "new", rank: 2 });
    expect(body).not.toHaveProperty("snoozed_until");
    expect(body).not.toHaveProperty("rank_before");
    expect((await get()).body.suggestions.map(({ id }: { id: string }) => id)).toEqual(["coffee", "lamp", "old"]);
    const untouched = await post("lamp/restore");
    expect(untouched.body).toEqual(body);
    await post("coffee/accept");
    expect(await post("coffee/restore")).toMatchObject({ status: 409, body: { code: "suggestion_accepted" } });
    expect((await post("none/restore")).status).toBe(404);
  });

  it("are as the last word says when people settle at once", async () => {
    const words = ["accept", "restore", "dismiss", "restore", "accept", "snooze", "restore", "dismiss"];
    const all = await Promise.all(words.map((what) => post(`lamp/${what}`)));
    expect(all.map(({ status }) => status)).toEqual(Array(words.length).fill(200));
    const { status, rank, history } = (await get("/lamp")).body;
    const statuses = {
      restored: "new",
      accepted: "accepted",
      dismissed: "dismissed",
      "snoozed for 14 days": "snoozed",
    };
    expect(status).toBe(statuses[history.at(-1).what as keyof typeof statuses]);
    expect(rank).toBe(status === "new" ? 2 : undefined);
  });

  it("need a token that may write to be settled", async () => {
    for (const what of ["accept", "dismiss", "snooze", "restore"])
      expect((await post(`coffee/${what}`, {}, tokenText("home", "r"))).status).toBe(403);
  });
});
