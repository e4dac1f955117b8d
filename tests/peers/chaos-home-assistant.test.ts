import { resolve } from "node:path";
import { expect, it } from "vitest";
import { describePeer, installPeer } from "../support/peers.ts";
import { run } from "../support/process.ts";

const MAIN = resolve(import.meta.dirname, "../chaos/main.ts");
const VERSION = "newest";

await describePeer(
  "chaos with a real Home Assistant",
  () => installPeer("home-assistant", ["--version", VERSION, "--install-only"]),
  () => {
    // Ten kills; `npm run chaos -- --home real --rounds 4` are twenty.
    it("loses nothing that nobody names", { timeout: 360_000 }, async () => {
      const args = ["--home", "real", "--version", VERSION, "--rounds", "2", "--seed", "5"];
      const { ended, output } = run([MAIN, ...args]);
      const code = await ended;
      expect([code, output()]).toEqual([0, expect.any(String)]);
      expect(JSON.parse(output().trim().split("\n").at(-1) ?? "")).toMatchObject({
        kills: 10,
        lost: 0,
        duplicates: 0,
        invented: 0,
        ledgers_incomplete: 0,
      });
    });
  },
);
