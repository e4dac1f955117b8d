import { describe, expect, it } from "vitest";
import { createMemorySpool } from "../../lib/adapters/memory/spool.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { type RelayRecord, relayRecordsSchema } from "../../lib/event/index.ts";
import { entryOf } from "../../lib/relay/entry.ts";
import { createRelay, metricsOf, type RelayOptions } from "../../lib/relay/index.ts";
import { manualClock } from "../support/manual-clock.ts";
import { parseOpenMetrics } from "../support/openmetrics.ts";
import { FakeHomeAssistant, FakeSink, keepLog, pass, settle, unreachable } from "./fakes.ts";
import { at, change, changed, haState } from "./ha-samples.ts";

function start(
  { flushMs = 1_000, ...over }: Partial<RelayOptions> & { flushMs?: number } = {},
  prepare: (home: FakeHomeAssistant) => void = () => {},
) {
  const clock = manualClock(Date.parse("2026-11-22T06:00:00Z"));
  const spool = createMemorySpool({ relayId: "r", clock, sinks: ["cloud"], maxBytes: 100_000_000 });
  const sink = new FakeSink(clock, { flushMs });
  const home = new FakeHomeAssistant();
  prepare(home);
  const { log, lines } = keepLog();
  const relay = createRelay({
    homeId: "home",
    homeAssistant: home,
    spool,
    sinks: [sink],
    references: [],
    clock,
    random: () => 0.5,
    log,
    include: [],
    exclude: [],
    endsWhenRefused: false,
    ...over,
  });
  const ended = relay.run();
  ended.catch(() => {});
  return { clock, spool, sink, home, relay, ended, lines };
}

const states = (records: readonly RelayRecord[]) =>
  records.flatMap((record) => (record.t === "state" ? [`${record.kind} ${record.entity_id} ${record.state}`] : []));
const kindsOf = (records: readonly RelayRecord[]) =>
  records.map((record) => (record.t === "registry" ? `${record.t} ${record.registry}` : record.t));

