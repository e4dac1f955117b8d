import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HearthlineError } from "../../../lib/base/errors.ts";
import { readConfig } from "../../../lib/wiring/config.ts";
import type { ApiClient } from "../../../local/cli/api-client.ts";
import { examine } from "../../../local/cli/doctor.ts";
import { CANARY } from "../../../local/cli/doctor-journey.ts";
import { spoolFolder } from "../../../local/cli/doctor-relay.ts";
import type { DoctorOptions, Finding } from "../../../local/cli/finding.ts";
import { CommandFailure } from "../../../local/cli/outcome.ts";
import { manualClock } from "../../support/manual-clock.ts";

const NOW = Date.parse("2026-11-22T05:47:00Z");
const TOKEN = "a-long-lived-access-token-of-a-home";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-doctor-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface World {
  health?: unknown;
  post?: { status: number; body: unknown };
  date?: string;
  events?: unknown[];
  entities?: unknown[];
}

/** An API that answers what the world says; everything works unless said otherwise. */
const apiOf = (world: World): ApiClient => {
  const ask = async (method: string, path: string) => {
    if (path === "/health")
      return {
        status: 200,
        body: world.health ?? { status: "ok", parts: [] },
        tookMs: 1,
        date: world.date ?? new Date(NOW).toUTCString(),
      };
    if (method === "POST")
      return { ...(world.post ?? { status: 202, body: { accepted: 1, rejected: [] } }), tookMs: 1, date: null };
    if (path === "/api/v1/events")
      return { status: 200, body: { events: world.events ?? [{ state: "the-id" }] }, tookMs: 1, date: null };
    return {
      status: 200,
      body: { entities: world.entities ?? [{ entity_id: CANARY, state: "the-id" }] },
      tookMs: 1,
      date: null,
    };
  };
  return {
    ask: ask as ApiClient["ask"],
    get: async (path) => (await ask("GET", path)).body as never,
    post: async (path) => (await ask("POST", path)).body as never,
  };
};

async function findings(
  world: World,
  options: Partial<DoctorOptions> & { env?: Record<string, string> } = {},
): Promise<Finding[]> {
  const clock = manualClock(NOW);
  const impatient = { ...clock, sleep: (ms: number) => clock.advance(ms) };
  const found: Finding[] = [];
  const context = {
    dataFolder: folder,
    run: undefined,
    url: "http://127.0.0.1:8787",
    token: "t",
    env: options.env ?? {},
  };
  const askHome = async () => ({
    version: "2026.11.0",
    state: "RUNNING",
    timeZone: "Europe/Amsterdam",
    entities: 3,
    areas: 2,
    devices: 1,
  });
  for await (const finding of examine({
    context,
    api: apiOf(world),
    clock: impatient,
    askHome,
    askBroker: async () => {},
    askOldPipeline: async () => 204,
    newId: () => "the-id",
    ...options,
  }))
    found.push(finding);
  return found;
}

const results = (found: Finding[]) => Object.fromEntries(found.map(({ check, result }) => [check, result]));

