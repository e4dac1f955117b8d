import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Finding, runSimple, type SimpleJournal, type SimplePorts } from "../../../lib/migration/simple/index.ts";
import { manualClock } from "../../support/manual-clock.ts";

class Killed extends Error {}

/** A home with both pipelines. Each call may be killed before or after it has done its work; what was done stays. */
class World implements SimplePorts {
  isOldFed = true;
  readers: "old" | "new" = "old";
  /** What OLD lacks, because it was not fed. */
  lacking = 0;
  backups = 0;
  validations: readonly Finding[] = [{ name: "canary", isGood: true, text: "came" }];
  checks: readonly Finding[] = [{ name: "health", isGood: true, text: "well" }];
  failing = new Set<keyof SimplePorts>();
  /** The number of the boundary at which the process dies; each call has two, each write of the journal two. */
  killAt = Number.POSITIVE_INFINITY;
  boundary = 0;
  journal: SimpleJournal | undefined;

  #pass(): void {
    this.boundary += 1;
    // Who is dead does nothing any more.
    if (this.boundary >= this.killAt) throw new Killed("killed");
  }

  async #do<T>(name: keyof SimplePorts, work: () => T): Promise<T> {
    this.#pass();
    if (this.failing.has(name)) throw new Error(`${name} does not work`);
    const result = work();
    this.#pass();
    return result;
  }

  check = () => this.#do("check", () => this.checks);
  stopFeedingOld = () =>
    this.#do("stopFeedingOld", () => {
      this.isOldFed = false;
      this.lacking += 3;
    });
  feedOldAgain = () =>
    this.#do("feedOldAgain", () => {
      this.isOldFed = true;
      this.lacking = 0;
    });
  backUp = () => this.#do("backUp", () => `home-${++this.backups}.hlbak`);
  count = () => this.#do("count", () => ({ old: 10, new: 10 }));
  point = (to: "old" | "new") =>
    this.#do("point", () => {
      this.readers = to;
    });
  validate = () => this.#do("validate", () => this.validations);
  validateOld = () =>
    this.#do("validateOld", () => {
      if (!this.isOldFed || this.lacking > 0) throw new Error("OLD has not everything");
    });

  ended: string | undefined;
  finish = (outcome: "done" | "restored") =>
    this.#do("finish", () => {
      this.ended = outcome;
    });

  store = {
    read: async () => this.journal,
    write: async (journal: SimpleJournal) => {
      this.#pass();
      this.journal = structuredClone(journal);
      this.#pass();
    },
  };

  run(signal = new AbortController().signal) {
    const clock = manualClock();
    return runSimple({ migrationId: "m1", homeId: "home", ports: this, journal: this.store, clock, signal });
  }
}