describe("a session", () => {
  it("subscribes before it reads, and sends home, registries and snapshot", async () => {
    const { clock, sink, home } = start({}, (ha) => {
      ha.states = [haState("light.a", 1), haState("light.b", 2)];
      ha.registries = { areas: [{ area_id: "kitchen", name: "Kitchen", picture: "/secret.jpg", labels: [] }] };
    });
    await pass(clock, 2_000);
    expect(home.asked[0]).toBe("config");
    const first = home.asked.indexOf("registry areas");
    expect(home.asked.slice(0, first)).toContain("subscribe state_changed");
    expect(home.asked.slice(first).some((what) => what.startsWith("subscribe"))).toBe(false);
    expect(kindsOf(sink.records)).toEqual([
      "relay",
      "home",
      "relay",
      ...["areas", "floors", "labels", "devices", "entities"].map((name) => `registry ${name}`),
      "state",
      "state",
    ]);
    expect(sink.records.map(({ n }) => n)).toEqual(sink.records.map((_, index) => index + 1));
    for (const record of sink.records) expect(relayRecordsSchema.safeParse(record).success).toBe(true);
    expect(sink.records[3]).toMatchObject({ rows: [{ area_id: "kitchen", name: "Kitchen", labels: [] }], parts: 1 });
    expect(JSON.stringify(sink.records)).not.toContain("secret");
  });

  it("sends live events in order, and skips of the snapshot what came live meanwhile", async () => {
    const { clock, sink, home } = start({}, (ha) => {
      ha.states = [haState("light.a", 7), haState("light.b", 2)];
      ha.before.getStates = () => ha.fire(change("light.a", 7));
    });
    await pass(clock, 100);
    home.fire(change("light.a", 8));
    home.fire(change("light.a", 8));
    home.fire(changed(null, haState("light.b", 2), 9));
    await pass(clock, 2_000);
    expect(states(sink.records)).toEqual(["change light.a 7", "snapshot light.b 2", "change light.a 8"]);
    expect(kindsOf(sink.records).at(-1)).toBe("removed");
  });

  it("one bad event costs its neighbours nothing", async () => {
    const { clock, sink, home, relay, lines } = start();
    await pass(clock, 100);
    home.fire(change("light.a", 1));
    home.fire({ ...change("light.a", 2), data: { entity_id: "light.a", new_state: { state: 1n } } } as never);
    home.fire({ ...change("light.a", 2), data: { entity_id: "light.a", new_state: { state: 2n } } } as never);
    home.fire({ ...change("light.a", 3), data: { entity_id: "light.x", new_state: 5 } });
    home.fire(change("light.a", 4));
    await pass(clock, 2_000);
    expect(states(sink.records)).toEqual(["change light.a 1", "restore light.x undefined", "change light.a 4"]);
    expect(relay.health()).toMatchObject({ rejected: 2, admitted: 3 });
    expect(lines.filter((line) => line.includes("rejected"))).toHaveLength(1);
  });

  it("takes a second snapshot when Home Assistant has come to run", async () => {
    const { clock, sink, home, relay } = start({}, (ha) => {
      ha.config = { ...ha.config, state: "STARTING" };
      ha.states = [haState("light.a", 1)];
    });
    await pass(clock, 10_000);
    expect(relay.health().ha_state).toBe("STARTING");
    home.config = { ...home.config, state: "RUNNING" };
    home.states = [haState("light.a", 1), haState("light.b", 2)];
    await pass(clock, 10_000);
    expect(relay.health().ha_state).toBe("RUNNING");
    expect(states(sink.records)).toEqual(["snapshot light.a 1", "snapshot light.b 2"]);
    const asked = home.asked.filter((what) => what === "states").length;
    await pass(clock, 60_000);
    expect(home.asked.filter((what) => what === "states")).toHaveLength(asked);
  });

  it("reads a registry again after its updates, once for a burst", async () => {
    const { clock, sink, home } = start();
    await pass(clock, 2_000);
    const before = home.asked.length;
    home.registries = { areas: [{ area_id: "new", name: "New" }] };
    for (let index = 0; index < 50; index++) {
      home.fire({ ...change("x.y", 1), event_type: "area_registry_updated", data: {} });
      await pass(clock, 20);
    }
    await pass(clock, 10_000);
    expect(home.asked.slice(before).filter((what) => what.startsWith("registry"))).toEqual(["registry areas"]);
    const revisions = sink.records.flatMap((record) =>
      record.t === "registry" && record.registry === "areas" ? [record.revision] : [],
    );
    expect(revisions).toHaveLength(2);
    expect(revisions[1]).toBeGreaterThan(revisions[0] ?? 0);
  });

  it("reads it within some seconds even when updates never end", async () => {
    const { clock, home } = start();
    await pass(clock, 2_000);
    const before = home.asked.length;
    for (let index = 0; index < 80; index++) {
      home.fire({ ...change("x.y", 1), event_type: "entity_registry_updated", data: {} });
      await pass(clock, 100);
    }
    expect(home.asked.slice(before).filter((what) => what === "registry entities").length).toBeGreaterThanOrEqual(1);
  });

  it("goes on without what a token that is no administrator's may not have", async () => {
    const { clock, sink, home, lines } = start({}, (ha) => {
      ha.forbidden = new Set(["devices", "entities", "core_config_updated"]);
      ha.states = [haState("light.a", 1)];
    });
    await pass(clock, 2_000);
    home.fire(change("light.a", 2));
    await pass(clock, 2_000);
    expect(states(sink.records)).toEqual(["snapshot light.a 1", "change light.a 2"]);
    expect(kindsOf(sink.records)).not.toContain("registry devices");
    expect(lines.filter((line) => line.includes("does not give"))).toHaveLength(3);
  });

  it("an empty registry is no proof that its rows are gone before Home Assistant runs", async () => {
    const { clock, sink, home } = start({}, (ha) => {
      ha.config = { ...ha.config, state: "STARTING" };
      ha.registries = { areas: [{ area_id: "a" }] };
    });
    await pass(clock, 2_000);
    expect(kindsOf(sink.records).filter((kind) => kind.startsWith("registry"))).toEqual(["registry areas"]);
    home.config = { ...home.config, state: "RUNNING" };
    home.registries = {};
    await pass(clock, 10_000);
    expect(kindsOf(sink.records).filter((kind) => kind.startsWith("registry"))).toHaveLength(6);
  });

  it("gives revisions above those of an earlier run whose clock was ahead", async () => {
    const clock = manualClock(Date.parse("2026-11-22T06:00:00Z"));
    const spool = createMemorySpool({ relayId: "r", clock, sinks: ["cloud"], maxBytes: 100_000_000 });
    const ahead = clock.nowMs() + 3_600_000;
    await spool.append([entryOf({ t: "registry", registry: "areas", revision: ahead, part: 1, parts: 1, rows: [] })]);
    const { sink, clock: ours } = start({ spool });
    await pass(ours, 2_000);
    const revisions = sink.records.flatMap((record) => (record.t === "registry" ? [record.revision] : []));
    expect(revisions).toHaveLength(6);
    expect(Math.min(...revisions.slice(1))).toBeGreaterThan(ahead);
  });

  it("sends only entities of the registry that may travel", async () => {
    const { clock, sink } = start({ exclude: ["camera"] }, (ha) => {
      ha.registries = { entities: [{ entity_id: "camera.a" }, { entity_id: "light.a", device_class: null }] };
    });
    await pass(clock, 2_000);
    const entities = sink.records.find((record) => record.t === "registry" && record.registry === "entities");
    expect(entities).toMatchObject({ rows: [{ entity_id: "light.a", device_class: null }] });
  });

  it("cuts a large registry into parts of one revision, each below 48 KB", async () => {
    const { clock, sink } = start({}, (ha) => {
      ha.registries = {
        devices: Array.from({ length: 1_000 }, (_, index) => ({
          id: `d${index}`,
          name: "Ä".repeat(60),
          identifiers: [],
        })),
      };
    });
    await pass(clock, 2_000);
    const parts = sink.records.flatMap((record) =>
      record.t === "registry" && record.registry === "devices" ? [record] : [],
    );
    expect(parts.length).toBeGreaterThan(2);
    expect(parts.map(({ part }) => part)).toEqual(parts.map((_, index) => index + 1));
    expect(new Set(parts.map(({ parts: all, revision }) => `${all} ${revision}`)).size).toBe(1);
    expect(parts.flatMap(({ rows }) => rows.map(({ id }) => id))).toEqual(
      Array.from({ length: 1_000 }, (_, i) => `d${i}`),
    );
    for (const part of parts) expect(Buffer.byteLength(JSON.stringify(part))).toBeLessThan(48_000);
  });
});

