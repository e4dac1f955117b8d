import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HearthlineError } from "../../../lib/base/errors.ts";
import { keyIdOf } from "../../../lib/event/index.ts";
import { signed } from "../../../lib/migration/report-signature.ts";
import { changed } from "../../../lib/migration/row.ts";
import type { StepOutcome } from "../../../lib/migration/step.ts";
import type { CheckResult, Migration } from "../../../lib/migration/types.ts";
import { createApiClient } from "../../../local/cli/api-client.ts";
import { findContext } from "../../../local/cli/context.ts";
import { runSteps } from "../../../local/cli/migrate-run.ts";
import { createOutput } from "../../../local/cli/output.ts";
import { createTestApi, serveApi, type TestApi, tokenText } from "../../support/api.ts";
import { runCli } from "../../support/cli.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";

const ADMIN = tokenText("home", "d");
let api: TestApi;
let clock: ManualClock;
let served: Awaited<ReturnType<typeof serveApi>>;
let folder: string;
const closers: (() => void)[] = [];

beforeEach(async () => {
  clock = manualClock();
  api = await createTestApi({ clock });
  await api.addToken(ADMIN, "home", ["admin"]);
  served = await serveApi(api);
  folder = await mkdtemp(join(tmpdir(), "hearthline-migrate-"));
});
afterEach(async () => {
  for (const close of closers.splice(0)) close();
  await served.close();
  await rm(folder, { recursive: true, force: true });
});

const run = (...args: string[]) => runCli(["migrate", ...args], { url: served.url, token: ADMIN, clock });
const plan = (...args: string[]) =>
  run("plan", "--from", "influxdb", "http://influxdb.local:8086", "--no-look", ...args);
const newest = async (): Promise<Migration> => {
  const [first] = await api.migrationStore.list("home");
  if (!first) throw new Error("there is none");
  return first;
};

async function change(given: Partial<Parameters<typeof changed>[1]>, row: Partial<Migration> = {}): Promise<void> {
  const there = await newest();
  const by = { nowUs: clock.nowMs() * 1000, actor: "validate-migration", reason: "As the checks say." };
  const next = changed(there, { ...by, ...given, row });
  await api.migrationStore.commit(next, { expected: there.revision });
}

