import { describe, expect, it } from "vitest";
import { HearthlineError } from "../../../lib/base/errors.ts";
import { formatIsoUs, parseIsoUs } from "../../../lib/base/time.ts";
import { type GapRecord, type RelayRecord, relayRecordsSchema } from "../../../lib/event/index.ts";
import { Household } from "./living-home.ts";

const gapsOf = (records: readonly RelayRecord[]): GapRecord[] => records.filter((record) => record.t === "gap");
const backfilled = (records: readonly RelayRecord[]): string[] =>
  records.flatMap((record) => {
    if (record.t === "removed" && record.source === "backfill") return [`removed ${record.entity_id}`];
    return record.t === "state" && record.source === "backfill"
      ? [`${record.kind} ${record.entity_id} ${record.state}`]
      : [];
  });

/** A household whose relay has heard everything so far. */
async function settled(excluded: readonly string[] = [], entities = ["zone.home", "person.x", "light.a", "light.b"]) {
  const house = new Household(excluded);
  for (const entityId of entities) house.home.set(entityId, "off", { friendly_name: entityId });
  house.home.commit();
  const running = house.start();
  await house.pass(3_000);
  for (const entityId of entities) house.home.set(entityId, "on", { friendly_name: entityId, brightness: 1 });
  await house.pass(10_000);
  return { house, home: house.home, ha: house.home.ha, running };
}

