import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../lib/base/clock.ts";
import { runCommand } from "../../../local/cli/program.ts";
import { dynamodbClientAt, startDynaliteServer } from "../../support/dynalite.ts";
import { startFauxqsServer } from "../../support/fauxqs.ts";
import { provisionQueues, provisionTable } from "../../support/provision.ts";

let tables: Awaited<ReturnType<typeof startDynaliteServer>>;
let queues: Awaited<ReturnType<typeof startFauxqsServer>>;
let folder: string;
let number = 0;
let env: Record<string, string>;

beforeAll(async () => {
  tables = await startDynaliteServer();
  queues = await startFauxqsServer();
  folder = mkdtempSync(join(tmpdir(), "hearthline-cli-"));
  await provisionQueues(queues.client, [{ name: "cli-events", visibilitySeconds: 60 }]);
});
afterAll(async () => {
  await Promise.all([tables.stop(), queues.stop()]);
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  env = {
    AWS_ENDPOINT_URL_SQS: queues.url,
    AWS_ENDPOINT_URL_DYNAMODB: tables.url,
    HEARTHLINE_QUEUE_PREFIX: "cli",
    HEARTHLINE_TABLE: `cli-tenancy-${++number}`,
    HEARTHLINE_DATA: folder,
  };
  await provisionTable(dynamodbClientAt(tables.url), env.HEARTHLINE_TABLE ?? "", systemClock);
});

async function run(line: string, nowMs = systemClock.nowMs()) {
  const said = { out: [] as string[], err: [] as string[] };
  const code = await runCommand(line.split(" "), {
    env,
    streams: { out: (text) => void said.out.push(text), err: (text) => void said.err.push(text) },
    signal: new AbortController().signal,
    clock: { ...systemClock, nowMs: () => nowMs },
    version: "0.1.0",
    run: async () => 0,
  });
  return { code, out: said.out.join(""), err: said.err.join("") };
}
const json = async (line: string, nowMs?: number) => JSON.parse((await run(`${line} --json`, nowMs)).out);

describe("keys of a home", () => {
  it("are made, listed without their secrets, retired and taken back", async () => {
    const { key: oldKey, key_id: oldId } = await json("homes add villa");
    const rotated = await run("homes rotate-key villa");
    const [, newKey = ""] = /key {5}(\S+)/.exec(rotated.out) ?? [];
    expect([rotated.code, Buffer.from(newKey, "base64").length, newKey === oldKey]).toEqual([0, 32, false]);
    expect(rotated.err).toContain("HEARTHLINE_HOME_KEY");
    const statuses = async () =>
      (await json("homes keys villa")).keys.map((key: { key_id: string; status: string }) => [key.key_id, key.status]);
    const newId = (await json("homes keys villa")).keys[1].key_id;
    expect(await statuses()).toEqual([
      [oldId, "good"],
      [newId, "current"],
    ]);
    const shown = await run("homes keys villa");
    expect(shown.out).toMatch(/KEY +STATUS +CREATED +LAST USED +RELAYS/);
    for (const secret of [oldKey, newKey]) expect(shown.out).not.toContain(secret);
    expect(await run(`homes retire-key villa ${oldId}`)).toMatchObject({ code: 0, out: `retired ${oldId}\n` });
    expect(await statuses()).toEqual([
      [oldId, "retired"],
      [newId, "current"],
    ]);
    const last = await run(`homes retire-key villa ${newId} --force`);
    expect(last.code).toBe(2);
    expect(last.err).toContain("the only one");
    expect((await run(`homes retire-key villa ${oldId} --undo`)).code).toBe(0);
    expect((await statuses())[0]).toEqual([oldId, "good"]);
  }, 20_000);

  it.each([
    ["homes keys nobody", 1, "There is no home"],
    ["homes rotate-key nobody", 1, "does not exist"],
    ["homes retire-key villa 0123456789abcdef", 1, "has no key"],
    ["homes retire-key villa 0123456789abcdef --undo", 1, "has no key"],
  ])("%s: says what is missing", async (line, code, words) => {
    await run("homes add villa");
    const answer = await run(line);
    expect([answer.code, answer.out]).toEqual([code, ""]);
    expect(answer.err).toContain(words);
  });
});

describe("tokens", () => {
  it("expire when they were said to, and are shown as over; revoked ones are gone", async () => {
    await run("homes add villa");
    const text = await run("tokens create --home villa --name page --scopes read,write --expires-days 2");
    expect(text.out).toMatch(/^hl_villa_\S{43}\n$/);
    await run("tokens create --home villa --name old --days 1");
    await run("tokens create --home villa --name admin --scopes admin");
    const now = systemClock.nowMs();
    const listed = async (atMs: number) =>
      (await json("tokens list --home villa", atMs)).tokens.map((token: Record<string, unknown>) => [
        token.name,
        token.scopes,
        token.expired,
      ]);
    expect(await listed(now)).toEqual([
      ["page", ["read", "write"], false],
      ["old", ["read"], false],
      ["admin", ["admin"], false],
    ]);
    expect((await listed(now + 1.5 * 86_400_000)).map(([, , expired]: unknown[]) => expired)).toEqual([
      false,
      true,
      false,
    ]);
    expect((await run("tokens list --home villa", now + 3 * 86_400_000)).out).toMatch(/page .*\(over\)/);
    const [{ id }] = (await json("tokens list --home villa")).tokens;
    expect(await run(`tokens revoke ${id} --home villa`)).toMatchObject({ code: 0 });
    expect(await run(`tokens revoke ${id} --home villa`)).toMatchObject({ code: 1 });
    expect(await listed(now)).toHaveLength(2);
  });

  it.each(["0", "-1", "1.5", "36501", "soon"])("take no %s days", async (days) => {
    const answer = await run(`tokens create --home villa --name x --expires-days ${days}`);
    expect([answer.code, answer.out]).toEqual([2, ""]);
  });
});
