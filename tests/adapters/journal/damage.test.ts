import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FaultFs, seededRandom } from "../../support/fault-fs.ts";
import { stateEntry } from "../../support/relay-records.ts";
import { ALL, Reference } from "./reference.ts";

/** Some segments, half of them acknowledged by one sink. */
async function filled(): Promise<Reference> {
  const reference = await Reference.start(new FaultFs(seededRandom(1)), { isLossless: false });
  for (let group = 0; group < 30; group++) await reference.append([1_000, 9_000, 200]);
  await reference.deliver("cloud", 40);
  return reference;
}

const segmentsOf = ({ fs }: Reference) => fs.names().filter((name) => name.endsWith(".seg"));
const flip = (at: number, bit: number) => (content: Buffer) => {
  content[at] = (content[at] ?? 0) ^ (1 << bit);
  return content;
};

const names = async (reference: Promise<Reference>) => (await reference).fs.names();
const segmentFirsts = (all: readonly string[]) =>
  all.filter((name) => name.endsWith(".seg")).map((name) => Number.parseInt(name, 10));
const deliverAll = async (reference: Reference) => {
  for (let round = 0; round < 4; round++) await reference.deliver("old", 1_000);
};

const lossesOf = async (reference: Reference) =>
  (await reference.spool.read("old", ALL)).map(({ line }) => JSON.parse(line)).filter(({ t }) => t === "loss");

describe("a journal that was damaged while it was closed", () => {
  it("names what a flipped bit took, whichever bit of whichever segment it is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.nat(7), async (which, where, bit) => {
        const reference = await filled();
        await reference.damaged((fs) => {
          const names = segmentsOf(reference);
          fs.edit(names[which % names.length] ?? "", (content) => flip(where % content.length, bit)(content));
        });
        await reference.settle();
        // One record, not the rest of the segment.
        expect(reference.spool.state().losses).toBeLessThanOrEqual(1);
        expect(await reference.append([10])).toBe(true);
        await reference.settle();
      }),
      { numRuns: 120 },
    );
  });

  it("names what a missing, an emptied, a cut and an overwritten segment took, and sets aside what is damaged", async () => {
    const damages: ((fs: FaultFs, name: string) => void)[] = [
      (fs, name) => fs.unlink(name),
      (fs, name) => fs.edit(name, () => Buffer.alloc(0)),
      (fs, name) => fs.edit(name, (content) => content.subarray(0, 30_000)),
      (fs, name) => fs.edit(name, (content) => content.fill(0xa5, 5_000, 40_000)),
      (fs, name) => fs.edit(name, (content) => content.fill(0)),
      (fs, name) => fs.edit(name, () => Buffer.from("this is no segment ".repeat(100))),
    ];
    for (const [kind, damage] of damages.entries()) {
      for (let which = 0; which < 5; which++) {
        const reference = await filled();
        const name = segmentsOf(reference)[which] ?? "";
        await reference.damaged((fs) => damage(fs, name));
        expect(await reference.append([10])).toBe(true);
        await reference.settle();
        expect(reference.spool.state().losses).toBeGreaterThan(0);
        // A crash later says no loss twice that a sink has taken.
        await reference.crash();
        await reference.settle();
        const isAside = reference.fs.names().some((each) => each.startsWith(`${name}.damaged`));
        if (kind === 3) expect(isAside).toBe(true);
      }
    }
  });

  it("goes on from the segments when the state is gone, and says so", async () => {
    for (const damage of [
      (fs: FaultFs) => fs.unlink("state"),
      (fs: FaultFs) => fs.edit("state", (content) => content.fill(7)),
      (fs: FaultFs) => fs.edit("state", () => Buffer.alloc(0)),
    ]) {
      const reference = await filled();
      const { lastSequence, relayId } = reference.spool.state();
      await reference.damaged(damage);
      expect(reference.spool.state()).toMatchObject({ lastSequence, relayId, cursors: { cloud: 0, old: 0 } });
      expect(reference.logged.join()).toContain("state is gone");
      await reference.append([10]);
      await reference.settle();
    }
  });

  it("takes the older slot when the newer one is damaged: numbers are not reused, cursors fall back", async () => {
    const reference = await filled();
    const { lastSequence } = reference.spool.state();
    for (const slot of [0, 131_072]) {
      await reference.damaged((fs) => fs.edit("state", flip(slot + 40, 3)));
      expect(reference.spool.state()).toMatchObject({ lastSequence, relayId: "relay-1" });
    }
    await reference.append([10]);
    await reference.settle();
  });

  it("does not take an orderly end that the older slot tells of for the last word when the newer slot is damaged", async () => {
    for (const slot of [0, 131_072]) {
      const reference = await filled();
      for (let run = 0; run < 2; run++) {
        await reference.restart();
        await reference.append([100, 100]);
        const { lastSequence } = reference.spool.state();
        reference.fs.crash();
        reference.fs.edit("state", flip(slot + 40, 3));
        reference.spool = await reference.open();
        expect(reference.spool.state().lastSequence).toBe(lastSequence);
      }
      await reference.append([10]);
      await reference.settle();
    }
  });

  it("skips the numbers that may have been given when the newest segment is gone after a crash", async () => {
    const reference = await filled();
    const { lastSequence } = reference.spool.state();
    reference.fs.crash();
    reference.fs.unlink(segmentsOf(reference).at(-1) ?? "");
    reference.spool = await reference.open();
    expect(reference.spool.state().lastSequence).toBeGreaterThan(lastSequence);
    await reference.append([10]);
    const losses = await lossesOf(reference);
    expect(losses.map(({ reason }) => reason).join()).toContain("may have been given");
    await reference.settle();
  });

  it("begins a new spool with a new relay id when nothing of the old one can be read", async () => {
    const reference = await filled();
    await reference.spool.close();
    for (const name of reference.fs.names()) reference.fs.edit(name, (content) => content.fill(0x55));
    reference.spool = await reference.open();
    expect(reference.spool.state()).toMatchObject({ relayId: "relay-2", lastSequence: 0, records: 0 });
    expect(reference.fs.names().filter((name) => name.includes(".damaged-")).length).toBeGreaterThan(3);
    expect(await reference.spool.append([stateEntry("a")])).toEqual([1]);
  });

  it("reads on when a segment is deleted while it runs", async () => {
    const reference = await filled();
    for (const name of segmentsOf(reference).slice(1, 3)) reference.fs.unlink(name);
    await reference.settle();
    expect(reference.spool.state().losses).toBeGreaterThan(0);
  });
});

