import { describe, expect, it } from "vitest";
import type { QueueDepth } from "../../lib/api/ports.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { createTestApi, emptyQueues, type TestApiOptions } from "../support/api.ts";
import { furnish } from "../support/api-requests.ts";
import { manualClock } from "../support/manual-clock.ts";

interface PartBody {
  readonly name: string;
  readonly kind: string;
  readonly state: string;
  readonly since: string;
  readonly detail: string;
  readonly ledger?: Record<string, unknown>;
  readonly queue?: Record<string, unknown>;
  readonly relays?: readonly object[];
}
interface HealthBody {
  readonly status: string;
  readonly parts: readonly PartBody[];
}

async function setUp(options: Partial<TestApiOptions> = {}) {
  const clock = manualClock();
  const api = await createTestApi({ clock, ...options });
  await furnish(api);
  /** Later than the shared answer of the look before. */
  const look = async () => {
    await clock.advance(600);
    const response = await api.ask("/health");
    const body = (await response.json()) as HealthBody;
    const part = (name: string) => body.parts.find((one) => one.name === name);
    return { status: response.status, body, part };
  };
  return { clock, look, ...api };
}
const depth = (given: Partial<QueueDepth>) => async () =>
  emptyQueues().map((one) => (one.name === "events" ? { ...one, ...given } : one));