describe("doctor", () => {
  it("finds everything well when everything works, and follows the test event through every hop", async () => {
    const found = await findings({
      health: { status: "ok", parts: [{ name: "store", kind: "store", state: "ok", since: "s", detail: "answers" }] },
    });
    expect(results(found)).toEqual({
      settings: "ok",
      "data folder": "ok",
      "spool folder": "ok",
      "Home Assistant": "ok",
      address: "ok",
      clock: "ok",
      token: "ok",
      store: "ok",
      "test event: queued": "ok",
      "test event: enriched and stored": "ok",
      "test event: indexed": "ok",
    });
  });

  it("says at which hop the test event stays", async () => {
    expect(results(await findings({ post: { status: 503, body: { detail: "queue away" } } }))).toMatchObject({
      "test event: queued": "failed",
    });
    const unstored = await findings({ events: [{ state: "another" }] });
    expect(results(unstored)).toMatchObject({
      "test event: queued": "ok",
      "test event: enriched and stored": "failed",
    });
    expect(unstored.at(-1)?.check).toBe("test event: enriched and stored");
    expect(results(await findings({ entities: [] }))).toMatchObject({
      "test event: enriched and stored": "ok",
      "test event: indexed": "failed",
    });
  });

  it("names every wrong setting", async () => {
    const [first] = await findings({}, { env: { HEARTHLINE_RAW_DAYS: "never", HEARTHLINE_STORE: "floppy" } });
    expect(first).toMatchObject({
      check: "settings",
      result: "failed",
      detail: expect.stringMatching(/RAW_DAYS[\s\S]*STORE|STORE[\s\S]*RAW_DAYS/),
    });
  });

  it("finds a data folder that cannot be written", async () => {
    // For root every folder can be written, but nothing can be made inside a file.
    const file = join(folder, "file");
    writeFileSync(file, "");
    chmodSync(file, 0o400);
    const context = { dataFolder: join(file, "inside"), run: undefined, url: "", token: "t", env: {} };
    const found = await findings({}, { context });
    expect(found.find(({ check }) => check === "data folder")).toMatchObject({ result: "failed" });
  });

  it("finds a clock that is off by minutes", async () => {
    const found = await findings({ date: new Date(NOW + 300_000).toUTCString() });
    expect(found.find(({ check }) => check === "clock")).toMatchObject({
      result: "failed",
      detail: expect.stringContaining("300 s behind"),
    });
  });

  it("stops at an address that does not answer, and at one that is something else", async () => {
    const api = apiOf({});
    const dead = { ...api, ask: async () => Promise.reject(new CommandFailure(3, "nobody there")) };
    expect((await findings({}, { api: dead })).at(-1)).toMatchObject({ check: "address", result: "failed" });
    expect((await findings({ health: "<html>" })).at(-1)).toMatchObject({
      check: "address",
      result: "failed",
      detail: expect.stringContaining("not as Hearthline does"),
    });
  });

  it("says that a token is not accepted", async () => {
    expect((await findings({ health: { status: "ok" } })).at(-1)).toMatchObject({ check: "token", result: "failed" });
  });

  it("passes on what parts say of themselves", async () => {
    const parts = [
      { name: "queue events", kind: "queue", state: "degraded", since: "s", detail: "3 dead letters" },
      { name: "table", kind: "table", state: "down", since: "s", detail: "no answer" },
    ];
    expect(results(await findings({ health: { status: "down", parts } }))).toMatchObject({
      "queue events": "warning",
      table: "failed",
    });
  });

  it.each([
    ["home_assistant_token_refused", "HEARTHLINE_HA_TOKEN"],
    ["home_assistant_tls_failed", "http://"],
    ["home_assistant_not_home_assistant", "something else"],
    ["home_assistant_disconnected", "running"],
  ] as const)("gives advice for %s", async (code, advice) => {
    const env = { HEARTHLINE_HA_URL: "http://home.test:8123", HEARTHLINE_HA_TOKEN: TOKEN };
    const found = await findings({}, { env, askHome: async () => Promise.reject(new HearthlineError(code, "no")) });
    const finding = found.find(({ check }) => check === "Home Assistant");
    expect(finding).toMatchObject({ result: "failed", advice: expect.stringContaining(advice) });
    expect(JSON.stringify(found)).not.toContain(TOKEN);
  });

  it("warns of a Home Assistant that is still starting, and of half a connection", async () => {
    const env = { HEARTHLINE_HA_URL: "http://home.test:8123", HEARTHLINE_HA_TOKEN: TOKEN };
    const askHome = async () => ({
      version: "2026.11.0",
      state: "STARTING",
      timeZone: "UTC",
      entities: 0,
      areas: 0,
      devices: 0,
    });
    expect(results(await findings({}, { env, askHome }))).toMatchObject({ "Home Assistant": "warning" });
    expect(results(await findings({}, { env: { HEARTHLINE_HA_URL: "http://home.test:8123" } }))).toMatchObject({
      "Home Assistant": "failed",
    });
  });
});

