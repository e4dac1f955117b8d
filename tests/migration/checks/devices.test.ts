import { expect, it } from "vitest";
import { createDevicesCheck } from "../../../lib/migration/checks/devices.ts";
import type { CheckResult, Migration } from "../../../lib/migration/ports.ts";
import { migrationOf } from "../../support/migrations.ts";
import { device, fakeHome } from "../devices/fakes.ts";

type Home = Awaited<ReturnType<typeof fakeHome>>;

/** Steps of one check, with its memory as the store keeps it. */
function stepper({ ports, clock }: Home, strategy = "ask") {
  const check = createDevicesCheck(ports);
  let memory: unknown;
  return async (given: Partial<Migration> = {}): Promise<readonly CheckResult[]> => {
    const migration = migrationOf({ state: "shadow", epoch: 5, ...given }, { devices: { strategy } });
    const { signal } = new AbortController();
    const outcome = await check.run({ migration, nowUs: clock.nowMs() * 1000, memory, signal });
    if (outcome.memory !== undefined) memory = JSON.parse(JSON.stringify(outcome.memory));
    await clock.advance(300_000);
    return outcome.results;
  };
}

const LAMP = device({ deviceId: "d1", name: "Lamp", model: "LED1" });

it("says what was done, by whom it was changed and what waits for a person", async () => {
  const home = await fakeHome({
    devices: [LAMP, device({ deviceId: "d2", name: "Fan", model: "F" })],
    old: [
      { id: "d1", name: "Lampe", model: "LED1", capabilities: ["State", "brightness"] },
      { id: "gone", name: "Old radio", model: "R" },
    ],
  });
  const step = stepper(home);
  const [result, abilities] = await step();
  expect(result).toMatchObject({ name: "devices", verdict: "pass", isAlert: true, sampleSize: 3, observed: 100 });
  expect(result?.explanation).toMatch(
    /2 devices are in both .* 1 were created and 0 changed .* 1 conflicts \(1 new, 1 wait/,
  );
  expect(result?.explanation).toContain("only OLD knows: 1 (gone)");
  expect(abilities).toMatchObject({ name: "devices.capabilities", observed: 0, sampleSize: 2, isAlert: true });
  // Nothing has changed: the same again, and nothing is asked of OLD but its list.
  expect(await step()).toEqual([result, abilities]);
  expect(home.old.puts).toHaveLength(1);
});

it("does all again in a new stage and after a day: what OLD refused, what it lost", async () => {
  const home = await fakeHome({ devices: [LAMP] });
  home.old.refuses = () => "full";
  const step = stepper(home);
  expect((await step())[0]).toMatchObject({ verdict: "pass", isAlert: true, observed: 0 });
  await step();
  expect(home.old.puts).toHaveLength(1);
  await step({ epoch: 6 });
  expect(home.old.puts).toHaveLength(2);
  await home.clock.advance(86_400_000);
  await step({ epoch: 6 });
  expect(home.old.puts).toHaveLength(3);
  home.old.refuses = () => undefined;
  await step({ epoch: 7 });
  home.old.rows = [];
  expect((await step({ epoch: 7 }))[0]?.explanation).toContain("1 were created");
  expect(home.old.rows).toHaveLength(1);
});

it("fails while OLD gives back something else than it took", async () => {
  const home = await fakeHome({ devices: [LAMP] });
  home.old.keeps = (row) => ({ ...row, name: "???" });
  const step = stepper(home, "new-wins");
  expect((await step())[0]).toMatchObject({ verdict: "fail" });
  expect((await step())[0]).toMatchObject({ verdict: "fail" });
  home.old.keeps = (row) => row;
  expect((await step({ epoch: 6 }))[0]).toMatchObject({ verdict: "pass" });
});

it("is inconclusive while there is more to write, and has nothing to do without a list", async () => {
  const many = Array.from({ length: 1_200 }, (_, i) => device({ deviceId: `d${i}`, name: `N${i}`, model: "M" }));
  const home = await fakeHome({ devices: many });
  const step = stepper(home);
  expect((await step()).map(({ verdict }) => verdict)).toEqual(["inconclusive", "pass"]);
  expect((await step()).map(({ verdict }) => verdict)).toEqual(["pass", "pass"]);
  const [settled] = await step({ epoch: 6 });
  expect(settled?.explanation).toMatch(/the last difference was settled in 300\.0 s/);
  const check = createDevicesCheck({ ...home.ports, old: undefined });
  const { signal } = new AbortController();
  const none = await check.run({ migration: migrationOf({ state: "ramp" }), nowUs: 0, memory: undefined, signal });
  expect(none.results).toMatchObject([{ name: "devices", verdict: "pass", sampleSize: 0 }]);
});