describe("GET /health", () => {
  it("is ok while everything answers, and names every part since when", async () => {
    const { look } = await setUp();
    const { status, body } = await look();
    expect(status).toBe(200);
    expect(body.status).toBe("ok");
    expect(body.parts.map(({ name, state }) => `${name} ${state}`)).toEqual([
      "store ok",
      "table ok",
      "queue:events ok",
      "queue:store ok",
      "queue:index ok",
      "queue:analysis ok",
      "relay:relay-1 ok",
      "ledger:relay-1 ok",
    ]);
    expect(body.parts.find(({ kind }) => kind === "ledger")).toMatchObject({
      detail: "Nothing lost up to 120.",
      ledger: { complete_up_to: 120, gaps: [], missing: 0, lost_records: 0, records: 120 },
    });
  });

  it("tells only the status to who has no token, or a wrong one", async () => {
    const { ask } = await setUp();
    for (const token of [null, "hl_home_wrong"]) {
      expect(await (await ask("/health", { token })).json()).toEqual({ status: "ok" });
      expect(await (await ask("/api/v1/health", { token })).json()).toEqual({ status: "ok" });
    }
  });

  it("remembers since when a part is in its state", async () => {
    let dead = 0;
    const { look, clock } = await setUp({ depths: () => depth({ dead })() });
    const first = await look();
    await clock.advance(60_000);
    expect((await look()).part("queue:events")?.since).toBe(first.part("queue:events")?.since);
    dead = 2;
    const changed = await look();
    expect(changed.body.status).toBe("degraded");
    expect(changed.part("queue:events")).toMatchObject({
      state: "degraded",
      since: new Date(clock.nowMs()).toISOString(),
    });
    expect(changed.part("queue:store")?.since).toBe(first.part("queue:store")?.since);
  });

  it("is degraded by dead letters, and says with which command they are looked at", async () => {
    const { look } = await setUp({ depths: depth({ dead: 1 }) });
    const { status, body, part } = await look();
    expect([status, body.status, part("queue:events")?.state]).toEqual([200, "degraded", "degraded"]);
    expect(part("queue:events")?.detail).toBe('1 set aside: see "hearthline queues peek events-dead".');
  });

  it("is not degraded by messages on their way", async () => {
    const { look } = await setUp({ depths: depth({ visible: 5_000, inFlight: 10 }) });
    const { body, part } = await look();
    expect(body.status).toBe("ok");
    expect(part("queue:events")).toMatchObject({ queue: { waiting: 5_000, in_flight: 10, dead: 0 } });
  });

  it("is degraded while the relay is not connected, silent, or was never there", async () => {
    const { look, index, clock } = await setUp();
    const relay = {
      ...(await index.relayStatuses("home"))[0],
      relayId: "relay-1",
      at: "2026-11-22T06:00:00.000Z",
      connected: false,
      since: "2026-11-22T05:59:00.000Z",
      spoolBytes: 0,
      spoolRecords: 0,
      oldestSeconds: 0,
      rejected: 0,
    };
    await index.applyRelayStatus("home", relay);
    expect((await look()).part("relay:relay-1")).toMatchObject({
      state: "degraded",
      detail: "Not connected to Home Assistant since 2026-11-22T05:59:00.000Z.",
    });
    const lastError = "Home Assistant refused the token. Make another.";
    await index.applyRelayStatus("home", { ...relay, at: "2026-11-22T06:00:00.500Z", lastError });
    await clock.advance(1_000);
    expect((await look()).part("relay:relay-1")?.detail).toBe(
      "Not connected to Home Assistant since 2026-11-22T05:59:00.000Z: Home Assistant refused the token. Make another.",
    );
    await index.applyRelayStatus("home", { ...relay, at: "2026-11-22T06:00:01.000Z", connected: true });
    expect((await look()).body.status).toBe("ok");
    // With nothing new to say it speaks every five minutes.
    await clock.advance(355_000);
    expect((await look()).part("relay:relay-1")?.state).toBe("ok");
    await clock.advance(10_000);
    expect((await look()).part("relay:relay-1")).toMatchObject({
      state: "degraded",
      detail: "Has said nothing for 6 min.",
    });
    index.forget("home");
    expect((await look()).part("relay")).toMatchObject({ state: "degraded" });
  });

  it("does not call a relay silent that said it collects for longer", async () => {
    const { look, index, clock } = await setUp();
    const [relay] = await index.relayStatuses("home");
    if (!relay) throw new Error("none");
    await index.applyRelayStatus("home", { ...relay, at: new Date(clock.nowMs()).toISOString(), flushSeconds: 600 });
    await clock.advance(1_200_000 + 300_000);
    expect((await look()).part(`relay:${relay.relayId}`)?.state).toBe("ok");
    await clock.advance(61_000);
    expect((await look()).part(`relay:${relay.relayId}`)?.state).toBe("degraded");
  });

  it.each([
    ["ahead", 7_200_000],
    ["behind", -7_200_000],
  ] as const)("hears a relay by when its records came, not by its own clock, which is %s", async (_way, offMs) => {
    const { look, index, ledger, clock } = await setUp();
    const [relay] = await index.relayStatuses("home");
    if (!relay) throw new Error("none");
    await clock.advance(60_000);
    index.forget("home");
    await index.applyRelayStatus("home", { ...relay, at: new Date(clock.nowMs() + offMs).toISOString() });
    await ledger.record("home", relay.relayId, [{ range: [121, 122] }]);
    expect((await look()).part(`relay:${relay.relayId}`)?.state).toBe("ok");
    await clock.advance(600_000);
    expect((await look()).part(`relay:${relay.relayId}`)).toMatchObject({
      state: "degraded",
      detail: "Has said nothing for 10 min.",
    });
  });

  it("does not miss a relay whose place another one took", async () => {
    const { look, index, clock } = await setUp();
    const [old] = await index.relayStatuses("home");
    await clock.advance(3_600_000);
    if (old)
      await index.applyRelayStatus("home", { ...old, relayId: "relay-2", at: new Date(clock.nowMs()).toISOString() });
    const { body, part } = await look();
    expect(body.status).toBe("ok");
    expect(part("relay:relay-1")?.detail).toBe("Another relay has taken its place.");
  });

  it("bears a gap for five minutes, also when others come and go, and then is degraded", async () => {
    const { look, ledger, index, clock } = await setUp();
    const [relay] = await index.relayStatuses("home");
    const speak = async () =>
      relay && index.applyRelayStatus("home", { ...relay, at: new Date(clock.nowMs()).toISOString() });
    const later = async (ms: number) => {
      await clock.advance(ms);
      await speak();
      return (await look()).part("ledger:relay-1");
    };
    await ledger.record("home", "relay-1", [{ range: [131, 140] }]);
    expect(await later(0)).toMatchObject({
      state: "ok",
      detail: "Nothing lost up to 120. 10 after that are still on their way.",
      ledger: { gaps: [{ first: 121, last: 130 }], missing: 10, last_sequence: 140 },
    });
    // Half of it comes; what is missing now has been missing for less than five minutes.
    expect(await later(200_000)).toMatchObject({ state: "ok" });
    await ledger.record("home", "relay-1", [{ range: [121, 125] }]);
    expect(await later(200_000)).toMatchObject({ state: "ok" });
    expect(await later(301_000)).toMatchObject({
      state: "degraded",
      detail: "Nothing lost up to 125. 5 after that have been missing for 5 min.",
    });
    await ledger.record("home", "relay-1", [{ range: [126, 130] }]);
    expect(await later(1_000)).toMatchObject({ state: "ok", detail: "Nothing lost up to 140." });
  });

  it("counts a ledger that does not begin at 1 as a gap, and says what was given up", async () => {
    const { look, ledger } = await setUp();
    await ledger.record("home", "relay-2", [
      { range: [5, 9], lost: [{ first: 2, last: 3, count: 2, reason: "the spool was full" }] },
    ]);
    expect((await look()).part("ledger:relay-2")).toMatchObject({
      ledger: {
        complete_up_to: 0,
        lost_records: 2,
        lost: [{ first: 2, last: 3, count: 2, reason: "the spool was full" }],
        gaps: [
          { first: 1, last: 1 },
          { first: 4, last: 4 },
        ],
      },
    });
  });

  it("says what was interrupted, and no more than it knows", async () => {
    const { look, ledger } = await setUp();
    const times = { from: "2026-11-22T05:00:00Z", to: "2026-11-22T05:10:00Z" };
    const gap = {
      n: 121,
      ...times,
      cause: "disconnected",
      entities: 5,
      recovered: 430,
      statistics: 0,
      complete: true,
    } as const;
    await ledger.record("home", "relay-1", [{ range: [121, 130], gaps: [{ ...gap, missing: [] }] }]);
    expect((await look()).part("ledger:relay-1")).toMatchObject({
      state: "ok",
      detail: "Nothing lost up to 130. 1 interruption, 430 events recovered.",
      ledger: { interruptions: { count: 1, recovered: 430, incomplete: 0, last: { sequence: 121, missing: [] } } },
    });
    const missing = [{ reason: "not_recorded", entities: 3, examples: ["light.a"] }] as const;
    const sinkLoss = { n: 132, sink: "old", first: 1, last: 9, count: 9, reason: "full" };
    await ledger.record("home", "relay-1", [
      {
        range: [131, 140],
        gaps: [{ ...gap, n: 131, recovered: 1, complete: false, missing }],
        otherSinksLost: [sinkLoss],
      },
    ]);
    const { body, part } = await look();
    expect([body.status, part("ledger:relay-1")?.detail]).toEqual([
      "ok",
      "Nothing that the relay heard is lost up to 140. 2 interruptions, 431 events recovered. Of the last, not recovered: 3 entities not in the recorder. " +
        'The sink "old" could not be given 9 events, which the cloud has.',
    ]);
  });

  it("counts as lost also what never had a number", async () => {
    const { look, ledger } = await setUp();
    const unnumberedLost = [{ n: 121, first: 121, last: 121, count: 40, reason: "the disk is full" }];
    await ledger.record("home", "relay-1", [{ range: [121, 121], unnumberedLost }]);
    expect((await look()).part("ledger:relay-1")).toMatchObject({
      detail: "Accounted for up to 121; the relay gave up 40 of them.",
      ledger: { lost_records: 40, lost: [{ first: 121, last: 121, count: 40, reason: "the disk is full" }] },
    });
  });

  it("warns of two relays that send at once, and not of one that took another's place", async () => {
    const { look, ledger, index, clock } = await setUp();
    const [relay] = await index.relayStatuses("home");
    const last = new Map([["relay-1", 120]]);
    /** Minutes in which these relays speak. */
    const minutes = async (count: number, ...relayIds: string[]) => {
      for (let minute = 0; minute < count; minute++) {
        await clock.advance(60_000);
        const at = new Date(clock.nowMs()).toISOString();
        for (const relayId of relayIds) {
          const n = (last.get(relayId) ?? 0) + 1;
          last.set(relayId, n);
          await ledger.record("home", relayId, [{ range: [n, n], sentAt: at }]);
          if (relay) await index.applyRelayStatus("home", { ...relay, relayId, at });
        }
      }
      return (await look()).part("two_relays");
    };
    expect(await minutes(10, "relay-1")).toBeUndefined();
    expect(await minutes(10, "relay-2")).toBeUndefined();
    expect(await minutes(5, "import-1", "relay-2")).toBeUndefined();
    expect(await minutes(5, "relay-1", "relay-2")).toMatchObject({
      kind: "relay",
      state: "degraded",
      detail: expect.stringMatching(
        /^Two relays send for this home at once: "relay-1" \(last heard 2026-11-22T06:30:\S+Z\) and "relay-2" \(last/,
      ),
      relays: [{ relay_id: "relay-1" }, { relay_id: "relay-2" }],
    });
    expect((await look()).body.status).toBe("degraded");
    // The first is stopped.
    expect(await minutes(14, "relay-2")).toBeDefined();
    expect(await minutes(3, "relay-2")).toBeUndefined();
    // What it had sent and what was held up comes later: it says when it was sent.
    const old = { range: [500, 500] as const, sentAt: "2026-11-22T06:31:00.000Z" };
    await ledger.record("home", "relay-1", [old]);
    expect(await minutes(1, "relay-2")).toBeUndefined();
  });

  it("shows imports as such: no gap of theirs is news, and after a day neither are they", async () => {
    const { look, ledger, clock } = await setUp();
    for (const name of ["import-a", "import-b", "import-c", "import-d"]) {
      await clock.advance(1_000);
      await ledger.record("home", name, [{ range: [11, 1_010] }]);
    }
    await clock.advance(60_000);
    const first = await look();
    expect(first.part("import:import-d")).toMatchObject({
      kind: "import",
      state: "ok",
      detail: "Brought 1000 records, and is not through yet.",
      ledger: { kind: "import", missing: 10 },
    });
    const shown = first.body.parts.filter(({ kind }) => kind === "import").map(({ name }) => name);
    expect(shown).toEqual(["import:import-d", "import:import-c", "import:import-b"]);
    expect(first.body.parts.some(({ name }) => name.startsWith("ledger:import"))).toBe(false);
    expect(first.body.status).toBe("ok");
    await clock.advance(86_400_000);
    expect((await look()).body.parts.some(({ kind }) => kind === "import")).toBe(false);
  });

  it.each([
    [
      "the store",
      { healthParts: { events: { check: () => Promise.reject(new HearthlineError("service_failed", "disk")) } } },
      "store",
    ],
    [
      "the table",
      { healthParts: { homes: { get: () => Promise.reject(new HearthlineError("service_failed", "table")) } } },
      "table",
    ],
    ["the queues", { depths: () => Promise.reject(new HearthlineError("service_unreachable", "queues")) }, "queues"],
  ])("is down, 503, when %s does not answer; the others are still named", async (_what, options, name) => {
    const { look, ask } = await setUp(options);
    const { status, body, part } = await look();
    expect([status, body.status, part(name)?.state]).toEqual([503, "down", "down"]);
    expect(body.parts.filter(({ state }) => state === "ok").length).toBeGreaterThanOrEqual(4);
    const ready = await ask("/ready");
    expect([ready.status, ready.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await ready.json()).toMatchObject({ code: "not_ready" });
  });

  it("does not wait for ever", async () => {
    const { ask, clock } = await setUp({ healthParts: { events: { check: () => new Promise(() => {}) } } });
    const answer = ask("/health");
    await clock.advance(2_000);
    expect(((await (await answer).json()) as HealthBody).parts[0]).toMatchObject({ name: "store", state: "down" });
  });

  it("holds while the memory of states is away", async () => {
    const { look } = await setUp({ healthParts: { memory: { note: () => Promise.reject(new Error("away")) } } });
    const first = await look();
    expect((await look()).part("store")?.since).toBe(first.part("store")?.since);
  });

  it("is ready while the parts answer, also when degraded", async () => {
    const { ask } = await setUp({ depths: depth({ dead: 1 }) });
    for (const path of ["/ready", "/api/v1/ready"]) {
      const response = await ask(path, { token: null });
      expect([response.status, await response.json()]).toEqual([200, { status: "ready" }]);
    }
  });
});

describe("GET /metrics", () => {
  it("is OpenMetrics, with details only for a token", async () => {
    const { ask } = await setUp({ depths: depth({ visible: 3, dead: 1 }) });
    const response = await ask("/metrics");
    expect(response.headers.get("content-type")).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    const text = await response.text();
    expect(text.endsWith("\n# EOF\n")).toBe(true);
    expect(text).toContain('hearthline_queue_messages{queue="events",state="dead"} 1\n');
    expect(text).toContain('hearthline_ledger_complete_up_to{relay="relay-1"} 120\n');
    expect(text).toContain('hearthline_ledger_records_total{relay="relay-1"} 120\n');
    expect(text).toContain('hearthline_status{hearthline_status="degraded"} 1\n');
    expect(text).toContain('hearthline_build_info{version="0.0.0-test"} 1\n');
    // Every sample belongs to the family before it, every family is named once.
    const families = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
    expect(new Set(families).size).toBe(families.length);
    let family = "";
    for (const line of text.trimEnd().split("\n")) {
      const type = /^# TYPE (\S+) \S+$/.exec(line);
      if (type) family = type[1] ?? "";
      else if (!line.startsWith("#"))
        expect(line).toMatch(new RegExp(`^${family}(_total|_info)?(\\{[^{}]*\\})? [0-9.e+-]+$`));
    }
    const open = await (await ask("/metrics", { token: null })).text();
    expect(open).toContain("hearthline_status");
    expect(open).not.toContain("queue");
    expect(open.endsWith("# EOF\n")).toBe(true);
  });

  it("escapes labels", async () => {
    const { ask, ledger } = await setUp();
    await ledger.record("home", 'a"b\\c\nd', [{ range: [1, 1] }]);
    expect(await (await ask("/metrics")).text()).toContain(
      'hearthline_ledger_records_total{relay="a\\"b\\\\c\\nd"} 1\n',
    );
  });
});