describe("after an interruption", () => {
  it("a first start has no gap", async () => {
    const { house } = await settled();
    expect(gapsOf(await house.records())).toEqual([]);
    expect(backfilled(await house.records())).toEqual([]);
  });

  it("says whose doing what moved was, where the logbook does", async () => {
    const { house, home, ha, running } = await settled([], ["light.a", "light.b", "light.c", "automation.x"]);
    await house.stop(running);
    const since = home.happened.length;
    home.set("automation.x", "on", { current: 1 });
    for (const id of ["light.a", "light.b", "light.c"]) home.set(id, "off");
    for (const id of ["light.a", "light.b", "light.c"]) home.set(id, "on");
    const [ran, a, b] = home.happened.slice(since).map(({ entityId, atUs }) => ({ entityId, atUs }));
    if (!ran || !a || !b) throw new Error("nothing happened");
    ha.logbook = [
      { ...ran, contextId: "RUN" },
      { ...a, state: "off", run: { entityId: "automation.x" } },
      { ...b, state: "off", userId: "USER" },
    ];
    house.start();
    await house.pass(60_000);
    const filled = (await house.records()).flatMap((record) =>
      record.t === "state" && record.source === "backfill" && record.state === "off" ? [record] : [],
    );
    const contextOf = (entityId: string) => filled.find((record) => record.entity_id === entityId)?.context;
    expect(contextOf("light.a")).toMatchObject({ id: "RUN", parent_id: expect.any(String) });
    expect(contextOf("light.b")).toMatchObject({ id: expect.stringMatching(/./), user_id: "USER" });
    expect(contextOf("light.c")?.id).toBe("");
  });

  it.each([
    ["there is none", undefined],
    ["it fails", new HearthlineError("home_assistant_command_failed", "unknown_error")],
    ["it does not answer", new HearthlineError("command_timeout", "no answer")],
  ])("fetches all the same without a logbook: %s", async (_, failure) => {
    const { house, home, ha, running } = await settled();
    await house.stop(running);
    home.set("light.a", "off");
    home.set("light.a", "on");
    ha.logbook = undefined;
    let questions = 0;
    ha.before.getLogbook = () => {
      questions += 1;
      if (failure) throw failure;
    };
    house.start();
    await house.pass(60_000);
    expect(backfilled(await house.records())).toEqual(["change light.a off", "change light.a on"]);
    expect(questions).toBe(1);
    expect(gapsOf(await house.records()).at(-1)?.missing).toEqual([]);
  });

  it("fetches what moved while the relay was stopped, each with its kind and what was before", async () => {
    const { house, home, running } = await settled();
    await house.stop(running);
    home.set("light.a", "off", { brightness: 0 });
    home.set("light.a", "off", { brightness: 5 });
    home.set("light.a", "on", { brightness: 9 });
    home.set("light.b", null);
    await house.pass(20_000);
    house.start();
    await house.pass(60_000);
    const records = await house.records();
    expect(backfilled(records)).toEqual([
      "change light.a off",
      "attributes light.a off",
      "change light.a on",
      "removed light.b",
    ]);
    const own = records.flatMap((record) => (record.t === "state" && record.source === "backfill" ? [record] : []));
    expect(own[0]?.old?.state).toBe("on");
    expect(own[2]?.old).toMatchObject({
      state: "off",
      last_changed: own[0]?.last_changed,
      last_updated: own[1]?.last_updated,
    });
    // Home Assistant still holds the last one whole.
    expect(own[2]?.context.id).not.toBe("");
    expect(own[0]?.context.id).toBe("");
    expect(gapsOf(records)).toMatchObject([
      { cause: "relay_stopped", entities: 2, recovered: 4, statistics: 0, complete: true, missing: [] },
    ]);
    for (const record of records) expect(relayRecordsSchema.safeParse(record).error).toBeUndefined();
  });

  it("asks nothing of an entity that did not move, but says that there was a gap", async () => {
    const { house, home, ha, running } = await settled();
    await house.stop(running);
    await house.pass(5_000);
    ha.asked.length = 0;
    const { relay } = house.start();
    await house.pass(30_000);
    expect(ha.asked.filter((what) => what.startsWith("history"))).toEqual([]);
    expect(gapsOf(await house.records())).toMatchObject([{ entities: 0, recovered: 0, complete: true }]);
    expect(relay.health().gaps).toMatchObject({ count: 1, recovered: 0, last: { cause: "relay_stopped" } });
    ha.drop();
    home.set("light.a", "off");
    await house.pass(30_000);
    expect(gapsOf(await house.records())).toMatchObject([{}, { cause: "disconnected", recovered: 1 }]);
    expect(relay.health().gaps).toMatchObject({ count: 2, recovered: 1 });
  });

  it("does not fetch what came live since the subscription, and takes the state before the first event for the end of the gap", async () => {
    const { house, home, ha } = await settled();
    ha.drop();
    home.set("light.a", "off");
    home.set("light.a", "on");
    ha.before.getStates = () => home.set("light.a", "live");
    await house.pass(60_000);
    const records = await house.records();
    expect(backfilled(records)).toEqual(["change light.a off", "change light.a on"]);
    expect(gapsOf(records)).toMatchObject([{ complete: true }]);
  });

  it("waits for a recorder that is behind", async () => {
    const { house, home, ha } = await settled();
    ha.drop();
    home.commits(false);
    home.set("light.a", "off");
    home.set("light.a", "on");
    await house.pass(60_000);
    expect(gapsOf(await house.records())).toEqual([]);
    home.commits(true);
    await house.pass(30_000);
    expect(backfilled(await house.records())).toEqual(["change light.a off", "change light.a on"]);
    expect(gapsOf(await house.records())).toMatchObject([{ complete: true }]);
  });

  it("gives up on a recorder that stays behind, and says so", async () => {
    const { house, home, ha } = await settled();
    home.commits(false);
    ha.drop();
    home.set("light.a", "off");
    await house.pass(400_000);
    expect(gapsOf(await house.records())).toMatchObject([
      { complete: false, missing: [{ reason: "recorder_behind", entities: 1, examples: ["light.a"] }] },
    ]);
  });

  it("names what the recorder leaves out, and what vanished without a trace", async () => {
    const { house, home, ha } = await settled(["light.a", "light.b"]);
    ha.drop();
    home.set("light.a", "off");
    home.set("light.b", null);
    await house.pass(90_000);
    expect(gapsOf(await house.records())).toMatchObject([
      {
        entities: 2,
        recovered: 0,
        complete: false,
        missing: [
          { reason: "not_recorded", examples: ["light.a"] },
          { reason: "removed", examples: ["light.b"] },
        ],
      },
    ]);
  });

  it("is not missed twice when it has gone, and is asked for when it comes and goes again", async () => {
    const { house, home, ha } = await settled(["light.b"]);
    ha.drop();
    home.set("light.b", null);
    await house.pass(90_000);
    home.excluded.delete("light.b");
    ha.drop();
    home.set("light.b", "again");
    home.set("light.b", null);
    await house.pass(90_000);
    const records = await house.records();
    expect(gapsOf(records)).toMatchObject([{ missing: [{ reason: "removed" }] }, { complete: true, missing: [] }]);
    expect(backfilled(records)).toEqual(["restore light.b again", "removed light.b"]);
  });

  it("does not let one id that is none take the answers of the others with it", async () => {
    const { house, home, ha } = await settled([], ["light.a", "Licht.Küche"]);
    ha.isRefused = (id) => id === "Licht.Küche";
    ha.drop();
    home.set("light.a", "off");
    home.set("Licht.Küche", null);
    await house.pass(90_000);
    expect(backfilled(await house.records())).toEqual(["change light.a off"]);
  });

  it("does not ask a recorder that does not answer for each of many entities", async () => {
    const { house, home, ha } = await settled(
      [],
      Array.from({ length: 500 }, (_, index) => `sensor.s${index}`),
    );
    ha.forbidden.add("history");
    ha.asked.length = 0;
    ha.drop();
    for (let index = 0; index < 500; index++) home.set(`sensor.s${index}`, "off");
    await house.pass(300_000);
    expect(ha.asked.filter((what) => what.startsWith("history")).length).toBeLessThanOrEqual(6);
    expect(gapsOf(await house.records())).toMatchObject([
      { complete: false, missing: [{ reason: "recorder_off", entities: 500 }] },
    ]);
  });

  it("goes on without a recorder, and without history", async () => {
    for (const without of ["recorder", "history"] as const) {
      const { house, home, ha } = await settled();
      if (without === "history") ha.forbidden.add("history");
      else
        ha.before.getRecorder = () => {
          ha.recorder = undefined;
        };
      ha.drop();
      home.set("light.a", "off");
      await house.pass(120_000);
      expect(gapsOf(await house.records())).toMatchObject([
        { complete: false, missing: [{ reason: "recorder_off", examples: ["light.a"] }] },
      ]);
    }
  });

  it("falls back to statistics for what is purged", async () => {
    const { house, home, ha, running } = await settled([], ["sensor.power", "light.a"]);
    await house.stop(running);
    await house.clock.advance(20 * 86_400_000);
    home.set("sensor.power", "7", { unit_of_measurement: "W", state_class: "measurement" });
    home.commit();
    ha.history.set("sensor.power", (ha.history.get("sensor.power") ?? []).slice(-1));
    const startUs = Date.parse("2026-11-25T10:00:00Z") * 1000;
    ha.statistics.set("sensor.power", [{ startUs, endUs: startUs + 3_600_000_000, mean: 5.5, min: 1, max: 9 }]);
    house.start();
    await house.pass(60_000);
    const records = await house.records();
    expect(gapsOf(records)).toMatchObject([
      { recovered: 1, statistics: 1, complete: false, missing: [{ reason: "purged", examples: ["sensor.power"] }] },
    ]);
    const hour = records.find((record) => record.t === "state" && record.origin === "STATISTICS");
    expect(hour).toMatchObject({
      kind: "snapshot",
      source: "backfill",
      state: "5.5",
      last_updated: formatIsoUs(startUs),
      attributes: { unit_of_measurement: "W", hearthline_statistics: { mean: 5.5, min: 1, max: 9, hours: 1 } },
    });
  });

  it("takes a text for a text, of which the recorder keeps no mode, also when it came back only after we had subscribed", async () => {
    const house = new Household();
    house.home.set("zone.home", "0");
    house.home.set("person.x", "home");
    house.home.set("text.name", "Ada", { mode: "text" });
    const running = house.start();
    await house.pass(10_000);
    await house.stop(running);
    house.home.set("text.name", "Grace", { mode: "text" });
    house.home.commit();
    const rows = house.home.ha.history.get("text.name") ?? [];
    house.home.ha.history.set(
      "text.name",
      rows.map((row) => ({ ...row, attributes: {} })),
    );
    house.start();
    await house.home.restart(false, (_, state) => state);
    await house.pass(60_000);
    const told = (await house.records()).flatMap((record) =>
      record.t === "state" && record.entity_id === "text.name" ? [record.state] : [],
    );
    expect(new Set(told)).toEqual(new Set(["Ada", "Grace"]));
  });

  it("keeps secrets at home, also the password that history has without its mode", async () => {
    const house = new Household();
    house.home.set("text.door", "old-pass", { mode: "password" });
    const running = house.start();
    await house.pass(10_000);
    await house.stop(running);
    house.home.set("text.door", "0pen-sesame", { mode: "password", access_token: "abc" });
    house.home.set("text.door", "other-one", { mode: "password" });
    house.home.commit();
    const rows = house.home.ha.history.get("text.door") ?? [];
    house.home.ha.history.set(
      "text.door",
      rows.map((row) => ({ ...row, attributes: { access_token: "abc" } })),
    );
    house.start();
    await house.pass(60_000);
    const text = JSON.stringify(await house.records());
    expect(backfilled(await house.records())).toHaveLength(2);
    for (const secret of ["0pen-sesame", "other-one", "old-pass", "abc"]) expect(text).not.toContain(secret);
    expect(JSON.stringify([...((await house.store.load())?.entities ?? [])])).not.toContain("other-one");
  });

  it.each([
    ["forth", 5 * 3_600_000],
    ["back", -5 * 3_600_000],
  ])("names both ends by Home Assistant's clock, and fetches, when ours was set %s", async (_, stepMs) => {
    const { house, home, ha } = await settled();
    ha.drop();
    home.set("light.a", "missed");
    home.set("light.a", "last");
    const trueMs = house.clock.nowMs();
    house.clock.set(trueMs + stepMs);
    // The home goes on by the true time: it is the relay's clock alone that is wrong.
    home.behindMs = stepMs;
    await house.pass(60_000);
    const records = await house.records();
    expect(backfilled(records)).toEqual(["change light.a missed", "change light.a last"]);
    const [gap] = gapsOf(records);
    const times = home.happened.filter(({ state }) => state === "missed" || state === "last").map(({ atUs }) => atUs);
    expect(gap).toMatchObject({ recovered: 2, complete: true });
    expect(parseIsoUs(gap?.from ?? "")).toBeLessThanOrEqual(Math.min(...times));
    expect(parseIsoUs(gap?.to ?? "")).toBeGreaterThanOrEqual(Math.max(...times));
    expect(parseIsoUs(gap?.to ?? "")).toBeLessThanOrEqual((trueMs + 60_000) * 1000);
  });

  it.each([
    ["forth", 3_600_000],
    ["back", -3_600_000],
  ])(
    "fetches what came before and after Home Assistant's own clock was set %s, and never ends before it begins",
    async (_, stepMs) => {
      const { house, home, ha } = await settled();
      ha.drop();
      home.set("light.a", "missed");
      home.commit();
      home.step(stepMs);
      home.set("light.a", "stepped");
      home.set("light.b", "stepped too");
      home.commit();
      await house.pass(60_000);
      const records = await house.records();
      for (const what of ["light.a missed", "light.a stepped", "light.b stepped too"])
        expect(backfilled(records).map((told) => told.replace(/^\w+ /, ""))).toContain(what);
      const [gap] = gapsOf(records);
      expect(parseIsoUs(gap?.from ?? "")).toBeLessThanOrEqual(parseIsoUs(gap?.to ?? ""));
      for (const record of records) expect(relayRecordsSchema.safeParse(record).error).toBeUndefined();
    },
  );

  it("fetches what Home Assistant's clock, set back a little, dates to before what is known", async () => {
    const { house, home, ha, running } = await settled();
    home.set("light.a", "known");
    await house.pass(1_000);
    await house.stop(running);
    home.step(-4_000);
    home.set("light.a", "dated before");
    await house.pass(20_000);
    home.set("light.a", "last");
    ha.before.getStates = () => home.set("light.b", "live");
    house.start();
    await house.pass(60_000);
    expect(backfilled(await house.records()).map((told) => told.replace(/^\w+ /, ""))).toContain(
      "light.a dated before",
    );
  });

  it("fetches it also when the clock is right again before the gap is filled", async () => {
    const { house, home, ha, running } = await settled();
    home.set("light.a", "known");
    await house.pass(1_000);
    await house.stop(running);
    home.step(-4_000);
    home.set("light.a", "dated before");
    await house.pass(20_000);
    ha.before.getStates = () => {
      ha.before = {};
      home.set("light.b", "live");
      ha.drop();
      home.step(4_000);
      home.set("light.a", "last");
    };
    house.start();
    await house.pass(60_000);
    expect(backfilled(await house.records()).map((told) => told.replace(/^\w+ /, ""))).toContain(
      "light.a dated before",
    );
  });

  it("fetches the past of an entity that came into being meanwhile, also when it changes or goes at once", async () => {
    const { house, home, ha } = await settled();
    ha.drop();
    for (const id of ["sensor.changes", "sensor.goes", "sensor.comes_again"]) {
      home.set(id, "first");
      home.set(id, "second");
    }
    home.set("sensor.comes_again", null);
    ha.before.getStates = () => {
      ha.before = {};
      home.set("sensor.changes", "live");
      home.set("sensor.goes", null);
      home.set("sensor.comes_again", "live");
    };
    await house.pass(60_000);
    expect(backfilled(await house.records()).toSorted()).toEqual([
      "change sensor.changes second",
      "change sensor.comes_again second",
      "change sensor.goes second",
      "removed sensor.comes_again",
      "restore sensor.changes first",
      "restore sensor.comes_again first",
      "restore sensor.goes first",
    ]);
  });

  it("fetches what was lost behind a disk that took nothing, when it takes records again", async () => {
    const { house, home } = await settled();
    house.failing = new Error("no space");
    for (let count = 0; count < 60_000; count++) home.set(count % 2 ? "light.a" : "light.b", String(count));
    await house.pass(5_000);
    house.failing = undefined;
    await house.pass(400_000);
    const records = await house.records();
    const seen = new Set(
      records.flatMap((record) => (record.t === "state" ? [`${record.entity_id} ${record.state}`] : [])),
    );
    expect(home.happened.filter(({ entityId, state }) => !seen.has(`${entityId} ${state}`))).toEqual([]);
    const lost = records.reduce((sum, record) => sum + (record.t === "loss" ? record.count : 0), 0);
    expect(lost).toBeGreaterThan(5_000);
    expect(gapsOf(records)).toMatchObject([{ cause: "events_lost", complete: true }]);
  }, 60_000);

  it("of a spool that refuses what comes nothing is taken for known, and Home Assistant is not asked without end", async () => {
    const { house, home, ha } = await settled();
    house.refuses = true;
    ha.asked.length = 0;
    for (let minute = 0; minute < 600; minute++) {
      home.set("light.a", String(minute));
      await house.clock.advance(60_000);
      home.commit();
    }
    expect(ha.asked.filter((what) => what === "states").length).toBeLessThan(40);
    house.refuses = false;
    await house.clock.advance(8_000_000);
    await house.pass(10_000);
    const seen = new Set((await house.records()).flatMap((record) => (record.t === "state" ? [record.state] : [])));
    for (let minute = 0; minute < 600; minute++) expect(seen).toContain(String(minute));
  }, 60_000);

  it("looks again for what a frame that could not be read had said", async () => {
    const { house, home, ha, running } = await settled();
    const { session } = ha;
    ha.session = undefined;
    home.set("light.a", "off");
    ha.session = session;
    running.relay.reject("frame_unparsable");
    home.set("light.a", "on");
    await house.pass(120_000);
    expect(backfilled(await house.records())).toEqual(["change light.a off"]);
    expect(gapsOf(await house.records())).toMatchObject([{ cause: "unreadable_frame", recovered: 1, complete: true }]);
  });
});

