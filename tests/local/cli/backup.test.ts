import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../../lib/base/clock.ts";
import { readConfig } from "../../../lib/wiring/config.ts";
import { createEventStore } from "../../../lib/wiring/event-store.ts";
import { runCommand } from "../../../local/cli/program.ts";
import { manyEvents } from "../../support/events.ts";
import { second } from "../../support/imports.ts";
import { type Pipeline, startPipeline } from "../../support/pipeline.ts";
import { sealed, stateRecord } from "../../support/records.ts";
import { until } from "../../support/stack.ts";

const folder = mkdtempSync(join(tmpdir(), "hearthline-cli-backup-"));
const passphraseFile = join(folder, "passphrase");
const PASSPHRASE = "correct horse battery staple";

let from: Pipeline;
let to: Pipeline;
let token: string;
beforeAll(async () => {
  writeFileSync(passphraseFile, `${PASSPHRASE}\nanything else\n`);
  [from, to] = await Promise.all([startPipeline(), startPipeline()]);
  const home = await from.addHome("home");
  token = home.token;
  const records = Array.from({ length: 25 }, (_, n) =>
    stateRecord({ entity_id: `sensor.s${n % 5}`, state: String(n), atUs: second(n) }),
  );
  await from.send("events", sealed(records, home));
  await from.drain();
});
afterAll(async () => {
  await Promise.all([from?.stop(), to?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

async function run(
  args: readonly string[],
  pipeline = from,
  env: Readonly<Record<string, string>> = {},
  clock: Clock = systemClock,
) {
  const said = { out: "", err: "" };
  const code = await runCommand(["backup", ...args], {
    env: { ...pipeline.env, HEARTHLINE_DATA: folder, ...env },
    streams: {
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
      isTerminal: env.TERM === "yes",
    },
    signal: new AbortController().signal,
    clock,
    version: "0.0.0-test",
    run: async () => 0,
  });
  const json = said.out.startsWith("{") ? JSON.parse(said.out) : undefined;
  return { code, ...said, json };
}

/** Every store a restore left behind goes. */
async function emptied(): Promise<void> {
  await to.operator.homes.remove("home");
  const store = createEventStore(readConfig(to.env));
  await store.prune("home", Number.MAX_SAFE_INTEGER);
  await store.close();
}

describe("hearthline backup", () => {
  it("writes a file, proves it, and puts it into another system, keys and tokens included when it is sealed", async () => {
    const path = join(folder, "sealed.backup");
    const sealing = ["--passphrase-file", passphraseFile, "--json"];
    const created = await run(["create", "--output", path, ...sealing]);
    expect(created).toMatchObject({ code: 0, err: "" });
    expect(created.json).toMatchObject({
      home_id: "home",
      events: 25,
      settled: true,
      set_aside: 0,
      secrets_left_out: 0,
    });
    expect(created.json).toMatchObject({
      bytes: readFileSync(path).length,
      items: { HOME: 1, KEY: 1, TOKEN: 1, LEDGER: 1 },
    });

    const verified = await run(["verify", path, ...sealing]);
    expect(verified).toMatchObject({ code: 0, json: { whole: true, sealed: true, looked_inside: true, events: 25 } });
    expect(verified.json.sha256).toBe(created.json.sha256);
    const unopened = await run(["verify", path, "--json"]);
    expect(unopened).toMatchObject({ code: 0, json: { whole: true, looked_inside: false } });
    expect(unopened.err).toContain("not looked at");

    const restored = await run(["restore", path, ...sealing], to);
    expect(restored).toMatchObject({
      code: 0,
      json: { events: 25, days: 1, same_days: 1, missing: 0, different: 0, continued: false },
    });
    expect(restored.err).toContain("hearthline doctor");
    expect(await to.events(token)).toEqual(await from.events(token));
    const ledgerOf = async (pipeline: Pipeline) => (await pipeline.ask(token, "/api/v1/ledger")).json;
    expect(await ledgerOf(to)).toEqual(await ledgerOf(from));
    // A home that has something now.
    expect(await run(["restore", path, ...sealing], to)).toMatchObject({
      code: 1,
      err: expect.stringContaining("--into-existing"),
    });
    const merged = await run(["restore", path, "--into-existing", ...sealing], to);
    expect(merged).toMatchObject({ code: 0, json: { missing: 0, items: { kept: 0 } } });
    await emptied();
  });

  it("leaves secrets out of a file that is not sealed; the restored home gets a new key", async () => {
    const path = join(folder, "open.backup");
    const created = await run(["create", "--output", path], from, {
      TERM: "yes",
      HEARTHLINE_MQTT_URL: "mqtt://u:hunter2@b",
    });
    expect(created.code).toBe(0);
    expect(created.out).toMatch(/events +25, 2\d{3}-.* to /);
    expect(created.err).toContain("2 keys and tokens were left out");
    expect((await run(["verify", path])).out).toMatch(
      /whole .*\nhome +home, of .*, by Hearthline 0\.0\.0-test \(sqlite\)/,
    );
    const { json } = await run(["verify", path, "--json"]);
    expect(JSON.stringify(json)).not.toContain("hunter2");

    const restored = await run(["restore", path], to);
    expect(restored).toMatchObject({ code: 0, err: expect.stringContaining("HEARTHLINE_HOME_KEY") });
    expect(restored.out).toMatch(/^key +[\w+/]{43}=$/m);
    expect(await to.operator.tokens.list("home")).toEqual([]);
    const { text } = await to.operator.tokens.create({ homeId: "home", name: "new", scopes: ["read"] });
    expect(await to.events(text)).toHaveLength(25);
    await emptied();
  });

  it("takes the passphrase as it was typed, whatever the editor has put around it; another encoding is refused", async () => {
    const path = join(folder, "marked.backup");
    const marked = join(folder, "marked");
    writeFileSync(marked, `\ufeff${PASSPHRASE}\r\nanything else\r\n`);
    expect(await run(["create", "--output", path, "--passphrase-file", marked])).toMatchObject({ code: 0 });
    const verified = await run(["verify", path, "--passphrase-file", passphraseFile, "--json"]);
    expect(verified).toMatchObject({ code: 0, json: { looked_inside: true } });
    writeFileSync(marked, Buffer.from(`\ufeff${PASSPHRASE}\r\n`, "utf16le"));
    const refused = await run(["verify", path, "--passphrase-file", marked]);
    expect(refused).toMatchObject({ code: 2, out: "", err: expect.stringContaining("UTF-8") });
    expect(refused.err).not.toContain("horse");
  });

  it("says loudly what the next night deletes of what was restored, and that nothing was waited for", async () => {
    const path = join(folder, "old.backup");
    expect(await run(["create", "--output", path, "--no-wait"])).toMatchObject({ code: 0 });
    const clock = { ...systemClock, nowMs: () => second(0) / 1000 + 100.5 * 86_400_000 };
    const restored = await run(["restore", path, "--json"], to, {}, clock);
    expect(restored).toMatchObject({
      code: 0,
      json: { settled: false, expiring_events: 25, raw_days: 7, wanted_raw_days: 102 },
    });
    expect(restored.err).toContain("ALL 25 events are older than 7 days");
    expect(restored.err).toContain("set it to 102");
    expect(restored.err).toContain("--no-wait");
    await emptied();
    const kept = await run(["restore", path, "--json"], to, { HEARTHLINE_RAW_DAYS: "102" }, clock);
    expect(kept).toMatchObject({ code: 0, json: { expiring_events: 0, raw_days: 102, wanted_raw_days: 102 } });
    expect(kept.err).not.toContain("older");
    await emptied();
  });

  it("refuses a damaged file with 1, and touches nothing", async () => {
    const path = join(folder, "cut.backup");
    await run(["create", "--output", path]);
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, whole.length - 1));
    for (const args of [
      ["verify", path],
      ["restore", path],
    ])
      expect(await run(args, to)).toMatchObject({ code: 1, out: "", err: expect.stringContaining("is damaged") });
    expect(await to.operator.homes.get("home")).toBeUndefined();
  });

  it("says what was wrong with the command", async () => {
    const path = join(folder, "wrong.backup");
    writeFileSync(join(folder, "short"), "short\n");
    for (const [args, code, message, env] of [
      [["create"], 2, "--output"],
      [["create", "--output", path, "--home", "nowhere"], 2, '"nowhere"'],
      [["create", "--output", join(folder, "no", "folder")], 2, "ENOENT"],
      [["create", "--output", passphraseFile], 2, "--force"],
      [["create", "--output", path, "--passphrase-file", join(folder, "short")], 2, "at least 12"],
      [["create", "--output", path, "--passphrase-file", join(folder, "none")], 2, "ENOENT"],
      [["create", "--output", path], 2, "where no file is", { HEARTHLINE_SQLITE_PATH: join(folder, "none.db") }],
      [["create", "--output", path], 2, "memory", { HEARTHLINE_STORE: "memory" }],
      [["create", "--output", path], 3, "127.0.0.1:1", { AWS_ENDPOINT_URL_DYNAMODB: "http://127.0.0.1:1" }],
      [["verify", path], 1, "ENOENT"],
      [["restore", path], 1, "ENOENT"],
    ] as const) {
      const said = await run(args, from, env);
      expect(said, args.join(" ")).toMatchObject({ code, out: "" });
      expect(said.err).toContain(message);
    }
    expect(existsSync(path)).toBe(false);
    expect(existsSync(join(folder, "none.db"))).toBe(false);
  }, 60_000);

  it("waits for what is under way to the store, and is none when that does not arrive", async () => {
    const path = join(folder, "waiting.backup");
    await from.send("store", '{"v":1,"home_id":"home","count":1,"body":"never read"}');
    const waited = await run(["create", "--output", path, "--wait", "1"]);
    expect(waited).toMatchObject({ code: 1, err: expect.stringContaining("--no-wait") });
    expect(existsSync(path)).toBe(false);
    const unwaited = await run(["create", "--output", path, "--no-wait", "--json"]);
    expect(unwaited).toMatchObject({ code: 0, json: { settled: false, events: 25 } });
    expect(unwaited.err).toContain("may name events that are not in it");
    await from.drain();
  });

  it("restores a home that a killed restore has begun", async () => {
    const path = join(folder, "large.backup");
    const store = createEventStore(readConfig(from.env));
    for (const some of inGroups(manyEvents(40_000), 5_000)) await store.write(some);
    await store.close();
    expect(await run(["create", "--output", path])).toMatchObject({ code: 0 });
    const env = { ...process.env, ...to.env, HEARTHLINE_DATA: folder };
    const args = ["local/cli.ts", "backup", "restore", path];
    const child = spawn(process.execPath, args, { cwd: join(import.meta.dirname, "../../.."), env, stdio: "ignore" });
    const ended = once(child, "close");
    const target = createEventStore(readConfig(to.env));
    const written = async () => (await target.range({ homeId: "home", order: "asc", limit: 1_000 })).events.length;
    await until(written, (count) => count > 0, { everyMs: 1 });
    child.kill("SIGKILL");
    expect(await ended).toEqual([null, "SIGKILL"]);
    await target.close();
    // The home is not there yet: it comes last.
    expect(await to.operator.homes.get("home")).toBeUndefined();
    const again = await run(["restore", path, "--json"], to);
    expect(again).toMatchObject({ code: 0, json: { continued: true, events: 40_025, missing: 0, different: 0 } });
    expect(again.json.same_days).toBe(again.json.days);
    await emptied();
  }, 120_000);
});

function* inGroups<T>(values: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < values.length; start += size) yield values.slice(start, start + size);
}