/** An OLD that gives every request this answer. */
async function oldThat(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("migrate plan", () => {
  it("explains in plain words, and makes nothing by a dry run", async () => {
    const { code, out } = await plan("--stages", "10,50,100", "--soak", "5m", "--dry-run");
    expect(code).toBe(0);
    expect(out).toContain("NEW answers for 10, 50, 100 % of the entities");
    expect(out).toContain("good for 5 minutes without interruption");
    expect(out).toContain("It waits for you before anything of OLD is ended");
    expect(await api.migrationStore.list("home")).toEqual([]);
    const json = JSON.parse((await plan("--simple", "--dry-run", "--json")).out);
    expect(json.plan).toMatchObject({ way: "simple", soak_seconds: 300 });
    expect(json.explanation.join(" ")).toContain("hearthline migrate simple --backup FILE");
    expect((await plan("--simple")).out).toMatch(
      /is made\. Carry it out with: hearthline migrate simple --backup FILE\n$/,
    );
  });

  it("makes it of a file that options change, and says what comes next", async () => {
    const file = join(folder, "plan.json");
    const kept = { old: { kind: "http", url: "http://old.local/api" }, soakSeconds: 60, stages: [50, 100] };
    await writeFile(file, JSON.stringify(kept));
    const { code, out } = await run("plan", "--plan", file, "--no-look", "--soak", "2m", "--gates", "none");
    expect([code, out]).toEqual([0, expect.stringContaining("hearthline migrate start")]);
    expect((await newest()).plan).toMatchObject({
      soakSeconds: 120,
      stages: [50, 100],
      gates: [],
      old: { kind: "http" },
    });
    expect(await plan()).toMatchObject({ code: 1, err: expect.stringContaining("migration_exists") });
  });

  it("names everything that is wrong before it asks anybody", async () => {
    const wrong = await plan("--stages", "50,20", "--soak", "0");
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain("soak_seconds:");
    expect(wrong.err).not.toContain("--soak");
    expect((await plan("--stages", "50,20")).err).toContain("stages.1: stage 20 does not rise above");
    for (const args of [
      ["--stages", "a"],
      ["--soak", "soon"],
      ["--gates", "lunch"],
      ["--fed-by", "nobody"],
    ])
      expect([args, (await plan(...args)).code]).toEqual([args, 2]);
    expect(await run("plan")).toMatchObject({ code: 2, err: expect.stringContaining("From where?") });
    expect((await run("plan", "--from", "http://influxdb.local")).err).toContain("--from wants two words");
    expect((await run("plan", "--from", "mysql", "http://x", "--no-look")).err).toContain("old.kind:");
    expect((await run("plan", "--plan", join(folder, "none.json"))).code).toBe(2);
    await writeFile(join(folder, "bad.json"), "[1");
    expect((await run("plan", "--plan", join(folder, "bad.json"))).err).toContain("is not JSON");
  });

  it("takes credentials off the address, tells where they belong, and repeats them nowhere", async () => {
    const { code, out, err } = await run("plan", "--from", "http", "http://me:s3cr%40t@old.local/api", "--no-look");
    expect([code, err]).toEqual([0, expect.stringContaining("HEARTHLINE_OLD_PASSWORD")]);
    expect(out + err).not.toMatch(/s3cr|me:/);
    expect((await newest()).plan.old.url).toBe("http://old.local/api");
    const broken = await run("plan", "--from", "http", "http://me:s3cr t@old local", "--no-look");
    expect([broken.code, broken.err]).toEqual([2, expect.not.stringContaining("s3cr")]);
  });

  it("says clearly that OLD cannot be reached, answers a web page, or says no", async () => {
    const gone = await run("plan", "--from", "influxdb", "http://127.0.0.1:9", "--dry-run");
    expect([gone.code, gone.err]).toEqual([3, expect.stringMatching(/OLD could not be looked at: .*127\.0\.0\.1:9/)]);
    const page = await oldThat((_, response) =>
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><h1>Sign in</h1>"),
    );
    for (const kind of ["influxdb", "http"]) {
      const html = await run("plan", "--from", kind, page);
      expect([html.code, html.err]).toEqual([3, expect.stringContaining("web page")]);
    }
    const no = await oldThat((_, response) =>
      response.writeHead(401, { "content-type": "application/json" }).end("{}"),
    );
    expect((await run("plan", "--from", "influxdb", no)).err).toContain("HEARTHLINE_OLD_USER");
    expect(await api.migrationStore.list("home")).toEqual([]);
  });
});

describe("migrate start, pause, resume, advance, rollback, abort", () => {
  it("change it one after the other, each with who, why and the present epoch", async () => {
    await plan();
    expect((await run("start")).out).toMatch(/^migration migration-1: prepared, old answers/);
    expect((await run("pause", "--reason", "guests")).out).toContain("paused");
    expect((await run("resume")).code).toBe(0);
    expect(await run("resume")).toMatchObject({ code: 1, err: expect.stringContaining("migration_state_wrong") });
    const audit = await api.migrationStore.audit("home", "migration-1");
    expect(audit.map(({ reason, actor }) => [actor, reason]).slice(1)).toEqual([
      ["test", "Started."],
      ["test", "guests"],
      ["test", "Resumed by hand."],
    ]);
  });

  it("tell the second of two people what the first has done", async () => {
    await plan();
    await run("start", "--epoch", "1");
    const second = await run("abort", "--epoch", "1");
    expect(second.code).toBe(1);
    expect(second.err).toMatch(/412 migration_stale: .*at epoch 2 now.*by "test".*Started\./);
  });

  it("pass a verdict that says no only by force and with a reason", async () => {
    await plan();
    await run("start");
    expect(await run("advance")).toMatchObject({ code: 1, err: expect.stringContaining("migration_refused") });
    expect(await run("advance", "--force")).toMatchObject({ code: 2, err: expect.stringContaining("--reason") });
    expect((await run("advance", "--force", "--reason", "I saw it")).out).toContain("dual_write");
  });

  it("roll back at once, or stage by stage", async () => {
    await plan();
    await run("start");
    await change({ state: "ramp", stage: 2, stagePercent: 50 });
    expect((await run("rollback", "--stepwise")).out).toContain("rolling_back 50 %, split answers");
    expect((await run("rollback", "--json")).out).toContain('"authority": "old"');
    expect((await api.migrationStore.pointer("home"))?.authority).toBe("old");
  });

  it("say that there is none", async () => {
    for (const what of ["start", "status", "watch", "report", "differences", "readers"])
      expect(await run(what)).toMatchObject({ code: 1, err: expect.stringContaining("hearthline migrate plan") });
    expect((await run("status", "--id", "none")).code).toBe(1);
  });
});

const check: CheckResult = {
  name: "performance.range",
  verdict: "pass",
  observed: 0.97,
  low: 0.93,
  high: 1.02,
  limit: 1.2,
  sampleSize: 420,
  explanation: "evil \u001b[2J words",
};

describe("migrate status, differences, readers, report", () => {
  beforeEach(async () => {
    await plan();
    await run("start");
    await change({ state: "ramp", stage: 1, stagePercent: 25 }, { checks: [check], verdict: "pass" });
  });

  it("show where it is, with its figures; status shows it too", async () => {
    const { code, out } = await run("status");
    expect(code).toBe(0);
    expect(out).toMatch(/^migration migration-1: ramp 25 %, split answers, pass\./);
    expect(out).toMatch(/performance\.range +pass +420 +0\.97 \(0\.93 to 1\.02\), limit 1\.2/);
    expect(out).toContain("differences: missing in new 0");
    expect(out).not.toContain("\u001b");
    const whole = await runCli(["status"], { url: served.url, token: ADMIN });
    expect(whole.out).toContain("migration migration-1: ramp 25 %");
    await change({}, { verdict: "fail" });
    expect((await run("status")).code).toBe(1);
  });

  it("are what doctor looks at, and it says when nobody does the steps", async () => {
    const doctor = async () => {
      const { out } = await runCli(["doctor", "--json"], { url: served.url, token: ADMIN, clock: hasty });
      const { findings } = JSON.parse(out) as { findings: { check: string; result: string; detail: string }[] };
      return findings.find((finding) => finding.check === "migration");
    };
    // The test event has no queue to go through here, and is not waited for.
    let waitedMs = 0;
    const hasty = {
      ...clock,
      monotonicMs: () => clock.monotonicMs() + waitedMs,
      sleep: async (ms: number) => {
        waitedMs += ms * 100;
      },
    };
    expect(await doctor()).toMatchObject({ result: "ok", detail: expect.stringContaining("ramp 25 %") });
    clock.set(clock.nowMs() + 16 * 60_000);
    expect(await doctor()).toMatchObject({ result: "failed", detail: expect.stringContaining("for 16 minutes") });
    await run("pause");
    expect(await doctor()).toMatchObject({ result: "warning" });
    await run("rollback");
    await change({ state: "rolled_back", stagePercent: 0 });
    expect(await doctor()).toBeUndefined();
  });

  it("list differences, and end with 1 when one counts", async () => {
    expect(await run("differences")).toMatchObject({ code: 0, out: expect.stringContaining("no difference") });
    const one = { class: "different" as const, entityId: "light.a", atUs: 1e15, foundUs: 1e15, explanation: "it is" };
    await api.migrationStore.addDifferences("home", "migration-1", [{ ...one, old: "on\u001b[2J", new: "off" }]);
    const { code, out } = await run("differences");
    expect([code, out]).toEqual([1, expect.stringMatching(/different +light\.a/)]);
    expect(out).not.toContain("\u001b");
  });

  it("move a reader and back", async () => {
    expect((await run("readers")).out).toContain("nobody was moved");
    expect((await run("readers", "test", "old")).code).toBe(0);
    expect((await run("readers")).out).toMatch(/test +old/);
    expect((await run("readers", "test", "split")).code).toBe(0);
    expect((await newest()).readers).toEqual({});
    expect((await run("readers", "test")).code).toBe(2);
    expect(await run("readers", "nobody", "new")).toMatchObject({ code: 1, err: expect.stringContaining("no token") });
  });

  it("show what tuning proposes, tries, kept and rejected, with figures", async () => {
    expect((await run("tuning")).out).toContain("the figures propose no change");
    const there = await newest();
    const ended = { setting: "flush-seconds", from: 5, atUs: 1e15 };
    const sample = (metric: number) => ({ metric });
    const tuning = {
      version: 1,
      proposals: [{ setting: "raw-days", from: 30, to: 10, explanation: "people read 5 days back" }],
      outcomes: [
        { ...ended, to: 10, isKept: true, reason: "half as many" },
        { ...ended, to: 20, isKept: false, reason: "not better" },
      ],
      trial: {
        ...{ phase: "trial", setting: "batch-size", from: 500, to: 1_000, metric: "messages-per-1000-events" },
        ...{ allowed: 0, gainMin: 0.2, sinceUs: 0, untilUs: 1e15, isInForce: true },
        ...{ before: [sample(4), sample(6)], during: [sample(2)] },
      },
    };
    const next = { ...there, revision: there.revision + 1 };
    await api.migrationStore.commit(next, { expected: there.revision, memories: { tuning } });
    const { code, out } = await run("tuning");
    expect(code).toBe(0);
    expect(out).toMatch(
      /tried \(trial\) +batch-size +500 +1000 +messages-per-1000-events: 5 in 2 samples before, 2 in 1 with/,
    );
    expect(out).toMatch(/kept +flush-seconds +5 +10 +half as many/);
    expect(out).toMatch(/rejected +flush-seconds +5 +20 +not better/);
    expect(out).toMatch(/proposed +raw-days +30 +10 +people read/);
    expect(JSON.parse((await run("tuning", "--json")).out).outcomes).toHaveLength(2);
  });

  it("write the report as text, as JSON that can be checked, and as a page", async () => {
    expect((await run("report")).out).toMatch(/events lost +0[\s\S]*ramp +25 %/);
    const file = join(folder, "report.json");
    const { out } = await run("report", "--json");
    await writeFile(file, out);
    expect((await run("report", "--check", file)).code).toBe(0);
    await writeFile(file, out.replace('"lost_events": 0', '"lost_events": 1'));
    expect(await run("report", "--check", file)).toMatchObject({ code: 1, err: expect.stringContaining("checksum") });
    expect(await run("report", "--verify", file)).toMatchObject({
      code: 1,
      err: expect.stringContaining("report_changed"),
    });
    const secret = Buffer.alloc(32, 7);
    const { signature: _, ...body } = JSON.parse(out);
    await writeFile(file, JSON.stringify(signed(body, { id: keyIdOf(secret), secret })));
    const verify = (HEARTHLINE_HOME_KEY: string) =>
      runCli(["migrate", "report", "--verify", file, "--json"], {
        url: "http://127.0.0.1:9",
        env: { HEARTHLINE_HOME_KEY },
      });
    const verified = await verify(secret.toString("base64"));
    expect([verified.code, JSON.parse(verified.out)]).toEqual([
      0,
      { verified: true, home_id: "home", key_id: keyIdOf(secret), checksum: body.checksum, key_from: "settings" },
    ]);
    await writeFile(file, JSON.stringify(signed(body, { id: keyIdOf(secret), secret: Buffer.alloc(32, 8) })));
    expect(await verify(secret.toString("base64"))).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringContaining("report_signature_wrong"),
    });
    await writeFile(file, "{}");
    expect(await run("report", "--verify", file)).toMatchObject({
      code: 1,
      err: expect.stringContaining("report_malformed"),
    });
    const page = join(folder, "report.html");
    expect((await run("report", "--html", page)).code).toBe(0);
    expect(await readFile(page, "utf8")).toMatch(/^<!doctype html>[\s\S]*<svg/);
    expect((await run("report", "--html", join(folder, "no", "such.html"))).code).toBe(2);
    expect(await run("report", "--html", folder)).toMatchObject({ code: 2, err: expect.stringContaining(folder) });
  });
});

