import { afterEach, beforeEach, expect, it } from "vitest";
import { suggestion } from "../../conformance/suggestion-store.ts";
import { createTestApi, serveApi, type TestApi } from "../../support/api.ts";
import { runCli } from "../../support/cli.ts";
import { manualClock } from "../../support/manual-clock.ts";

let api: TestApi;
let served: Awaited<ReturnType<typeof serveApi>>;
beforeEach(async () => {
  api = await createTestApi({ clock: manualClock(Date.UTC(2026, 10, 22, 6)) });
  served = await serveApi(api);
});
afterEach(() => served.close());

const run = (...args: string[]) => runCli(args, { url: served.url });

it("lists, shows with the automation's YAML, accepts, dismisses, puts off and takes that back", async () => {
  expect((await run("suggestions", "list")).out).toContain("no suggestion yet");
  const automation = {
    ...{ alias: "Coffee", description: "", mode: "single" as const, conditions: [] },
    triggers: [{ trigger: "time", at: "07:02:00" }],
    actions: [{ action: "switch.turn_on", target: { entity_id: "switch.coffee" } }],
  };
  await api.suggestions.change("home", () => [
    suggestion("p-coffee", { rank: 1, automation }),
    suggestion("p-lamp", { rank: 2, title: "evil \u001b[2J title" }),
    suggestion("p-old", { status: "dismissed" }),
  ]);
  const list = (await run("suggestions", "list")).out;
  expect(list).toMatch(/1 +p-coffee +new +0\.50 +Turn on p-coffee/);
  expect(list).not.toContain("p-old");
  expect(list).not.toContain("\u001b");
  expect((await run("suggestions", "list", "--all")).out).toContain("p-old");
  const shown = (await run("suggestions", "show", "p-coffee")).out;
  expect(shown).toMatch(/evidence +18 of 20 days/);
  expect(shown).toMatch(/automation:\nalias: "Coffee"\n[\s\S]*at: "?07:02:00"?/);
  expect((await run("suggestions", "accept", "p-coffee")).out).toMatch(/^p-coffee is accepted, waiting/);
  expect((await run("suggestions", "dismiss", "p-lamp")).out).toMatch(/^p-lamp is dismissed/);
  expect((await run("suggestions", "snooze", "p-old", "--days", "3")).out).toContain("2026-11-25T06:00:00");
  expect((await run("suggestions", "snooze", "p-old", "--days", "x")).code).toBe(2);
  expect((await run("suggestions", "restore", "p-lamp")).out).toMatch(/^p-lamp is new/);
  expect((await run("suggestions", "dismiss", "p-coffee")).code).toBe(1);
  expect((await run("suggestions", "show", "none")).code).toBe(1);
  expect(JSON.parse((await run("suggestions", "list", "--json")).out)).toMatchObject({
    suggestions: [{ id: "p-lamp", rank: 2, status: "new" }],
  });
});
