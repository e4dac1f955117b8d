import { spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSqliteSpool } from "../../../lib/adapters/sqlite/spool.ts";
import { createLogger } from "../../../lib/base/log.ts";
import type { Spool } from "../../../lib/relay/ports.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { stateRecord } from "../../support/relay-records.ts";

const ALL = { limit: 1_000_000, maxBytes: 1_000_000_000 };
let folder: string;
let path: string;
let logged: string[];
let made = 0;
const opened: Spool[] = [];

const open = (over: { sinks?: string[] } = {}): Spool => {
  const spool = createSqliteSpool({
    path,
    log: createLogger({ write: (line) => logged.push(line) }),
    clock: manualClock(),
    newRelayId: () => `relay-${++made}`,
    sinks: ["cloud"],
    maxBytes: 64 * 1_048_576,
    ...over,
  });
  opened.push(spool);
  return spool;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-spool-"));
  path = join(folder, "relay", "spool.db");
  logged = [];
});
afterEach(async () => {
  for (const spool of opened.splice(0)) await spool.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("the spool's file", () => {
  it("keeps relay id, numbers and cursors over a restart", async () => {
    const first = open();
    await first.append([stateRecord("a"), stateRecord("b"), stateRecord("c")]);
    await first.acknowledge("cloud", 3);
    const { relayId } = first;
    await first.close();
    const second = open();
    expect(second.state()).toMatchObject({ relayId, lastSequence: 3, cursors: { cloud: 3 }, records: 0 });
    expect(await second.append([stateRecord("d")])).toEqual([4]);
  });

  it("gives a new sink what is still there, and forgets one that is no longer named", async () => {
    const first = open();
    await first.append([stateRecord("a"), stateRecord("b"), stateRecord("c")]);
    await first.acknowledge("cloud", 1);
    await first.close();
    const both = open({ sinks: ["cloud", "old"] });
    expect(both.state().cursors).toEqual({ cloud: 1, old: 1 });
    await both.acknowledge("cloud", 3);
    await both.close();
    const one = open();
    expect(one.state()).toMatchObject({ cursors: { cloud: 3 }, records: 0 });
  });

  it("refuses a second relay on the same file, which the first does not notice", async () => {
    const first = open();
    expect(() => open()).toThrow(expect.objectContaining({ code: "already_running" }));
    expect(await first.append([stateRecord("a")])).toEqual([1]);
  });

  it("refuses a file that a newer Hearthline wrote, and leaves it as it is", async () => {
    await open().close();
    const db = new DatabaseSync(path);
    db.exec("PRAGMA user_version = 99");
    db.close();
    expect(() => open()).toThrow(expect.objectContaining({ code: "data_folder_unusable", fate: "stop" }));
    expect(readdirSync(join(folder, "relay"))).toEqual(["spool.db"]);
  });

  it.each([
    [
      "no database at all",
      () => writeFileSync(path, "this is no database, and long enough to be looked at ".repeat(40)),
    ],
    ["cut in the middle", () => writeFileSync(path, readFileSync(path).subarray(0, 30_000))],
    [
      "overwritten pages",
      () => {
        const bytes = readFileSync(path);
        bytes.fill(0xa5, 20_000, 60_000);
        writeFileSync(path, bytes);
      },
    ],
    [
      "a hole in the numbers",
      () => {
        const db = new DatabaseSync(path);
        db.exec("DELETE FROM records WHERE n = 50");
        db.close();
      },
    ],
  ])("sets a damaged file aside and begins a new one with a new relay id: %s", async (_, damage) => {
    const first = open();
    await first.append(Array.from({ length: 200 }, (_each, index) => stateRecord(`e${index}`, 500)));
    await first.close();
    // A crash leaves the file without the mark of a clean end.
    const db = new DatabaseSync(path);
    db.exec("UPDATE meta SET value = 0 WHERE name = 'is_closed'");
    db.close();
    damage();
    const damaged = readFileSync(path);
    const second = open();
    expect(second.relayId).not.toBe(first.relayId);
    expect(second.state()).toMatchObject({ lastSequence: 0, records: 0 });
    expect(await second.append([stateRecord("new")])).toEqual([1]);
    const aside = readdirSync(join(folder, "relay")).find((name) => name.includes(".damaged-"));
    expect(readFileSync(join(folder, "relay", String(aside))).equals(damaged)).toBe(true);
    expect(logged.join("\n")).toContain(String(aside));
  });

  it("takes what a crash left, log included, as whole", async () => {
    const first = open();
    await first.append([stateRecord("a"), stateRecord("b")]);
    const before = first.state();
    const crashed = join(folder, "crash", "spool.db");
    mkdirSync(join(folder, "crash"));
    copyFileSync(path, crashed);
    copyFileSync(`${path}-wal`, `${crashed}-wal`);
    await first.close();
    path = crashed;
    const second = open();
    expect(second.state()).toMatchObject({ lastSequence: 2, relayId: before.relayId });
    expect(await second.read("cloud", ALL)).toHaveLength(2);
  });
});

/** Runs the writer until `isEnough` says so, kills it, and gives the lines that it had said. */
async function write(isEnough: (lines: string[]) => boolean, shell?: string): Promise<string[]> {
  const program = fileURLToPath(new URL("./spool-writer.ts", import.meta.url));
  const child = shell
    ? spawn("bash", ["-c", `${shell}; exec "$0" "$1" "$2"`, process.execPath, program, path])
    : spawn(process.execPath, [program, path]);
  let said = "";
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    if (isEnough(said.split("\n"))) child.kill("SIGKILL");
  });
  await ended;
  // The last line may be cut: it was not said.
  return said.split("\n").slice(0, -1);
}

const lastKept = (lines: readonly string[]): number =>
  Math.max(0, ...lines.filter((line) => line.startsWith("kept")).map((line) => Number(line.split(" ")[2])));
const firstKept = (lines: readonly string[]): number =>
  Number(lines.find((line) => line.startsWith("kept"))?.split(" ")[1]);

describe("a process that writes the spool", () => {
  it("keeps what it has acknowledged over kill -9, and gives no number twice", async () => {
    let kept = 0;
    for (const length of [12, 40, 90]) {
      const lines = await write((all) => all.length > length);
      const said = lastKept(lines);
      expect(firstKept(lines)).toBeGreaterThan(kept);
      expect(said).toBeGreaterThan(kept);
      const spool = open();
      const { lastSequence, cursors, relayId } = spool.state();
      expect(relayId).toBe("relay-writer");
      expect(lastSequence).toBeGreaterThanOrEqual(said);
      const numbers = (await spool.read("cloud", ALL)).map(({ n, line }) => {
        expect((JSON.parse(line) as { n: number }).n).toBe(n);
        return n;
      });
      const first = (cursors.cloud ?? 0) + 1;
      expect(numbers).toEqual(Array.from({ length: lastSequence - first + 1 }, (_, index) => first + index));
      await spool.close();
      kept = lastSequence;
    }
    expect(existsSync(path)).toBe(true);
  });

  it("says spool_failed when the disk takes no more, and has kept what it said it kept", async () => {
    const lines = await write(() => false, "trap '' XFSZ; ulimit -f 1024");
    expect(lines.at(-1)).toBe("failed spool_failed");
    const said = lastKept(lines);
    expect(said).toBeGreaterThan(100);
    const spool = open();
    expect(spool.state().lastSequence).toBe(said);
    expect((await spool.append([stateRecord("next")]))[0]).toBe(said + 1);
  });
});
