import { afterEach, beforeEach, expect, it } from "vitest";
import { parseRows } from "../../../lib/devices/parse.ts";
import { createTestApi, serveApi, type TestApi } from "../../support/api.ts";
import { runCli } from "../../support/cli.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { bridgeDevices, lampDevice } from "../../support/zigbee.ts";

let api: TestApi;
let served: Awaited<ReturnType<typeof serveApi>>;
beforeEach(async () => {
  api = await createTestApi({ clock: manualClock() });
  served = await serveApi(api);
});
afterEach(() => served.close());

const run = (...args: string[]) => runCli(args, { url: served.url });

it("asks for capabilities, and shows what became of it", async () => {
  const asked = await run("capabilities", "refresh");
  expect(asked).toMatchObject({ code: 0, out: expect.stringMatching(/asked as "0000000001-/) });
  const list = await run("outbox", "list");
  expect(list.out).toMatch(/capabilities +pending/);
  const { items } = JSON.parse((await run("outbox", "list", "--json")).out) as { items: { id: string }[] };
  await api.post(`/api/v1/outbox/${items[0]?.id}/acknowledge`, {
    status: "failed",
    error: "zigbee2mqtt_silent: nothing",
  });
  expect((await run("outbox", "list", "--status", "failed")).out).toContain("zigbee2mqtt_silent: nothing");
  expect((await run("outbox", "list", "--status", "pending")).out).toBe("the outbox is empty\n");
  expect((await run("outbox", "list", "--status", "x")).code).toBe(2);
});

it("lists and shows what devices can do", async () => {
  expect((await run("capabilities", "list")).out).toContain("hearthline capabilities refresh");
  const whole = { revision: 1, part: 1, parts: 1 };
  await api.index.applyRegistry("home", { ...whole, registry: "devices", rows: parseRows("devices", [lampDevice]) });
  const rows = parseRows("capabilities", bridgeDevices);
  await api.index.applyRegistry("home", { ...whole, registry: "capabilities", rows });
  expect((await run("capabilities", "list")).out).toMatch(
    /0x842e14fffe05b879 +kitchen\/ceiling +IKEA LED2003G10 +11 +10 +ha-lamp/,
  );
  const shown = (await run("capabilities", "show", "ha-lamp")).out;
  expect(shown).toMatch(/brightness +numeric +published, settable, gettable +0\.\.254/);
  expect(shown).toMatch(/effect +enum +settable +blink \| breathe/);
  expect(await run("capabilities", "show", "none")).toMatchObject({
    code: 1,
    err: expect.stringContaining("not_found"),
  });
});