describe("the connection", () => {
  it("comes back after it was lost, with a snapshot of what moved meanwhile", async () => {
    const { clock, sink, home, relay } = start({}, (ha) => {
      ha.states = [haState("light.a", 1), haState("light.b", 1)];
    });
    await pass(clock, 2_000);
    home.drop();
    await settle();
    expect(relay.health()).toMatchObject({ connected: false, last_error: "closed with 1006: gone" });
    home.states = [haState("light.a", 1), haState("light.b", 5)];
    await pass(clock, 5_000);
    expect(relay.health().connected).toBe(true);
    expect(home.connects).toBe(2);
    expect(states(sink.records)).toEqual(["snapshot light.a 1", "snapshot light.b 1", "snapshot light.b 5"]);
    expect(sink.records.flatMap((record) => (record.t === "relay" ? [record.connected] : []))).toEqual([
      true,
      true,
      false,
      true,
      true,
    ]);
  });

  it("is tried again with growing waits, at most ten seconds", async () => {
    const { clock, home } = start({}, (ha) => {
      ha.refusing = new HearthlineError("home_assistant_disconnected", "unreachable");
    });
    await pass(clock, 30_000);
    const early = home.connects;
    expect(early).toBeGreaterThanOrEqual(6);
    expect(early).toBeLessThanOrEqual(12);
    await pass(clock, 600_000);
    expect(home.connects - early).toBeGreaterThanOrEqual(110);
    expect(home.connects - early).toBeLessThanOrEqual(130);
  });

  it("that is cut again and again at once is not tried again and again at once", async () => {
    const { clock, home } = start({}, (ha) => {
      ha.before.getRegistry = () => ha.drop("too slow");
    });
    await pass(clock, 60_000);
    expect(home.connects).toBeLessThan(12);
  });

  it("that is refused is tried every five minutes at most, and the status says why", async () => {
    const refused = new HearthlineError("home_assistant_token_refused", "Home Assistant refuses the token.");
    const { clock, home, relay, lines } = start({}, (ha) => {
      ha.refusing = refused;
    });
    await pass(clock, 299_000);
    expect(home.connects).toBe(1);
    expect(relay.health()).toMatchObject({ connected: false, last_error: "Home Assistant refuses the token." });
    expect(lines.join()).toContain("a person has to act");
    home.refusing = undefined;
    await pass(clock, 60_000);
    expect(relay.health().connected).toBe(true);
  });

  it("that is refused ends a relay that runs alone, in order", async () => {
    const { clock, ended, sink } = start({ endsWhenRefused: true }, (ha) => {
      ha.refusing = new HearthlineError("home_assistant_token_refused", "refused");
    });
    await pass(clock, 5_000);
    await expect(ended).rejects.toMatchObject({ code: "home_assistant_token_refused" });
    expect(kindsOf(sink.records)).toEqual(["relay"]);
  });
});

