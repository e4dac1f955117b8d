import { describe, expect, it } from "vitest";
import { type Fault, FaultFs, seededRandom } from "../../support/fault-fs.ts";
import { Reference, type ReferenceOptions } from "./reference.ts";

const LOSSLESS = { maxBytes: 1_000_000, isLossless: true } as const;

/** A fixed scenario that begins segments, removes them, and moves both cursors. */
async function play(reference: Reference): Promise<void> {
  for (let round = 0; round < 4; round++) {
    await reference.append([100, 2_000, 20_000]);
    await Promise.all([reference.append([10]), reference.append([20, 30])]);
    await reference.deliver("cloud", 5);
    await reference.append([30_000]);
    await reference.lose(2);
    await reference.deliver("cloud", 500);
    await reference.deliver("old", 5);
    await reference.clock.advance(2_000);
  }
}

/** A sink that takes nothing, at the bound: what is given up tells of what was given up before. */
async function overflow(reference: Reference): Promise<void> {
  for (let round = 0; round < 5; round++) {
    await reference.append([30_000, 100, 30_000]);
    await reference.append([30_000, 100]);
    await reference.lose(1);
  }
}

async function changesOf(options: ReferenceOptions, scene: (reference: Reference) => Promise<void>): Promise<number> {
  const fs = new FaultFs(seededRandom(1));
  const reference = await Reference.start(fs, options);
  const before = fs.changes;
  await scene(reference);
  return fs.changes - before;
}

const changesOfPlay = () => changesOf(LOSSLESS, play);

describe("the journal at every change that it makes to the disk", () => {
  it("crash: after it nothing that was promised is missing", async () => {
    const changes = await changesOfPlay();
    expect(changes).toBeGreaterThan(60);
    for (let at = 1; at <= changes; at++) {
      for (const seed of [1, 2, 3]) {
        const fs = new FaultFs(seededRandom(at * 31 + seed));
        const reference = await Reference.start(fs, LOSSLESS);
        fs.plant(at, "crash");
        await play(reference);
        await reference.crash();
        await reference.append([5]);
        await reference.settle();
      }
    }
  });

  it("crash at the bound: what was given up is named, and what it had named as well, once", async () => {
    const options = { maxBytes: 150_000, isLossless: false };
    const changes = await changesOf(options, overflow);
    expect(changes).toBeGreaterThan(60);
    for (let at = 1; at <= changes; at++) {
      for (const seed of [1, 2]) {
        const fs = new FaultFs(seededRandom(at * 31 + seed));
        const reference = await Reference.start(fs, options);
        fs.plant(at, "crash");
        await overflow(reference);
        await reference.crash();
        // What had been named before the crash is given up as well, or is still there.
        if (seed === 1) await overflow(reference);
        await reference.settle();
        expect({ at, seed, twice: reference.namedTwice("cloud") }).toEqual({ at, seed, twice: [] });
      }
    }
  });

  it.each<[Fault, boolean]>([
    ["ENOSPC", false],
    ["EIO", false],
    ["EROFS", false],
    ["ENOSPC", true],
    ["EIO", true],
    ["EROFS", true],
  ])("%s (for good: %s): what is refused can be tried again, what was promised stays", async (fault, isLasting) => {
    const changes = await changesOfPlay();
    for (let at = 1; at <= changes; at++) {
      const fs = new FaultFs(seededRandom(at));
      const reference = await Reference.start(fs, LOSSLESS);
      fs.plant(at, fault, isLasting);
      await play(reference);
      fs.heal();
      expect(await reference.append([5])).toBe(true);
      // Once by a clean end, once by a crash.
      if (at % 2) await reference.restart();
      else await reference.crash();
      await reference.settle();
    }
  });

  it("writes that are cut short are gone on with", async () => {
    const fs = new FaultFs(seededRandom(5));
    const reference = await Reference.start(fs, LOSSLESS);
    fs.shortWriteBytes = 777;
    expect(await reference.append([9_000, 10, 40_000])).toBe(true);
    await reference.crash();
    await reference.settle();
  });

  it("what was refused in the middle of a write does not come back behind what was written in its place", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const fs = new FaultFs(seededRandom(seed));
      const reference = await Reference.start(fs, LOSSLESS);
      await reference.append([10]);
      fs.plant(1, "ENOSPC");
      expect(await reference.append([300, 10, 300, 10, 300, 10])).toBe(false);
      expect(await reference.append([10])).toBe(true);
      await reference.crash();
      expect(reference.spool.state().lastSequence).toBe(2);
      await reference.settle();
    }
  });

  it("what was refused and could not be cut off does not come back when what has its number is given up", async () => {
    const reference = await Reference.start(new FaultFs(seededRandom(7)), { maxBytes: 150_000, isLossless: false });
    await reference.append([100]);
    reference.fs.plant(2, "EIO", true);
    expect(await reference.append([200])).toBe(false);
    reference.fs.heal();
    await reference.append([300]);
    // In hand, so the segment behind it goes first.
    for (const sink of reference.sinks) await reference.spool.read(sink, { limit: 1, maxBytes: 1 });
    for (let group = 0; group < 4; group++) await reference.append([30_000, 30_000]);
    await reference.restart();
    const firsts = reference.fs.names().map((name) => Number.parseInt(name, 10));
    expect(firsts).toContain(1);
    expect(firsts).not.toContain(2);
    await reference.settle();
  });

  it("a disk that is full refuses, keeps what it has, and takes more when there is room", async () => {
    const fs = new FaultFs(seededRandom(6));
    const reference = await Reference.start(fs, LOSSLESS);
    await reference.append([1_000]);
    for (const room of [1, 24, 300, 5_000, 70_000]) {
      fs.capacityBytes = fs.usedBytes() + room;
      expect(await reference.append([80_000])).toBe(false);
      expect(await reference.append([80_000])).toBe(false);
      fs.capacityBytes = Number.POSITIVE_INFINITY;
      expect(await reference.append([80_000])).toBe(true);
    }
    await reference.crash();
    await reference.settle();
  });
});
