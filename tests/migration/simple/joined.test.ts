import { describe, expect, it } from "vitest";
import { type Canary, createCanaryCheck } from "../../../lib/migration/checks/canary.ts";
import { createCleanupCheck } from "../../../lib/migration/checks/cleanup.ts";
import { createHandoverCheck } from "../../../lib/migration/checks/handover.ts";
import { createHealthNewCheck, createHealthOldCheck } from "../../../lib/migration/checks/health.ts";
import { createSimplePorts, runSimple, type SimpleJournal } from "../../../lib/migration/simple/index.ts";
import { buildEvent } from "../../support/events.ts";
import { rigOf, sink, statusOf } from "../checks/rig.ts";

/** A home whose relay (or Home Assistant) writes to both, once a minute, while time passes. */
function home(fedBy: "relay" | "home-assistant", { isPersonThere = true } = {}) {
  const rig = rigOf(
    { state: "prepared", stagePercent: 0 },
    {
      way: "simple",
      old: { kind: "influxdb", url: "http://old.test:8086", fedBy },
      settleSeconds: 10,
      recheckSeconds: 5,
      thresholds: { lagSeconds: 60 },
    },
  );
  const world = {
    isOldFed: true,
    loses: false,
    losesCanaries: false,
    moved: [] as string[],
    words: [] as string[],
    sequence: 100,
  };
  const relays = {
    of: async () => {
      const isOff = rig.turned.at(-1) === "off";
      if (fedBy === "relay") world.isOldFed = !isOff;
      const at = world.sequence;
      return [
        statusOf(
          rig.nowUs(),
          [
            sink("cloud", { acknowledged: at }),
            ...(fedBy === "relay" ? [sink("old", { acknowledged: at, isOff })] : []),
          ],
          at,
        ),
      ];
    },
  };
  const sent: Canary[] = [];
  const eventOf = ({ entityId, atUs, state }: Canary) => buildEvent({ entityId, atUs, state, source: "api" });
  const way = {
    eventOf,
    send: async (canary: Canary) => void sent.push(canary),
    find: async (canary: Canary) =>
      world.losesCanaries && world.moved.length > 0 ? undefined : sent.find(({ atUs }) => atUs === canary.atUs),
  };
  let journal: SimpleJournal | undefined;
  const over = new AbortController();
  const ports = createSimplePorts({
    ...rig,
    relays,
    signal: over.signal,
    checks: {
      healthOld: createHealthOldCheck(rig),
      healthNew: createHealthNewCheck({ parts: { look: async () => [{ name: "store" }] }, clock: rig.clock }),
      canary: createCanaryCheck({ ...rig, way }),
      cleanup: createCleanupCheck({ ...rig, relays }),
      handover: createHandoverCheck({ ...rig, relays }),
    },
    ...{ keptFromUs: 0, pointerMs: 15_000, withinMs: 900_000 },
    backUp: async () => "home.hlbak",
    move: async (state, percent) => {
      world.moved.push(`${state} ${percent}`);
    },
    onWords: (words) => {
      world.words.push(words);
      // Somebody reads it, and does it.
      if (isPersonThere && words.startsWith("Remove the integration")) world.isOldFed = false;
      if (isPersonThere && words.startsWith("Put back")) world.isOldFed = true;
    },
  });
  const store = {
    read: async () => journal,
    write: async (next: SimpleJournal) => {
      journal = structuredClone(next);
      if (next.begun === "validate" && world.loses)
        await rig.old.put([buildEvent({ entityId: "sensor.lost", atUs: rig.at(-60), state: "1" })]);
    },
  };
  async function run() {
    let end: Awaited<ReturnType<typeof runSimple>> | undefined;
    let thrown: unknown;
    const options = { migrationId: "m1", homeId: "home", ports, journal: store, clock: rig.clock, signal: over.signal };
    void runSimple(options).then(
      (outcome) => {
        end = outcome;
      },
      (error: unknown) => {
        thrown = error;
      },
    );
    for (let turn = 0; !end && !thrown; turn++) {
      if (turn > 40_000) throw new Error("It never ended.");
      await new Promise((resolve) => setImmediate(resolve));
      if (rig.clock.sleeping() === 0) continue;
      await rig.clock.advance(1_000);
      if (turn % 20 > 0) continue;
      world.sequence += 1;
      await rig.happen(rig.nowUs(), { state: String(turn), inOld: world.isOldFed });
    }
    if (thrown) throw thrown;
    return end;
  }
  return { rig, world, run };
}

describe("the simple way over the checks", () => {
  it.each(["relay", "home-assistant"] as const)("moves a home that the %s feeds", async (fedBy) => {
    const { rig, world, run } = home(fedBy);
    await rig.happen(rig.at(-100));
    await rig.pass(120);
    const end = await run();
    expect(end).toMatchObject({ outcome: "done", backup: "home.hlbak" });
    expect(end?.findings.map(({ name, isGood }) => [name, isGood])).toEqual([
      ["health.new", true],
      ["canary", true],
      ["counts", true],
    ]);
    expect(world.moved).toEqual(["final_validation 100", "complete 100"]);
    expect(world.isOldFed).toBe(false);
  });

  it.each(["relay", "home-assistant"] as const)(
    "takes a home that the %s feeds back when NEW lacks a row, and OLD gets what it missed",
    async (fedBy) => {
      const { rig, world, run } = home(fedBy);
      world.loses = true;
      await rig.happen(rig.at(-100));
      await rig.pass(120);
      const end = await run();
      expect(end).toMatchObject({
        outcome: "restored",
        reason: expect.stringMatching(/counts: NEW has \d+ of \d+ rows/),
      });
      expect(world.moved).toEqual(["final_validation 100", "rolling_back 0", "rolled_back 0"]);
      expect(world.isOldFed).toBe(true);
      const all = async (side: typeof rig.store | typeof rig.old) =>
        (await side.range({ homeId: "home", entityIds: ["sensor.a"], order: "asc", limit: 1_000, toUs: rig.at(-60) }))
          .events.length;
      expect(await all(rig.old)).toBe(await all(rig.store));
    },
  );

  it("takes it back when a canary does not come", async () => {
    const { rig, world, run } = home("relay");
    await rig.happen(rig.at(-100));
    world.losesCanaries = true;
    const end = await run();
    expect(end).toMatchObject({ outcome: "restored", reason: expect.stringContaining("canary") });
  });

  it("refuses before anything is touched when the past was not brought over", async () => {
    const { rig, world, run } = home("relay");
    const { atUs: oldestUs } = await rig.happen(rig.at(-5_000), { inNew: false });
    rig.old.description = { ...rig.old.description, oldestUs };
    const end = await run();
    expect(end).toMatchObject({ outcome: "refused", reason: expect.stringContaining("hearthline history import") });
    expect([world.moved, rig.turned]).toEqual([[], []]);
  });

  it("goes back when nobody stops what feeds OLD", async () => {
    const { rig, world, run } = home("home-assistant", { isPersonThere: false });
    await rig.happen(rig.at(-100));
    const end = await run();
    expect(end).toMatchObject({ outcome: "restored", reason: expect.stringContaining("Remove the integration") });
    expect(world.moved).toEqual(["rolled_back 0"]);
  });
});
