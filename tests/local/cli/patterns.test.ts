import { afterEach, beforeEach, expect, it } from "vitest";
import { pictureOf } from "../../../local/cli/pattern-picture.ts";
import { createTestApi, serveApi, type TestApi } from "../../support/api.ts";
import { runCli } from "../../support/cli.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { buildPattern } from "../../support/patterns.ts";

let api: TestApi;
let served: Awaited<ReturnType<typeof serveApi>>;
beforeEach(async () => {
  api = await createTestApi({ clock: manualClock(Date.UTC(2026, 10, 22, 6)) });
  served = await serveApi(api);
});
afterEach(() => served.close());

const run = (...args: string[]) => runCli(args, { url: served.url });

it("lists patterns, the most reliable first, and shows one with its evidence as a picture", async () => {
  expect((await run("patterns", "list")).out).toContain("no pattern yet");
  await api.patterns.change("home", () => [
    buildPattern({ title: "evil \u001b[2J title" }),
    buildPattern({ id: "room-1", kind: "room", reliability: 0.9, automated: true }),
    buildPattern({ id: "old", status: "ended" }),
  ]);
  const { out } = await run("patterns", "list");
  expect(out).toMatch(/room-1 +active, automated +18\/20 +0\.90[^\n]*\ntime-of-day-1 +active +18\/20 +0\.74/);
  expect(out).not.toContain("\u001b");
  expect(out).not.toContain("old");
  expect((await run("patterns", "list", "--all")).out).toContain("old");
  expect((await run("patterns", "list", "--kind", "room", "--json")).out).toContain('"id": "room-1"');
  expect((await run("patterns", "list", "--kind", "x")).code).toBe(2);
  const shown = (await run("patterns", "show", "time-of-day-1")).out;
  expect(shown).toMatch(/what +light\.kitchen = on/);
  expect(shown).toMatch(/hits +18 of 20 \(at least 74 % in the long run\)/);
  expect(shown).toMatch(/expected +on about 85 % of such days from now on\n/);
  expect((await run("patterns", "show", "old")).out).not.toContain("expected");
  expect(shown).toContain("2026-11-16          # .");
  expect(shown).toContain("07:00  ######");
  expect((await run("patterns", "show", "none")).code).toBe(1);
});

it("draws a week a line, and a histogram in at most some bars", () => {
  const days = [
    { date: "2026-11-16", hits: 1, opportunities: 1 },
    { date: "2026-11-18", hits: 1, opportunities: 3 },
    { date: "2026-11-19", hits: 0, opportunities: 0 },
    { date: "2026-11-23", hits: 0, opportunities: 2 },
  ];
  expect(pictureOf({ days }).slice(1)).toEqual(["2026-11-16  #   +", "2026-11-23  ."]);
  expect(pictureOf({ days: [] })).toEqual(["no day yet"]);
  const edges = Array.from({ length: 101 }, (_, at) => at * 60);
  const counts = Array.from({ length: 100 }, (_, at) => (at < 10 ? 0 : 1));
  const bars = pictureOf({ days, histogram: { unit: "seconds", edges, counts } }).slice(4);
  expect(bars).toHaveLength(23);
  expect(bars[0]).toBe(`10 min  ${"#".repeat(40)} 4`);
  expect(pictureOf({ days, histogram: { unit: "count", edges: [0, 1], counts: [0] } }).at(-1)).toBe("");
});
