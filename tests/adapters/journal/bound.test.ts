import { describe, expect, it } from "vitest";
import { openJournal } from "../../../lib/adapters/journal/open.ts";
import type { JournalOptions } from "../../../lib/adapters/journal/options.ts";
import { silentLogger } from "../../../lib/base/log.ts";
import type { RelayRecord } from "../../../lib/event/index.ts";
import type { Spool } from "../../../lib/relay/ports.ts";
import { FaultFs, seededRandom } from "../../support/fault-fs.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { stateEntry } from "../../support/relay-records.ts";

const MIB = 1_048_576;
const ALL = { limit: 1_000_000, maxBytes: 1_000_000_000 };

const start = async (over: Partial<JournalOptions> = {}) => {
  const fs = new FaultFs(seededRandom(1));
  const open = () =>
    openJournal({
      files: fs.files(),
      log: silentLogger,
      clock: manualClock(),
      homeId: "home",
      newRelayId: () => "relay",
      sinks: ["cloud"],
      maxBytes: MIB,
      ...over,
    });
  return { fs, open, spool: await open() };
};

const entries = (count: number) => Array.from({ length: count }, (_, index) => stateEntry(`e${index}`, 1_000));
const append = async (spool: Spool, groups: number) => {
  for (let group = 0; group < groups; group++) await spool.append(entries(20));
};
const lossesOf = async (spool: Spool, sink = "cloud") =>
  (await spool.read(sink, ALL))
    .map(({ line }) => JSON.parse(line) as RelayRecord)
    .filter((record) => record.t === "loss");

describe("the journal at its bound", () => {
  it("does not give up what a sink has in its hands while there is anything else", async () => {
    const { spool } = await start();
    await append(spool, 20);
    const inHand = await spool.read("cloud", { ...ALL, limit: 150 });
    const last = inHand.at(-1)?.n ?? 0;
    await append(spool, 100);
    const losses = await lossesOf(spool);
    expect(losses.length).toBeGreaterThan(0);
    expect(Math.min(...losses.map(({ first }) => first))).toBeGreaterThan(last);
    // The sink takes what it had, and reads on behind the hole.
    await spool.acknowledge("cloud", last);
    const rest = await spool.read("cloud", { ...ALL, after: last });
    const lost = new Set(
      losses.flatMap(({ first, last: end }) => Array.from({ length: end - first + 1 }, (_, i) => first + i)),
    );
    expect([...rest.map(({ n }) => n), ...lost].sort((a, b) => a - b)).toEqual(
      Array.from({ length: spool.state().lastSequence - last }, (_, index) => last + 1 + index),
    );
    expect(spool.state().records).toBe(rest.length);
    await spool.acknowledge("cloud", spool.state().lastSequence);
    expect(spool.state().records).toBe(0);
  });

  it("gives up what is in hands when there is nothing else", async () => {
    const { spool } = await start();
    await append(spool, 45);
    await spool.read("cloud", ALL);
    await append(spool, 100);
    expect(spool.state().bytes).toBeLessThanOrEqual(MIB);
    expect(spool.state().losses).toBeGreaterThan(1_000);
  });

  it("keeps a hole in the middle over a restart", async () => {
    const { spool, open } = await start();
    await append(spool, 20);
    await spool.read("cloud", { ...ALL, limit: 150 });
    await append(spool, 60);
    const before = spool.state();
    await spool.close();
    const again = await open();
    expect(again.state()).toMatchObject({
      records: before.records,
      losses: before.losses,
      lastSequence: before.lastSequence,
    });
    await again.read("cloud", ALL);
    expect(again.state()).toEqual({ ...before, bytes: again.state().bytes });
  });

  it("refuses what comes when it is told to, and says how much once there is room", async () => {
    const { spool, open } = await start({ atBound: "newest" });
    await append(spool, 45);
    const { lastSequence } = spool.state();
    for (let group = 0; group < 30; group++) await spool.append(entries(20));
    const full = spool.state();
    const refused = full.losses;
    expect(refused).toBe(20 * 75 - full.lastSequence);
    expect(full.lastSequence).toBeGreaterThanOrEqual(lastSequence);
    expect(await spool.append(entries(20))).toEqual(Array.from({ length: 20 }, () => 0));
    await spool.close();
    const again = await open();
    expect(again.state().losses).toBe(refused + 20);
    expect((await lossesOf(again)).map(({ count }) => count)).toEqual([refused + 20]);
    await again.acknowledge("cloud", full.lastSequence);
    const [next] = await again.append(entries(1));
    expect(next).toBe(full.lastSequence + 2);
  });

  it("does not grow while the disk has too little left, and neither gives up more than that", async () => {
    const { spool, fs } = await start({ minFreeBytes: 10 * MIB });
    fs.freeBytes = 11 * MIB;
    await append(spool, 30);
    const { bytes } = spool.state();
    expect(spool.state().losses).toBe(0);
    fs.freeBytes = 9 * MIB;
    // Asked again after a megabyte.
    await append(spool, 120);
    expect(spool.state().bytes).toBeLessThanOrEqual(bytes + MIB);
    expect(spool.state().bytes).toBeGreaterThan(bytes / 2);
    expect((await lossesOf(spool)).map(({ reason }) => reason).join()).toContain("disk was nearly full");
  });

  it("a relay that sends what it gets loses nothing on a disk that is nearly full", async () => {
    const { spool, fs } = await start({ minFreeBytes: 10 * MIB });
    fs.freeBytes = MIB;
    for (let group = 0; group < 100; group++) {
      await spool.append(entries(20));
      await spool.acknowledge("cloud", spool.state().lastSequence);
    }
    expect(spool.state().losses).toBe(0);
  });
});
