import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readConfig } from "../../../lib/wiring/config.ts";
import type { Operator } from "../../../lib/wiring/operator.ts";
import { type HomeOptions, prepareHome } from "../../../local/stack/first-start.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-first-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A fleet in memory: what the operator's commands would show. */
function fleet() {
  const keys = new Map<string, string>();
  const tokens: { id: string; homeId: string; name: string; scopes: readonly string[]; createdAt: string }[] = [];
  let made = 0;
  const operator = {
    homes: {
      get: async (homeId: string) => (keys.has(homeId) ? { homeId } : undefined),
      add: async ({ homeId, secret }: { homeId: string; secret: Buffer }) =>
        void keys.set(homeId, secret.toString("base64")),
    },
    tokens: {
      list: async () => [...tokens],
      create: async (token: { homeId: string; name: string; scopes: readonly string[] }) => {
        const id = `t${++made}`;
        tokens.push({ id, createdAt: `2026-11-22T06:00:0${made}.000Z`, ...token });
        return { id, text: `hl_${token.homeId}_${id}` };
      },
      revoke: async (_: string, id: string) =>
        tokens.splice(
          tokens.findIndex((one) => one.id === id),
          1,
        ).length === 1,
    },
  } as unknown as Pick<Operator, "homes" | "tokens">;
  const prepare = (more: Partial<HomeOptions> = {}, env: Record<string, string> = {}) =>
    prepareHome({
      config: readConfig(env),
      dataFolder: folder,
      runStartedAt: "2026-11-22T06:00:00.000Z",
      operator,
      currentKey: async () => keys.get("home"),
      ...more,
    });
  return { keys, tokens, prepare };
}

const kept = (file: string) => readFileSync(join(folder, file), "utf8").trim();

it("makes the home, its key, the administrator's token and the page's", async () => {
  const { keys, tokens, prepare } = fleet();
  expect(await prepare()).toBe("hl_home_t3");
  expect(kept("home-key")).toBe(keys.get("home"));
  expect(Buffer.from(kept("home-key"), "base64")).toHaveLength(32);
  expect(kept("token")).toBe("hl_home_t1");
  expect(kept("relay-token")).toBe("hl_home_t2");
  for (const file of ["token", "home-key", "relay-token"])
    expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
  expect(tokens.map(({ scopes }) => scopes)).toEqual([
    ["read", "write", "admin"],
    ["read", "write"],
    ["read", "write"],
  ]);
  expect(tokens[1]).toMatchObject({ name: "relay" });
});

it("keeps key and token the next time; pages get a new token, those of earlier runs are revoked", async () => {
  const { tokens, prepare } = fleet();
  await prepare();
  const before = [kept("home-key"), kept("token"), kept("relay-token")];
  await prepare();
  expect(tokens.map(({ id }) => id)).toEqual(["t1", "t2", "t3", "t4"]);
  await prepare({ runStartedAt: "2026-11-22T06:00:09.000Z" });
  expect(tokens.map(({ id }) => id)).toEqual(["t1", "t2", "t5"]);
  expect([kept("home-key"), kept("token"), kept("relay-token")]).toEqual(before);
});

it("takes the key that the home has, when its file is gone", async () => {
  const { keys, prepare } = fleet();
  await prepare();
  rmSync(join(folder, "home-key"));
  await prepare();
  expect(kept("home-key")).toBe(keys.get("home"));
});

it("makes a new administrator's token when the file is gone, or when the table does not know it", async () => {
  const { tokens, prepare } = fleet();
  await prepare();
  rmSync(join(folder, "token"));
  await prepare();
  expect(kept("token")).toBe("hl_home_t4");
  tokens.splice(0);
  await prepare();
  expect(kept("token")).toBe("hl_home_t6");
});

it("takes a key from the settings for a new home, and refuses another one for a home that exists", async () => {
  const { keys, prepare } = fleet();
  const key = Buffer.alloc(32, 1).toString("base64");
  await prepare({}, { HEARTHLINE_HOME_KEY: key });
  expect(keys.get("home")).toBe(key);
  await expect(prepare({}, { HEARTHLINE_HOME_KEY: Buffer.alloc(32, 2).toString("base64") })).rejects.toThrow(
    "not the key of the home",
  );
});