describe("status", () => {
  it("is sent when it is news and every five minutes, and shown with everything that moves", async () => {
    const { clock, sink, home, relay, spool } = start();
    await pass(clock, 2_000);
    const before = sink.records.length;
    sink.failing = unreachable();
    for (let us = 1; us <= 120; us++) home.fire(change("light.a", us));
    await pass(clock, 60_000);
    const health = relay.health();
    expect(health).toMatchObject({
      connected: true,
      rate: 2,
      admitted: 120,
      rejected: 0,
      losses: 0,
      ha_version: "2026.11.0",
    });
    expect(health.sinks).toEqual([
      expect.objectContaining({ name: "cloud", cursor: before, lag_records: 120, last_error: "nobody answers" }),
    ]);
    expect(health.spool).toMatchObject({ records: 120, oldest_seconds: expect.any(Number) });
    expect(health.spool.oldest_seconds).toBeGreaterThanOrEqual(59);
    expect(health.last_sequence).toBe(spool.state().lastSequence);
    // Records that wait for so long are news each minute.
    await pass(clock, 180_000);
    sink.failing = undefined;
    await pass(clock, 60_000);
    const said = () => kindsOf(sink.records.slice(before)).filter((kind) => kind === "relay").length;
    expect(said()).toBeGreaterThanOrEqual(2);
    const so = said();
    await pass(clock, 600_000);
    expect(said() - so).toBe(2);
  });

  it("metrics are OpenMetrics", async () => {
    const { clock, relay } = start();
    await pass(clock, 2_000);
    const families = parseOpenMetrics(metricsOf(relay.health()));
    expect(families.get("hearthline_relay_connected")?.samples[0]?.value).toBe(1);
    expect(families.get("hearthline_relay_sink_lag_records")?.samples).toHaveLength(1);
  });

  it("a clock that is off by minutes is seen, by events and by others, and told once", async () => {
    const { clock, sink, home, relay, lines } = start({
      references: [
        { name: "aws", nowMs: async () => Date.parse("2026-11-22T05:55:00Z") },
        { name: "silent", nowMs: async () => undefined },
      ],
    });
    await pass(clock, 2_000);
    expect(relay.health().clock_offsets_ms).toEqual({ aws: 299_500 });
    home.fire({ ...change("light.a", 1), time_fired: at(0) });
    await pass(clock, 180_000);
    expect(relay.health().clock_offsets_ms).toEqual({ aws: 299_500, home_assistant_events: 2_000 });
    expect(lines.filter((line) => line.includes("clock is 300 s ahead"))).toHaveLength(1);
    expect(sink.records.findLast((record) => record.t === "relay")).toMatchObject({ clock_offset_ms: 299_500 });
  });
});

describe("stop", () => {
  it("sends what is in memory, says that it has stopped, and closes the spool", async () => {
    const { clock, sink, home, relay, ended, spool } = start({ flushMs: 60_000 });
    await pass(clock, 2_000);
    home.fire(change("light.a", 1));
    await relay.stop();
    await ended;
    expect(states(sink.records)).toEqual(["change light.a 1"]);
    expect(sink.records.at(-1)).toMatchObject({ t: "relay", connected: false });
    await expect(spool.append([])).rejects.toMatchObject({ code: "spool_failed" });
  });

  it("does not wait for a reference clock that hangs", async () => {
    const { clock, relay, ended } = start({ references: [{ name: "aws", nowMs: () => new Promise(() => {}) }] });
    await pass(clock, 2_000);
    await relay.stop();
    await ended;
    expect(relay.health()).toMatchObject({ connected: false });
  });

  it("takes no more than 4.5 s when everything hangs", async () => {
    const { clock, sink, home, relay } = start();
    sink.gate = () => new Promise(() => {});
    await pass(clock, 2_000);
    home.fire(change("light.a", 1));
    let isStopped = false;
    void relay.stop().then(() => {
      isStopped = true;
    });
    await pass(clock, 4_500);
    expect(isStopped).toBe(true);
  });
});