describe("the simple way", () => {
  it("stops OLD's feeding, backs up, switches and validates, and says what it found", async () => {
    const world = new World();
    expect(await world.run()).toEqual({ outcome: "done", backup: "home-1.hlbak", findings: world.validations });
    expect(world).toMatchObject({ readers: "new", isOldFed: false });
  });

  it("touches nothing when the first look says no", async () => {
    const world = new World();
    world.checks = [{ name: "health.old", isGood: false, text: "it is down" }];
    expect(await world.run()).toMatchObject({
      outcome: "refused",
      reason: "Looking whether both are well failed: health.old: it is down",
    });
    expect(world).toMatchObject({ readers: "old", isOldFed: true, backups: 0 });
  });

  it("looks anew when what was refused has been mended", async () => {
    const world = new World();
    world.checks = [{ name: "counts", isGood: false, text: "the past is missing" }];
    expect((await world.run()).outcome).toBe("refused");
    expect((await world.run()).outcome).toBe("refused");
    world.checks = [{ name: "counts", isGood: true, text: "all there" }];
    expect(await world.run()).toMatchObject({ outcome: "done", findings: world.validations });
    expect(world).toMatchObject({ readers: "new", ended: "done" });
  });

  it("restores when a validation fails, and says so", async () => {
    const world = new World();
    world.validations = [
      { name: "canary", isGood: true, text: "came" },
      { name: "counts", isGood: false, text: "3 rows are missing" },
    ];
    expect(await world.run()).toMatchObject({
      ...{ outcome: "restored", reason: "Validating failed: counts: 3 rows are missing", backup: "home-1.hlbak" },
      findings: world.validations,
    });
    expect(world).toMatchObject({ readers: "old", isOldFed: true, lacking: 0 });
  });

  it("restores when nothing was validated", async () => {
    const world = new World();
    world.validations = [];
    expect(await world.run()).toMatchObject({
      outcome: "restored",
      reason: expect.stringContaining("nothing is proved"),
    });
  });

  it.each(["stopFeedingOld", "backUp", "count", "validate"] as const)("restores when %s fails", async (name) => {
    const world = new World();
    world.failing.add(name);
    expect((await world.run()).outcome).toBe("restored");
    expect(world).toMatchObject({ readers: "old", isOldFed: true, lacking: 0, journal: { status: "restored" } });
  });

  it("points back also when it is not known whether the switch was made", async () => {
    const world = new World();
    const { point } = world;
    world.point = async (to) => {
      await point(to);
      if (to === "new") throw new Error("no answer");
    };
    expect((await world.run()).reason).toBe("Switching all readers to NEW failed: no answer");
    expect(world).toMatchObject({ readers: "old", isOldFed: true });
  });

  it("goes on with restoring when it is run again, until OLD has everything", async () => {
    const world = new World();
    world.failing = new Set(["validate", "feedOldAgain"]);
    await expect(world.run()).rejects.toThrow("feedOldAgain does not work");
    expect(world.readers).toBe("old");
    world.failing.clear();
    expect(await world.run()).toMatchObject({
      outcome: "restored",
      reason: expect.stringContaining("validate does not work"),
    });
  });

  it("goes back when a person ends it in the middle", async () => {
    const world = new World();
    const over = new AbortController();
    const { backUp } = world;
    world.backUp = async () => {
      over.abort();
      return backUp();
    };
    expect((await world.run(over.signal)).outcome).toBe("restored");
    expect(world).toMatchObject({ readers: "old", isOldFed: true });
  });

  it("says how it ended when it is run once more, and does nothing again", async () => {
    const world = new World();
    await world.run();
    const { boundary } = world;
    expect((await world.run()).outcome).toBe("done");
    expect(world.boundary).toBe(boundary);
  });

  it("is not begun over another that has not ended", async () => {
    const world = new World();
    world.journal = {
      version: 1,
      migrationId: "m0",
      homeId: "home",
      startedMs: 0,
      status: "forward",
      done: ["check"],
      begun: "stop",
      findings: [],
    };
    await expect(world.run()).rejects.toMatchObject({
      code: "migration_exists",
      message: expect.stringContaining('"m0" is in the middle of "stop"'),
    });
  });

  it("ends with NEW or with an OLD that has everything, wherever it is killed, how often, and whatever fails", async () => {
    const kills = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(kills, fc.boolean(), fc.boolean(), async (at, isValid, isBackedUp) => {
        const world = new World();
        if (!isValid) world.validations = [{ name: "counts", isGood: false, text: "missing" }];
        if (!isBackedUp) world.failing.add("backUp");
        let outcome: string | undefined;
        for (const killAt of [...at, Number.POSITIVE_INFINITY]) {
          Object.assign(world, { boundary: 0, killAt });
          try {
            ({ outcome } = await world.run());
          } catch (thrown) {
            if (!(thrown instanceof Killed)) throw thrown;
          }
        }
        expect(outcome === "done" || outcome === "restored" || outcome === "refused").toBe(true);
        if (outcome === "done") {
          expect(isValid && isBackedUp).toBe(true);
          expect(world).toMatchObject({ readers: "new", isOldFed: false, ended: "done" });
        } else expect(world).toMatchObject({ readers: "old", isOldFed: true, lacking: 0 });
      }),
      { numRuns: 400, seed: 7 },
    );
  });
});