describe("doctor, of what the relay has beside", () => {
  const PASSWORD = "s3cret-of-the-broker";
  const BROKER = { HEARTHLINE_MQTT_URL: `mqtt://user:${PASSWORD}@broker.test:1883` };
  const OUTBOX = { ...BROKER, HEARTHLINE_URL: "http://api.test", HEARTHLINE_TOKEN: TOKEN };
  const of = (found: Finding[], check: string) => found.find((finding) => finding.check === check);

  it("looks at nothing that the settings do not want", async () => {
    const found = await findings({}, { env: { HEARTHLINE_URL: "http://api.test" } });
    for (const check of ["MQTT broker", "old pipeline", "outbox"]) expect(of(found, check)).toBeUndefined();
  });

  it("a spool without room, and a disk that is full before the spool is", async () => {
    const config = readConfig({ HEARTHLINE_SPOOL_MAX_MB: "100", HEARTHLINE_SPOOL_MIN_FREE_MB: "50" });
    const at = (mib: number) => spoolFolder(config, folder, () => mib * 1_048_576);
    expect([at(200), at(150), at(149), at(50), at(49)].map(({ result }) => result)).toEqual([
      "ok",
      "ok",
      "warning",
      "warning",
      "failed",
    ]);
    expect(at(149).detail).toContain("HEARTHLINE_SPOOL_MAX_MB");
    expect(at(49).detail).toContain("HEARTHLINE_SPOOL_MIN_FREE_MB");
    const context = { dataFolder: join(folder, "file", "x"), run: undefined, url: "", token: "t", env: {} };
    writeFileSync(join(folder, "file"), "");
    const none = await findings({}, { context });
    expect(of(none, "spool folder")).toMatchObject({
      result: "failed",
      advice: expect.stringContaining("HEARTHLINE_DATA"),
    });
  });

  it.each([
    ["mqtt_refused", "user and password"],
    ["mqtt_tls_failed", "mqtt://"],
    ["mqtt_unreachable", "Is the broker running"],
  ] as const)("a broker that fails with %s", async (code, advice) => {
    const askBroker = async () => Promise.reject(new HearthlineError(code, "no"));
    const found = await findings({}, { env: BROKER, askBroker });
    expect(of(found, "MQTT broker")).toMatchObject({ result: "failed", advice: expect.stringContaining(advice) });
    expect(JSON.stringify(found)).not.toContain(PASSWORD);
  });

  it("a broker without an outbox", async () => {
    const found = await findings({}, { env: BROKER });
    expect(of(found, "MQTT broker")).toMatchObject({ result: "ok", detail: expect.stringContaining("broker.test") });
    expect(of(found, "outbox")).toMatchObject({
      result: "failed",
      detail: expect.stringContaining("HEARTHLINE_URL and HEARTHLINE_TOKEN"),
      advice: expect.stringContaining("tokens create"),
    });
  });

  it.each([
    [200, 404, "ok"],
    [200, 403, "failed"],
    [401, 401, "failed"],
  ] as const)("an outbox that answers %i and %i", async (read, write, result) => {
    const works = apiOf({});
    const ask = async (method: string, path: string) => {
      if (!path.startsWith("/api/v1/outbox")) return works.ask(method, path);
      return { status: method === "GET" ? read : write, body: {}, tookMs: 1, date: null };
    };
    const found = await findings({}, { env: OUTBOX, api: { ...works, ask: ask as ApiClient["ask"] } });
    expect(of(found, "outbox")).toMatchObject({ result });
  });

  const OLD = { HEARTHLINE_OLD_SINK: "influxdb", HEARTHLINE_OLD_URL: "http://influx.test:8086" };
  it.each([
    [204, "ok", ""],
    [400, "ok", ""],
    [401, "failed", "HEARTHLINE_OLD_PASSWORD"],
    [404, "failed", 'database "home_assistant"'],
    [302, "failed", "POST"],
    [503, "failed", "log"],
  ] as const)("an old pipeline that answers %i", async (status, result, advice) => {
    const finding = of(await findings({}, { env: OLD, askOldPipeline: async () => status }), "old pipeline");
    expect(finding).toMatchObject({ result });
    expect(finding?.advice ?? "").toContain(advice);
  });

  it("an old pipeline without an address, and one that is not there", async () => {
    expect(of(await findings({}, { env: { HEARTHLINE_OLD_SINK: "http" } }), "old pipeline")).toMatchObject({
      result: "failed",
      detail: expect.stringContaining("HEARTHLINE_OLD_URL"),
    });
    const askOldPipeline = async () => Promise.reject(new HearthlineError("service_unreachable", "ECONNREFUSED"));
    expect(of(await findings({}, { env: OLD, askOldPipeline }), "old pipeline")).toMatchObject({ result: "failed" });
  });
});
