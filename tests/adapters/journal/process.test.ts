import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createNodeFiles } from "../../../lib/adapters/journal/node-files.ts";
import { openJournal } from "../../../lib/adapters/journal/open.ts";
import { silentLogger } from "../../../lib/base/log.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { stateEntry } from "../../support/relay-records.ts";

const ALL = { limit: 1_000_000, maxBytes: 1_000_000_000 };
let folder: string;

const open = () =>
  openJournal({
    files: createNodeFiles(folder),
    homeId: "home",
    log: silentLogger,
    clock: manualClock(),
    newRelayId: () => "another",
    sinks: ["cloud"],
    maxBytes: 64 * 1_048_576,
  });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-journal-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the writer until `isEnough` says so, kills it, and gives the lines that it had said. */
async function write(isEnough: (lines: string[]) => boolean, shell?: string): Promise<string[]> {
  const program = fileURLToPath(new URL("./journal-writer.ts", import.meta.url));
  const child = shell
    ? spawn("bash", ["-c", `${shell}; exec "$0" "$1" "$2"`, process.execPath, program, folder])
    : spawn(process.execPath, [program, folder]);
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

const kept = (lines: readonly string[]) =>
  lines.filter((line) => line.startsWith("kept")).map((line) => line.split(" "));
const lastKept = (lines: readonly string[]): number => Math.max(0, ...kept(lines).map(([, , last]) => Number(last)));

describe("a process that writes the journal", () => {
  it("keeps what it has acknowledged over kill -9, and gives no number twice", async () => {
    let before = 0;
    for (const length of [12, 40, 90, 25]) {
      const lines = await write((all) => all.length > length);
      const said = lastKept(lines);
      expect(Number(kept(lines)[0]?.[1])).toBeGreaterThan(before);
      expect(said).toBeGreaterThan(before);
      const spool = await open();
      const { lastSequence, cursors, relayId, losses } = spool.state();
      expect(relayId).toBe("relay-writer");
      expect(losses).toBe(0);
      expect(lastSequence).toBeGreaterThanOrEqual(said);
      const numbers = (await spool.read("cloud", ALL)).map(({ n, line }) => {
        expect((JSON.parse(line) as { n: number }).n).toBe(n);
        return n;
      });
      const first = (cursors.cloud ?? 0) + 1;
      expect(numbers).toEqual(Array.from({ length: lastSequence - first + 1 }, (_, index) => first + index));
      await spool.close();
      before = lastSequence;
    }
  });

  it("says spool_failed when the disk takes no more, and has kept what it said it kept", async () => {
    const lines = await write(() => false, "trap '' XFSZ; ulimit -f 1024");
    expect(lines.at(-1)).toBe("failed spool_failed");
    const said = lastKept(lines);
    expect(said).toBeGreaterThan(100);
    const spool = await open();
    expect(spool.state()).toMatchObject({ lastSequence: said, losses: 0 });
    expect((await spool.append([stateEntry("next")]))[0]).toBe(said + 1);
    await spool.close();
  });
});
