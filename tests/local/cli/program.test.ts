import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ProgramOptions, runCommand } from "../../../local/cli/program.ts";
import { manualClock } from "../../support/manual-clock.ts";

type Answer = { status?: number; body: unknown };

let server: Server;
let url: string;
let folder: string;
let answers: (request: IncomingMessage, target: URL) => Answer;
const asked: { target: string; authorization: string | undefined }[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-cli-"));
  asked.length = 0;
  server = createServer((request, response) => {
    const target = new URL(request.url ?? "/", "http://here");
    asked.push({ target: target.pathname + target.search, authorization: request.headers.authorization });
    const { status = 200, body } = answers(request, target);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true, force: true });
});

async function run(args: string[], options: Partial<ProgramOptions> = {}) {
  const said = { out: [] as string[], err: [] as string[] };
  const code = await runCommand(args, {
    env: { HEARTHLINE_URL: url, HEARTHLINE_TOKEN: "hl_home_secret", HEARTHLINE_DATA: folder },
    streams: { out: (text) => void said.out.push(text), err: (text) => void said.err.push(text) },
    signal: new AbortController().signal,
    version: "0.1.0",
    run: async () => 0,
    ...options,
  });
  return { code, out: said.out.join(""), err: said.err.join("") };
}

const event = (n: number) => ({
  entity_id: `sensor.s${n}`,
  state: String(n),
  unit: "W",
  kind: "change",
  area_id: "kitchen",
  last_updated: `2026-11-22T05:47:0${n}.000000+00:00`,
  local_time: `2026-11-22T06:47:0${n}.000000+01:00`,
});