describe("a restart of Home Assistant", () => {
  it.each([
    ["clean", false],
    ["after a power cut", true],
  ])("%s: its burst is no change, and nothing is taken for removed", async (_, isKilled) => {
    const { house, home } = await settled();
    await home.restart(isKilled, (entityId, state) => (entityId === "light.b" ? "off" : state));
    await house.pass(10_000);
    home.set("light.b", "on");
    await house.pass(90_000);
    const records = await house.records();
    const changes = records.flatMap((record) =>
      record.t === "state" && record.kind === "change" ? [`${record.entity_id} ${record.state}`] : [],
    );
    expect(changes).toEqual(["zone.home on", "person.x on", "light.a on", "light.b on", "light.b on"]);
    expect(records.filter((record) => record.t === "removed")).toEqual([]);
    const cut = { reason: "power_cut", entities: 4, examples: ["zone.home", "person.x", "light.a", "light.b"] };
    expect(gapsOf(records)).toMatchObject([
      { cause: "home_assistant_restarted", complete: !isKilled, missing: isKilled ? [cut] : [] },
    ]);
  });

  it("after a power cut does not make the gaps after it incomplete", async () => {
    const { house, home, ha } = await settled();
    await home.restart(true, (_, state) => state);
    await house.pass(4_000_000);
    ha.drop();
    home.set("light.a", "off");
    await house.pass(90_000);
    expect(gapsOf(await house.records()).map(({ complete }) => complete)).toEqual([false, true]);
  });

  it("with an entity that is new does not hide that it was one", async () => {
    const { house, home, running } = await settled();
    await house.stop(running);
    await house.pass(5_000);
    await home.restart(false, (_, state) => state);
    await house.pass(20_000);
    home.ha.before.getStates = () => {
      home.ha.before = {};
      home.set("sensor.new", "live");
    };
    house.start();
    await house.pass(90_000);
    expect(backfilled(await house.records()).filter((told) => told.startsWith("change"))).toEqual([]);
    expect(gapsOf(await house.records())).toMatchObject([{ cause: "home_assistant_restarted" }]);
  });

  it("that nobody saw is found in the recorder", async () => {
    const { house, home, running } = await settled();
    await house.stop(running);
    home.set("light.a", "off");
    await house.pass(60_000);
    await home.restart(false, (entityId, state) => (entityId === "light.b" ? "off" : state));
    await house.pass(60_000);
    home.set("light.b", "on");
    await house.pass(10_000);
    house.start();
    await house.pass(60_000);
    const records = await house.records();
    expect(backfilled(records).toSorted()).toEqual([
      "change light.a off",
      "change light.b on",
      "restore light.a off",
      "restore light.b off",
      "restore person.x on",
      "restore zone.home on",
    ]);
    expect(gapsOf(records)).toMatchObject([{ cause: "home_assistant_restarted", complete: true }]);
  });
});