describe("migrate run", () => {
  it("does step after step until it has ended, and waits out what is away for a moment", async () => {
    await plan();
    await run("start");
    const steps: (() => Promise<StepOutcome>)[] = [
      async () => "hold",
      () => Promise.reject(new HearthlineError("service_unreachable", "OLD is away")),
      async () => {
        await change({ state: "complete", stagePercent: 100 });
        return "next";
      },
    ];
    const said = { out: "", err: "" };
    const output = createOutput(false, {
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
    });
    const context = findContext({ HEARTHLINE_URL: served.url, HEARTHLINE_TOKEN: ADMIN });
    const tools = () => ({
      ...{ context, output, api: createApiClient(context), signal: new AbortController().signal },
      clock: { ...clock, sleep: async () => {} },
    });
    const runner = { step: () => steps.shift()?.() ?? Promise.reject(new Error("one step too many")) };
    await runSteps(tools, runner, { id: undefined, everyMs: 5_000, isOnce: false });
    expect(said.out.split("\n").map((line) => line.slice(0, 45))).toEqual([
      expect.stringMatching(/^hold +migration migration-1: prepared/),
      expect.stringMatching(/^next +migration migration-1: complete/),
      "",
    ]);
    expect(said.err).toBe("OLD is away\n");
  });

  it.each([
    ["until its own counts", ["stale", "stale", "hold"], 3],
    ["five times at most", ["stale", "stale", "stale", "stale", "stale", "hold"], 5],
  ] as const)("asked for one step while another is always first, looks again %s", async (_name, outcomes, made) => {
    await plan();
    await run("start");
    const remarks: string[] = [];
    const output = createOutput(false, { out: () => {}, err: (text) => void remarks.push(text) });
    const context = findContext({ HEARTHLINE_URL: served.url, HEARTHLINE_TOKEN: ADMIN });
    const tools = () => ({
      ...{ context, output, api: createApiClient(context), signal: new AbortController().signal },
      clock: { ...clock, sleep: async () => {} },
    });
    let steps = 0;
    const runner = { step: async () => outcomes[steps++] ?? "gone" };
    await runSteps(tools, runner, { id: undefined, everyMs: 5_000, isOnce: true });
    expect(steps).toBe(made);
    expect(remarks[0]).toMatch(/was first: what this step found is dropped\. It looks again/);
  });

  it("says what it needs when it can reach neither queues nor table", async () => {
    await plan();
    expect(await run("run")).toMatchObject({ code: 3, err: expect.stringContaining("AWS_ACCESS_KEY_ID") });
    expect((await run("run", "--every", "soon")).code).toBe(2);
  });
});