describe("hearthline", () => {
  it("lists events through all pages, with the token, as a table or as JSON", async () => {
    answers = (_request, target) =>
      target.searchParams.get("cursor") === "more"
        ? { body: { events: [event(2)], next: null } }
        : { body: { events: [event(1)], next: "more" } };
    const shown = await run(["events", "list", "--entity", "sensor.s1,sensor.s2", "--limit", "5"]);
    expect(shown).toMatchObject({ code: 0, err: "" });
    expect(shown.out).toContain("2026-11-22T06:47:01.000000+01:00  sensor.s1  1 (W)  change  kitchen");
    expect(shown.out).toContain("sensor.s2");
    expect(asked[0]).toEqual({
      target: "/api/v1/events?entity_id=sensor.s1%2Csensor.s2&order=desc&limit=5",
      authorization: "Bearer hl_home_secret",
    });
    expect(asked[1]?.target).toContain("limit=4");
    for (const args of [
      ["--json", "events", "list"],
      ["events", "list", "--json"],
    ]) {
      expect(JSON.parse((await run(args)).out)).toEqual({ events: [event(1), event(2)] });
    }
  });

  it("prints what a home's people wrote without letting it steer the terminal", async () => {
    answers = () => ({ body: { events: [{ ...event(1), state: "\u001b[2Jgone\u0007" }], next: null } });
    const { out } = await run(["events", "list"]);
    expect(out).toContain("\ufffd[2Jgone\ufffd");
    expect(out).not.toContain("\u001b");
  });

  it("tails: prints each event once, follows on from the last one", async () => {
    const clock = manualClock(Date.parse("2026-11-22T05:47:00Z"));
    const stop = new AbortController();
    const rounds = [[event(1)], [event(1), event(2)], [event(2)]];
    answers = () => {
      const events = rounds.shift() ?? [];
      if (rounds.length === 0) stop.abort();
      return { body: { events, next: null } };
    };
    const tail = run(["events", "tail"], { clock, signal: stop.signal });
    while (!stop.signal.aborted) {
      await new Promise((done) => setImmediate(done));
      await clock.advance(1_000);
    }
    const { out } = await tail;
    expect(out.match(/sensor\.s\d/g)).toEqual(["sensor.s1", "sensor.s2"]);
    expect(asked[0]?.target).toContain("from=2026-11-22T05%3A47%3A00.000Z");
    expect(asked[1]?.target).toContain("from=2026-11-22T05%3A47%3A01.000000%2B00%3A00");
  });

  it("tails page by page: what has come is shown before the next page is asked for", async () => {
    const stop = new AbortController();
    const shown: string[] = [];
    const before: string[] = [];
    answers = (_request, target) => {
      before.push(shown.join(""));
      if (target.searchParams.has("cursor")) stop.abort();
      return { body: { events: [event(before.length)], next: "more" } };
    };
    const streams = { out: (text: string) => void shown.push(text), err: () => {} };
    expect((await run(["events", "tail"], { signal: stop.signal, streams })).code).toBe(0);
    expect(before).toEqual(["", expect.stringContaining("sensor.s1")]);
  });

  it("puts what takes most room first in events stats, through all pages, and all together last", async () => {
    const row = { count: 1, first: "a", last: "b", longest_gap_seconds: 0 };
    answers = (_request, target) =>
      target.searchParams.has("cursor")
        ? { body: { entities: [{ entity_id: "sensor.large", bytes: 1_000, ...row }], next: null } }
        : {
            body: {
              entities: [
                { entity_id: "sensor.small", bytes: 10, ...row },
                { entity_id: "sensor.mid", bytes: 500, ...row },
              ],
              next: "more",
            },
          };
    const { out } = await run(["events", "stats"]);
    expect(out.match(/sensor\.\w+|TOTAL.*/g)).toEqual([
      ...["sensor.large", "sensor.mid", "sensor.small"],
      expect.stringMatching(/^TOTAL of 3 +3 +1510 +100\.0 %$/),
    ]);
    expect(out).toContain("66.2 %");
    const limited = await run(["events", "stats", "--limit", "1"]);
    expect(limited.out).toMatch(/TOTAL of 3 \(2 not shown\) +3 +1510/);
    expect(limited.out).not.toContain("sensor.mid");
    expect(JSON.parse((await run(["events", "stats", "--limit", "1", "--json"])).out)).toEqual({
      entities: [{ entity_id: "sensor.large", bytes: 1_000, ...row }],
      total: { entities: 3, count: 3, bytes: 1_510 },
    });
    answers = () => ({ body: { entities: [], next: null } });
    expect((await run(["events", "stats"])).out).toBe("no events\n");
  });

  const conflict = {
    id: "0f",
    subject_id: "d1",
    field: "name",
    new_source: "home-assistant",
    old_source: "zigbee2mqtt",
    new: "Lamp",
    old: "light\u001b",
    status: "open",
    strategy: "ask",
    reason: "asked",
    cost: { operations: 2, microseconds: 17 },
  };

  it("shows devices, and one device with its entities, its conflicts and what happened to it", async () => {
    const device = {
      device_id: "d1",
      name: "Lamp",
      area_id: "kitchen",
      entity_count: 1,
      conflict_count: 2,
      open_conflict_count: 1,
      utilisation: {
        ...{ features: 4, used: 3, watched_since: "2026-09-01" },
        unused: [{ feature: "effect", label: "Effect", entity_id: "light.lamp", not_used_since: "2026-10-01" }],
      },
    };
    const at = "2026-11-22T05:47:09.185382+00:00";
    const changes = [
      { at, kind: "renamed", id: "light.lamp", before: "light.old", fields: [] },
      { at, kind: "split", id: "d0", into: ["d1", "d2"], fields: [] },
      { at, kind: "branched", id: "d1", into: ["d3"], fields: [] },
      {
        at,
        kind: "changed",
        id: "d1",
        fields: [
          { field: "labels", from: ["a", "b"], to: ["a"] },
          { field: "area_id", to: "kitchen" },
          { field: "model", from: "M1" },
        ],
      },
    ];
    answers = (_request, { pathname }) =>
      pathname.endsWith("/history")
        ? { body: { device_id: "d1", changes, next: null } }
        : pathname.endsWith("/d0")
          ? { status: 404, body: { code: "not_found" } }
          : pathname.endsWith("/d1")
            ? { body: { ...device, conflicts: [conflict], entities: [{ entity_id: "light.lamp", state: "on" }] } }
            : { body: { devices: [device], next: null } };
    expect((await run(["devices", "list"])).out).toMatch(/d1 +Lamp +kitchen +1 +2 \(1 open\) +3 of 4 features/);
    const { out } = await run(["devices", "show", "d1"]);
    expect(out).toMatch(/used +3 of 4 features\s+watched since +2026-09-01/);
    expect(out).toMatch(/effect +Effect +light\.lamp +2026-10-01/);
    expect(out).toMatch(/renamed +light\.lamp +was light\.old/);
    expect(out).toMatch(/split +d0 +became d1 and d2/);
    expect(out).toMatch(/branched +d1 +got the child devices d3/);
    expect(out).toContain('labels "a, b" -> "a"; area_id set to "kitchen"; model "M1" taken away');
    expect(out).toMatch(
      /0f +d1 +name +Lamp \(home-assistant\) +light\ufffd \(zigbee2mqtt\) +open +ask +2 operations, 17 us/,
    );
    expect(asked.at(-2)?.target).toBe("/api/v1/devices/d1/history?limit=20");
    expect(JSON.parse((await run(["devices", "show", "d1", "--all", "--json"])).out)).toMatchObject({ changes });
    expect((await run(["devices", "show", "d0"])).out).toMatch(/"d0" is no device any more\.[\s\S]*became d1 and d2/);
  });

  it("compares devices now, and settles a conflict by hand", async () => {
    const comparison = { devices: 3, added: 1, over: 2, operations: 9, duration_ms: 4.5 };
    answers = ({ method = "" }, { pathname }) =>
      method === "POST" && pathname.endsWith("/settle")
        ? { body: { ...conflict, status: "settled", chosen: "old", settled_by: "hand" } }
        : pathname.endsWith("/sync")
          ? { body: comparison }
          : { body: { conflicts: [conflict, { ...conflict, id: "1f", status: "over" }], next: null } };
    const { out } = await run(["devices", "sync"]);
    expect(out).toContain("3 devices compared in 4.5 ms and 9 operations: 1 conflicts new, 2 over, 1 wait");
    expect(out).toMatch(/^0f +d1/m);
    expect(out).not.toContain("1f");
    expect((await run(["devices", "settle", "0f", "old", "--reason", "I know it"])).out).toMatch(/settled +old +hand/);
    expect(asked.at(-1)?.target).toBe("/api/v1/conflicts/0f/settle");
  });

  it("shows devices of an area", async () => {
    const device = { device_id: "d1", name: "Lamp", area_id: "kitchen", entity_count: 1, conflict_count: 0 };
    answers = () => ({ body: { devices: [device], next: null } });
    expect((await run(["devices", "list", "--area", "kitchen"])).out).toContain("d1      Lamp  kitchen");
    expect((await run(["devices", "list", "--area", "bath"])).out).toBe("no devices\n");
  });

  it("ends with 1 when something is down, and says what", async () => {
    answers = () => ({
      status: 503,
      body: {
        status: "down",
        parts: [{ name: "store", kind: "store", state: "down", since: "2026", detail: "does not answer" }],
      },
    });
    const { code, out } = await run(["status"]);
    expect(code).toBe(1);
    expect(out).toContain("down   store  2026   does not answer");
  });

  it("says in words how far the ledger is, what was interrupted, and which relays send at once", async () => {
    const part = { state: "ok", since: "2026", detail: "" };
    const counts = { complete_up_to: 123_456, last_sequence: 123_500, missing: 44, lost_records: 0, records: 123_456 };
    const interruptions = { count: 2, recovered: 431, statistics: 0, incomplete: 1 };
    const older = { ...counts, relay_id: "r0" };
    const parts = [
      { ...part, name: "two_relays", kind: "relay", state: "degraded", detail: 'Two relays send: "r0" and "r1".' },
      { ...part, name: "ledger:r0", kind: "ledger", ledger: older },
      {
        ...part,
        name: "ledger:r1",
        kind: "ledger",
        ledger: { ...counts, relay_id: "r1", kind: "relay", interruptions },
      },
      {
        ...{ ...part, name: "import:import-1", kind: "import" },
        ledger: { ...counts, relay_id: "import-1", kind: "import", interruptions },
      },
    ];
    answers = () => ({ body: { status: "degraded", parts } });
    const { code, out } = await run(["status"]);
    expect(code).toBe(0);
    expect(out).toMatch(/degraded +two_relays +2026 +Two relays send: "r0" and "r1"\./);
    expect(out.trimEnd().split("\n").slice(-3)).toEqual([
      "ledger of relay r0: complete up to 123,456 of 123,500, 44 missing, 0 lost",
      "ledger of relay r1: complete up to 123,456 of 123,500, 44 missing, 0 lost, 2 interruptions, 431 events recovered, 1 not filled whole",
      "import import-1: 123,456 records",
    ]);
    const json = JSON.parse((await run(["status", "--json"])).out);
    expect(json.parts[2].ledger.interruptions).toEqual(interruptions);
  });

  it("lets no relay steer the terminal by what it calls itself", async () => {
    const ledger = {
      relay_id: "\u001b[2Jx",
      complete_up_to: 1,
      last_sequence: 1,
      missing: 0,
      lost_records: 0,
      records: 1,
    };
    const part = { name: "ledger:\u001b[2Jx", kind: "ledger", state: "ok", since: "s", detail: "\u009b2J", ledger };
    answers = () => ({ body: { status: "ok", parts: [part] } });
    for (const command of ["status", "doctor"]) {
      const { out } = await run([command]);
      expect(out).toContain("\ufffd[2Jx");
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    }
  });

  it("says that HEARTHLINE_URL is no place for a password, and does not repeat it", async () => {
    const { code, err } = await run(["status"], {
      env: { HEARTHLINE_URL: "http://user:s3cret@x", HEARTHLINE_DATA: folder },
    });
    expect(code).toBe(2);
    expect(err).toContain("HEARTHLINE_URL holds a user");
    expect(err).not.toContain("s3cret");
  });

  it("ends with 3 when nothing answers, and names the address", async () => {
    const { code, err } = await run(["devices", "list"], {
      env: { HEARTHLINE_URL: "http://127.0.0.1:1", HEARTHLINE_TOKEN: "x" },
    });
    expect(code).toBe(3);
    expect(err).toContain("http://127.0.0.1:1/api/v1/devices");
    expect(err).toContain("npm start");
  });

  it("passes a problem on with its code", async () => {
    answers = () => ({ status: 400, body: { code: "request_invalid", detail: "from: wanted is a time" } });
    expect(await run(["events", "list", "--from", "yesterday"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("400 request_invalid: from: wanted is a time"),
    });
  });

  it.each([
    [["frobnicate"], "unknown command"],
    [["events", "list", "--limit", "0"], "wanted is a whole number from 1"],
    [["queues", "peek", "nowhere"], "wanted is one of events"],
    [["homes", "add", "garden", "--time-zone", "Mars/Olympus"], "wanted is an IANA time zone"],
    [["queues", "purge", "events"], "repeat it with --yes"],
    [["relay", "--bogus"], "unknown option '--bogus'"],
    [["relay", "more"], "too many arguments"],
  ])("wrong usage %j ends with 2", async (args, said) => {
    const { code, err } = await run(args);
    expect(err).toContain(said);
    expect(code).toBe(2);
  });

  it.each(["nonsense", "ftp://127.0.0.1", "127.0.0.1:8787"])("refuses the address %j", async (address) => {
    const { code, err } = await run(["status"], { env: { HEARTHLINE_URL: address, HEARTHLINE_DATA: folder } });
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(`HEARTHLINE_URL is "${address}"`) });
  });

  it("says where a token comes from when there is none", async () => {
    const { code, err } = await run(["events", "list"], { env: { HEARTHLINE_URL: url, HEARTHLINE_DATA: folder } });
    expect(code).toBe(2);
    expect(err).toContain("HEARTHLINE_TOKEN");
  });

  it("reads the token that npm start left", async () => {
    writeFileSync(join(folder, "token"), "hl_home_from_file\n");
    answers = () => ({ body: { devices: [], next: null } });
    await run(["devices", "list", "--data", folder], { env: { HEARTHLINE_URL: url } });
    expect(asked[0]?.authorization).toBe("Bearer hl_home_from_file");
  });

  it("hands start and relay every option as it stands", async () => {
    const started: unknown[] = [];
    const code = (
      await run(["start", "--port", "0", "--store", "sqlite"], {
        run: async (...part) => {
          started.push(part);
          return 1;
        },
      })
    ).code;
    expect(started).toEqual([["start", ["--port", "0", "--store", "sqlite"], undefined]]);
    expect(code).toBe(1);
  });

  it.each([
    [
      ["start", "--data", "/elsewhere", "--port", "0"],
      ["start", ["--port", "0"], "/elsewhere"],
    ],
    [
      ["--data", "/elsewhere", "start"],
      ["start", [], "/elsewhere"],
    ],
    [
      ["relay", "--data=/elsewhere"],
      ["relay", [], "/elsewhere"],
    ],
  ])("hands %j its data folder", async (args, wanted) => {
    const started: unknown[] = [];
    const { code } = await run(args, {
      run: async (...part) => {
        started.push(part);
        return 0;
      },
    });
    expect({ code, started }).toEqual({ code: 0, started: [wanted] });
  });

  it("refuses a token that no header can hold, without repeating it", async () => {
    const { code, err } = await run(["events", "list"], {
      env: { HEARTHLINE_URL: url, HEARTHLINE_TOKEN: "sec\nret", HEARTHLINE_DATA: folder },
    });
    expect(code).toBe(2);
    expect(err).toContain("HEARTHLINE_TOKEN");
    expect(err).not.toMatch(/sec|ret/);
  });

  it("says that the token is not valid when it was given one and sees no details", async () => {
    answers = () => ({ body: { status: "ok" } });
    expect((await run(["status"])).out).toContain("the token is not valid");
    const without = await run(["status"], { env: { HEARTHLINE_URL: url, HEARTHLINE_DATA: folder } });
    expect(without.out).toContain("a token is needed");
  });

  it("says that nothing runs here when there are no queues to be looked at", async () => {
    const { code, err } = await run(["queues", "list"], { env: { HEARTHLINE_DATA: folder } });
    expect(code).toBe(3);
    expect(err).toContain(`does not run on the data folder "${folder}"`);
  });

  it("has help for every command", async () => {
    const { code, out } = await run(["--help"]);
    expect(code).toBe(0);
    for (const name of ["start", "relay", "doctor", "status", "events", "devices", "queues", "homes", "tokens"])
      expect(out).toContain(`  ${name}`);
  });
});
