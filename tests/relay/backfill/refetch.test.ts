import { describe, expect, it } from "vitest";
import { formatIsoUs } from "../../../lib/base/time.ts";
import { Household } from "./living-home.ts";

const LIGHTS = ["light.a", "light.b", "text.note", "text.password"];

async function lived(over: Parameters<Household["start"]>[0] = {}) {
  const house = new Household();
  const { home } = house;
  for (const id of LIGHTS) home.set(id, "off", { mode: id === "text.password" ? "password" : "text" });
  home.commit();
  const running = house.start(over);
  await house.pass(20_000);
  const fromUs = house.clock.nowMs() * 1000;
  const since = home.happened.length;
  for (const state of ["one", "two"]) {
    for (const id of LIGHTS) home.set(id, state, { mode: id === "text.password" ? "password" : "text" });
    await house.pass(5_000);
  }
  home.set("light.a", null);
  await house.pass(10_000);
  const asked = {
    entity_ids: ["light.a", "text.note", "text.password"],
    from: formatIsoUs(fromUs),
    to: formatIsoUs(house.clock.nowMs() * 1000),
  };
  return { house, home, running, asked, happened: home.happened.slice(since) };
}

const backfilled = async (house: Household) =>
  (await house.records()).flatMap((record) => {
    if (record.t === "removed" && record.source === "backfill") return [`removed ${record.entity_id}`];
    return record.t === "state" && record.source === "backfill"
      ? [`${record.kind} ${record.entity_id} ${record.old?.state} ${record.state}`]
      : [];
  });

async function answered<T>(house: Household, work: Promise<T>): Promise<T> {
  let isDone = false;
  const all = work.finally(() => {
    isDone = true;
  });
  all.catch(() => {});
  for (let second = 0; !isDone && second < 400; second++) await house.pass(1_000);
  return all;
}

describe("what the recorder is asked for again", () => {
  it("is sent whole, with what was before it, of the entities and the span that were named; no secret, and no gap", async () => {
    const { house, running, asked, happened } = await lived();
    const before = (await house.records()).length;
    expect(await answered(house, running.relay.refetch(asked))).toBe(7);
    expect((await backfilled(house)).toSorted()).toEqual(
      [
        "change light.a off one",
        "change light.a one two",
        "change text.note off one",
        "change text.note one two",
        ...["[secret] [secret]", "[secret] [secret]"].map((states) => `change text.password ${states}`),
        "removed light.a",
      ].toSorted(),
    );
    const records = await house.records();
    expect(records.slice(before).some(({ t }) => t === "gap")).toBe(false);
    const times = records.flatMap((record) =>
      record.t === "state" && record.source === "backfill" && record.entity_id === "light.a"
        ? [record.last_updated]
        : [],
    );
    const wanted = happened.filter(({ entityId, state }) => entityId === "light.a" && state !== null);
    expect(times).toEqual(wanted.map(({ atUs }) => formatIsoUs(atUs)));
    // The same again is the same by its natural key, and what comes live goes on.
    expect(await answered(house, running.relay.refetch(asked))).toBe(7);
  });

  it("leaves at home what the owner keeps there, and asks for no id that would spoil the question", async () => {
    const { house, home, running, asked } = await lived({ exclude: ["light.a"] });
    const questions = () =>
      home.ha.asked.flatMap((what) => (what.startsWith("history ") ? what.slice("history ".length).split(",") : []));
    const entity_ids = ["light.a", "light.b", "light.b", "Not an id", "sensor.nowhere"];
    expect(await answered(house, running.relay.refetch({ ...asked, entity_ids }))).toBe(2);
    expect(new Set(questions())).toEqual(new Set(["light.b", "sensor.nowhere"]));
    expect(await answered(house, running.relay.refetch({ ...asked, entity_ids: ["light.a"] }))).toBe(0);
  });

  it("waits for the recorder's commit once for all questions of what was before", async () => {
    const { house, running, asked } = await lived();
    await answered(house, running.relay.refetch(asked));
    const startMs = house.clock.nowMs();
    for (let n = 0; n < 20; n++) await answered(house, running.relay.refetch(asked));
    expect(house.clock.nowMs() - startMs).toBeLessThan(40_000);
  });

  it("takes nothing for a change that came with a start of Home Assistant", async () => {
    const house = new Household();
    const { home } = house;
    const ids = ["zone.home", "sun.sun", "person.anna", "automation.a", "light.a", "sensor.a"];
    for (const id of ids) home.set(id, "one");
    home.commit();
    const running = house.start();
    await house.pass(20_000);
    const fromUs = house.clock.nowMs() * 1000;
    home.set("light.a", "two");
    await house.pass(120_000);
    await home.restart(false, (id, state) => (id === "sensor.a" ? "other" : state));
    await house.pass(20_000);
    home.set("light.a", "three");
    await house.pass(60_000);
    const before = (await house.records()).length;
    const span = { from: formatIsoUs(fromUs), to: formatIsoUs(house.clock.nowMs() * 1000) };
    await answered(house, running.relay.refetch({ entity_ids: ["light.a", "sensor.a"], ...span }));
    const told = (await house.records())
      .slice(before)
      .flatMap((record) => (record.t === "state" ? [`${record.kind} ${record.entity_id} ${record.state}`] : []));
    expect(told.toSorted()).toEqual([
      "change light.a three",
      "change light.a two",
      "restore light.a two",
      "restore sensor.a other",
    ]);
  });

  it("can be asked of nobody where there is no recorder, where it says nothing, and before there is a session", async () => {
    const { house, home, running, asked } = await lived();
    home.ha.forbidden.add("history");
    await expect(answered(house, running.relay.refetch(asked))).rejects.toMatchObject({ code: "recorder_absent" });
    expect(await backfilled(house)).toEqual([]);
    const alone = new Household();
    alone.home.ha.refusing = new Error("connection refused");
    const { relay } = alone.start();
    await expect(relay.refetch(asked)).rejects.toMatchObject({ code: "home_assistant_disconnected" });
  });
});
