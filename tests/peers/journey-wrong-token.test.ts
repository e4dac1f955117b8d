import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describePeer, freePort, installPeer } from "../support/peers.ts";
import { run } from "../support/process.ts";
import { type RealHome, startHome } from "../support/real-home.ts";
import { bytesWith } from "../support/secrets.ts";
import { newDataFolder, type RunningStack, removeData, startStack, until } from "../support/stack.ts";

const VERSION = "newest";
const WRONG = "a-token-that-nobody-has-made-in-this-home";
/** How long is watched whether it tries again; a relay that hammers does so many times a second, one that backs off several times. */
const WATCHED_MS = 12_000;

/** A way to a server on which attempts to connect can be counted. */
interface Door {
  readonly url: string;
  /** Requests for a WebSocket so far. */
  attempts(): number;
  close(): Promise<unknown>;
}

async function openDoor(to: string): Promise<Door> {
  let attempts = 0;
  const sockets = new Set<Socket>();
  const server = createServer((inner) => {
    const outer = connect(Number(new URL(to).port), "127.0.0.1");
    inner.once("data", (chunk: Buffer) => {
      if (chunk.toString("latin1").startsWith("GET /api/websocket")) attempts += 1;
    });
    for (const socket of [inner, outer]) sockets.add(socket.on("error", () => socket.destroy()));
    inner.pipe(outer).pipe(inner);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    attempts: () => attempts,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((done) => server.close(done));
    },
  };
}

interface Health {
  readonly status: string;
  readonly parts: readonly { readonly kind: string; readonly state: string; readonly detail: string }[];
}

await describePeer(
  "a wrong token for Home Assistant",
  () => installPeer("home-assistant", ["--version", VERSION, "--install-only"]),
  () =>
    describe(`a wrong token for Home Assistant ${VERSION}`, () => {
      const dataFolder = newDataFolder();
      let home: RealHome;
      let door: Door;
      let stack: RunningStack;
      beforeAll(async () => {
        home = await startHome(VERSION);
        door = await openDoor(home.url);
      }, 300_000);
      afterAll(async () => {
        await stack?.stop();
        await door?.close();
        await home?.stop();
        removeData(dataFolder);
      }, 120_000);

      it("ends a relay that runs alone, with a message that says what to do", async () => {
        const relay = run([resolve(import.meta.dirname, "../../local/relay.ts")], {
          env: {
            PATH: process.env.PATH,
            HEARTHLINE_DATA: dataFolder,
            HEARTHLINE_HA_URL: door.url,
            HEARTHLINE_HA_TOKEN: WRONG,
            HEARTHLINE_HOME_KEY: Buffer.alloc(32, 7).toString("base64"),
            AWS_ENDPOINT_URL: `http://127.0.0.1:${await freePort()}`,
          },
        });
        expect(await relay.ended).toBe(78);
        expect(relay.output()).toContain("refused the token");
        expect(relay.output()).toContain("Make a long-lived access token there");
        expect(relay.output()).not.toContain(WRONG);
        expect(door.attempts()).toBe(1);
      }, 60_000);

      it("leaves the rest at work, is told by /health, and is tried once", async () => {
        const env = { HEARTHLINE_HA_URL: door.url, HEARTHLINE_HA_TOKEN: WRONG };
        stack = await startStack({ dataFolder, env });
        const { status, parts } = await until(
          () => stack.get<Health>("/health"),
          (health) => health.parts.some(({ detail }) => detail.includes("refused the token")),
          { deadlineMs: 60_000 },
        );
        expect(status).toBe("degraded");
        expect(parts.filter(({ state }) => state !== "ok").map(({ kind }) => kind)).toEqual(["relay"]);
        expect(JSON.stringify(parts)).not.toContain(WRONG);
        const fromMs = performance.now();
        await until(
          () => stack.get<Health>("/health"),
          () => performance.now() - fromMs > WATCHED_MS,
          { deadlineMs: 2 * WATCHED_MS, everyMs: 1_000 },
        );
        expect(door.attempts()).toBe(2);
        expect(stack.said()).not.toContain(WRONG);
        expect(bytesWith(dataFolder, []).filter((bytes) => bytes.includes(WRONG))).toEqual([]);
      }, 120_000);

      it("is mended by the right one", async () => {
        expect(await stack.stop()).toBe(0);
        stack = await startStack({ dataFolder, env: { HEARTHLINE_HA_URL: door.url, HEARTHLINE_HA_TOKEN: home.token } });
        await until(
          () => stack.get<Health>("/health"),
          (health) => health.parts.some(({ detail }) => detail.startsWith("Connected to Home Assistant")),
          { deadlineMs: 60_000 },
        );
      }, 120_000);
    }),
);