const ESCAPE = "\u001b";
const HOME = `${ESCAPE}[H`;

describe("migrate watch", () => {
  const steps: (() => Promise<void>)[] = [];
  const stepping = { ...manualClock(), sleep: async () => void (await steps.shift()?.()) };
  const watch = (screen?: Parameters<typeof runCli>[1]["screen"], ...args: string[]) =>
    runCli(["migrate", "watch", ...args], {
      url: served.url,
      token: ADMIN,
      clock: stepping,
      ...(screen && { screen }),
    });

  beforeEach(async () => {
    await plan();
    await run("start");
  });

  it("prints a line a change where nobody sits before a terminal, and ends when it has ended", async () => {
    steps.push(
      async () => {},
      () => change({ state: "ramp", stage: 1, stagePercent: 25 }, { verdict: "pass" }),
      async () => {},
      () => change({ state: "complete", stagePercent: 100 }),
    );
    const { code, out } = await watch();
    expect(code).toBe(0);
    expect(
      out
        .trim()
        .split("\n")
        .map((line) => line.slice(10)),
    ).toEqual([
      expect.stringContaining("prepared, old answers"),
      expect.stringContaining("ramp 25 %, split answers, pass"),
      expect.stringContaining("complete, new answers"),
    ]);
    expect((await watch(undefined, "--json")).out).toMatch(/^\{"id":"migration-1"/);
  });

  it("ends with 1 when it was taken back", async () => {
    steps.push(() => change({ state: "rolled_back" }));
    expect(await watch()).toMatchObject({ code: 1, err: expect.stringContaining("taken back") });
  });

  it("draws a screen that fits, in colour only where that is wanted", async () => {
    const ends = () => change({ state: "complete", stagePercent: 100 });
    steps.push(() => change({ state: "ramp", stage: 1, stagePercent: 25 }, { checks: [check], verdict: "pass" }), ends);
    const wide = await watch({ columns: () => 120, rows: () => 40, isColoured: true });
    const frames = wide.out.split(HOME).slice(1);
    expect(frames).toHaveLength(3);
    expect(frames[1]).toMatch(/\[ +.*=+\|=+.*! *\] {2}0\.97/);
    expect(frames[1]).toContain("\u001b[32mpass\u001b[0m");
    const narrow = await watch({ columns: () => 40, rows: () => 8, isColoured: false });
    const lines = (narrow.out.split(HOME)[1] ?? "").replace(`${ESCAPE}[2J`, "").split(`${ESCAPE}[K\n`).slice(0, -1);
    expect(lines.length).toBeLessThanOrEqual(8);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(40);
    expect(narrow.out).not.toContain("\u001b[32m");
  });

  it("fits where letters are two columns wide", async () => {
    const letters = "寝室の湿度センサー🏠".repeat(6);
    const ends = () => change({ state: "complete", stagePercent: 100 });
    const explanation = `${letters} ${letters}`;
    steps.push(
      () =>
        change({ state: "ramp", stage: 1, stagePercent: 25, reason: letters }, { checks: [{ ...check, explanation }] }),
      ends,
    );
    const { out } = await watch({ columns: () => 60, rows: () => 30, isColoured: false });
    const lines = out
      .split(HOME)
      .flatMap((frame) => frame.replace(`${ESCAPE}[2J`, "").split(`${ESCAPE}[K\n`).slice(0, -1));
    const columns = (line: string) =>
      [...line].reduce((sum, letter) => sum + (/[\u3000-\u9fff]|🏠/u.test(letter) ? 2 : 1), 0);
    expect(Math.max(...lines.map(columns))).toBeLessThanOrEqual(60);
  });

  it("waits for a server that is away for a moment", async () => {
    const { fetch } = globalThis;
    let left = 0;
    const away = (times: number) => {
      left = times;
    };
    globalThis.fetch = (...given) => (left-- > 0 ? Promise.reject(new TypeError("fetch failed")) : fetch(...given));
    try {
      steps.push(
        async () => away(2),
        async () => {},
        () => change({ state: "complete", stagePercent: 100 }),
      );
      const { code, err } = await watch();
      expect([code, err]).toEqual([0, expect.stringContaining("could not be reached")]);
      await plan();
      steps.push(async () => away(1_000));
      expect((await watch()).code).toBe(3);
    } finally {
      globalThis.fetch = fetch;
    }
  });
});