describe("another home behind the same address", () => {
  it("makes nothing removed of what it does not have, and says of it once that it is gone", async () => {
    const { house, home, ha } = await settled();
    ha.drop();
    home.states.clear();
    for (const id of ["zone.home", "light.other"]) home.set(id, "on");
    await house.pass(90_000);
    ha.drop();
    await house.pass(90_000);
    const records = await house.records();
    expect(records.filter((record) => record.t === "removed")).toEqual([]);
    const [first, second] = gapsOf(records);
    expect(first?.missing).toMatchObject([
      { reason: "removed", entities: 3, examples: ["person.x", "light.a", "light.b"] },
    ]);
    expect(second).toMatchObject({ complete: true, missing: [] });
  });
});

describe("a back-fill that is interrupted", () => {
  it("twenty times within a minute, before the recorder has committed, loses nothing", async () => {
    const { house, home, ha } = await settled();
    for (let round = 0; round < 20; round++) {
      ha.drop();
      home.set("light.a", `missed ${round}`);
      if (round % 3 === 0) home.set(`sensor.new_${round}`, "born");
      await house.pass(3_000);
      home.set("light.b", `live or not ${round}`);
    }
    await house.pass(120_000);
    const records = await house.records();
    const seen = new Set(
      records.flatMap((record) => (record.t === "state" ? [`${record.entity_id} ${record.state}`] : [])),
    );
    expect(home.happened.filter(({ entityId, state }) => !seen.has(`${entityId} ${state}`))).toEqual([]);
    expect(gapsOf(records)).toMatchObject([{ complete: true }]);
  });

  it("goes on in the next session, and live events meanwhile do not hide what is left", async () => {
    const { house, home, ha } = await settled();
    ha.drop();
    home.set("light.a", "missed");
    home.commits(false);
    await house.pass(5_000);
    // Waits for the recorder; meanwhile live events come.
    home.set("light.a", "live");
    await house.pass(70_000);
    ha.drop();
    await house.pass(5_000);
    home.set("light.a", "live again");
    home.commits(true);
    await house.pass(60_000);
    expect(backfilled(await house.records())).toContain("change light.a missed");
    expect(gapsOf(await house.records())).toHaveLength(1);
  });

  it("misses nothing when the relay is killed soon after its first start, before the table is saved again", async () => {
    const house = new Household();
    for (const entityId of ["zone.home", "light.a"]) house.home.set(entityId, "off");
    const first = house.start();
    await house.pass(2_000);
    house.home.set("light.a", "heard");
    await house.pass(2_000);
    first.kill();
    for (const state of ["missed", "last"]) house.home.set("light.a", state);
    await house.pass(10_000);
    house.start();
    await house.pass(60_000);
    expect(backfilled(await house.records())).toContain("change light.a missed");
    expect(gapsOf(await house.records())).toMatchObject([{ cause: "relay_stopped", complete: true }]);
  });

  it("goes on after kill -9", async () => {
    const { house, home, running } = await settled();
    await house.stop(running);
    home.set("light.a", "missed");
    home.commits(false);
    const second = house.start();
    await house.pass(5_000);
    home.set("light.a", "live");
    await house.pass(130_000);
    second.kill();
    home.commits(true);
    await house.pass(10_000);
    house.start();
    await house.pass(60_000);
    expect(backfilled(await house.records())).toContain("change light.a missed");
  });
});