describe("a journal of which the newest group was damaged after a crash", () => {
  it("gives no number that was sent to anything else, whichever bit it is", async () => {
    const group = fc.array(fc.oneof(fc.nat(40), fc.nat(1_500)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(group, fc.nat(), fc.nat(7), fc.boolean(), async (sizes, where, bit, isNewSegment) => {
        const reference = await filled();
        // The state on the disk does not know of what comes now; the cloud has it all.
        if (isNewSegment) reference.fs.plant(3, "EIO");
        if (isNewSegment) await reference.append([5]);
        const name = segmentsOf(reference).at(-1) ?? "";
        const before = reference.fs.bytesOf(name);
        await reference.append(sizes);
        await reference.deliver("cloud", 1_000);
        const newest = segmentsOf(reference).at(-1) ?? "";
        const from = newest === name ? before : 0;
        reference.fs.crash();
        reference.fs.edit(newest, (content) => flip(from + (where % (content.length - from)), bit)(content));
        reference.spool = await reference.open();
        const { lastSequence } = reference.spool.state();
        expect(await reference.append([10])).toBe(true);
        await reference.settle();
        expect(reference.spool.state().losses).toBeLessThanOrEqual(sizes.length);
        // What is skipped is not much more than what can have been there.
        expect(reference.spool.state().lastSequence - lastSequence).toBeLessThan(10);
        await reference.crash();
        await reference.settle();
      }),
      { numRuns: 100 },
    );
  });
});

describe("a journal on a disk with bad sectors", () => {
  it("tries again for a while, then gives up what cannot be read and goes on", async () => {
    const reference = await filled();
    await reference.deliver("cloud", 1_000);
    const name = segmentsOf(reference)[1] ?? "";
    reference.fs.spoil(name, 20_000, 20_100);
    // What lies before it comes at once.
    await deliverAll(reference);
    const stuck = reference.spool.state();
    expect(stuck.records).toBeGreaterThan(0);
    expect(stuck.losses).toBe(0);
    await expect(reference.spool.read("old", ALL)).rejects.toMatchObject({ code: "spool_failed" });
    expect(reference.spool.state().losses).toBe(0);
    for (let second = 0; second < 20; second++) {
      await reference.clock.advance(1_000);
      await reference.spool.read("old", ALL).catch(() => {});
    }
    await reference.settle();
    const { losses } = reference.spool.state();
    expect(losses).toBeGreaterThan(0);
    // A block of 4 KiB and the records that reach into it; not the segment.
    expect(losses).toBeLessThan(5);
    expect(reference.fs.names()).toContain(`${name}.damaged`);
    expect(reference.logged.filter((line) => line.includes("it is tried again")).length).toBe(1);
  });

  it("gives up a whole segment of which nothing can be read, and no other", async () => {
    const reference = await filled();
    const name = segmentsOf(reference)[2] ?? "";
    reference.fs.spoil(name);
    for (let second = 0; second < 20; second++) {
      await reference.clock.advance(1_000);
      await deliverAll(reference);
    }
    await reference.settle();
    const [first = 0, next = 0] = segmentFirsts(await names(filled())).slice(2);
    expect(reference.spool.state().losses).toBe(next - first);
  });

  it("gives nothing up while no other file can be read either", async () => {
    const reference = await filled();
    for (const name of reference.fs.names()) reference.fs.spoil(name);
    for (let second = 0; second < 100; second++) {
      await reference.clock.advance(1_000);
      await reference.spool.read("old", ALL).catch(() => {});
    }
    expect(reference.spool.state().losses).toBe(0);
    // And a start then does not begin a new spool in its place.
    await reference.spool.close();
    await expect(reference.open()).rejects.toMatchObject({ code: "spool_failed" });
    for (const name of reference.fs.names()) reference.fs.spoil(name, 0, 0);
    reference.spool = await reference.open();
    await reference.settle();
    expect(reference.spool.state().losses).toBe(0);
  });

  it("starts whichever file it is, and names what is lost", async () => {
    const all = await names(filled());
    for (const name of all) {
      for (const isClean of [true, false]) {
        const reference = await filled();
        const { relayId } = reference.spool.state();
        if (isClean) await reference.spool.close();
        else reference.fs.crash();
        reference.fs.spoil(name);
        reference.spool = await reference.open();
        expect(reference.spool.state().relayId).toBe(relayId);
        expect(await reference.append([10])).toBe(true);
        for (let second = 0; second < 20; second++) {
          await reference.clock.advance(1_000);
          await deliverAll(reference);
        }
        await reference.settle();
      }
    }
  });
});

describe("a journal whose files change while it runs", () => {
  it("gives nothing up while the folder is away as a whole", async () => {
    const reference = await filled();
    reference.fs.isUnplugged = true;
    await expect(reference.spool.read("old", ALL)).rejects.toMatchObject({ code: "spool_failed" });
    expect(await reference.append([90_000])).toBe(false);
    reference.fs.isUnplugged = false;
    await reference.settle();
    expect(reference.spool.state().losses).toBe(0);
  });

  it("reads on when a segment is cut", async () => {
    for (const left of [0, 100, 30_000]) {
      const reference = await filled();
      const name = segmentsOf(reference)[1] ?? "";
      reference.fs.edit(name, (content) => content.subarray(0, left));
      const before = reference.fs.reads;
      await reference.settle();
      expect(reference.spool.state().losses).toBeGreaterThan(0);
      expect(reference.fs.reads - before).toBeLessThan(500);
    }
  });

  it("neither reads nor writes anything once it is closed and its lock let go", async () => {
    const reference = await filled();
    const { spool } = reference;
    const late = [spool.acknowledge("cloud", 90), spool.read("old", ALL), spool.acknowledge("old", 90)];
    reference.fs.unlink(segmentsOf(reference)[0] ?? "");
    await spool.close();
    const { changes } = reference.fs;
    await Promise.allSettled(late);
    await reference.clock.advance(10_000);
    expect(reference.fs.changes).toBe(changes);
  });
});
