import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { QueueDepth } from "../../lib/api/ports.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { createTestApi, emptyQueues, serveApi, type TestApi, tokenText } from "../support/api.ts";
import { furnish } from "../support/api-requests.ts";
import { buildEvent } from "../support/events.ts";
import { describePeer, peerFolder, startPeer, stopPeer } from "../support/peers.ts";

const TOKEN = tokenText("home", "r");
const { dir, remove } = await peerFolder("chromium");

/** A home in which something has just happened, as somebody would see it. */
async function live(api: TestApi): Promise<void> {
  await furnish(api);
  const nowMs = Date.now();
  const [relay] = await api.index.relayStatuses("home");
  if (relay) {
    await api.index.applyRelayStatus("home", {
      ...relay,
      at: new Date(nowMs).toISOString(),
      since: new Date(nowMs - 3_600_000).toISOString(),
    });
  }
  const ago = (minutes: number) => new Date(nowMs - minutes * 60_000).toISOString();
  const gap = { entities: 14, statistics: 0, cause: "home_assistant_restarted" } as const;
  const missing = [{ reason: "not_recorded" as const, entities: 3, examples: ["sensor.uptime", "sensor.wifi_signal"] }];
  await api.ledger.record("home", "relay-1", [
    {
      range: [121, 123_456],
      gaps: [
        { ...gap, n: 121, from: ago(4_000), to: ago(3_990), recovered: 431, complete: true, missing: [] },
        { ...gap, n: 122, from: ago(195), to: ago(190), recovered: 12, complete: false, missing },
      ],
    },
  ]);
  const rows = [
    ["light.kitchen", "kitchen", "on", "off", undefined],
    ["sensor.living_room_temperature", "attic", "21.4", "21.3", "°C"],
    ["binary_sensor.hall_motion", undefined, "off", "on", undefined],
    ["sensor.washing_machine_power", "kitchen", "unavailable", "112.5", "W"],
  ] as const;
  await api.events.write(
    Array.from({ length: 40 }, (_, index) => {
      const [entityId, areaId, state, oldState, unit] = rows[index % rows.length] ?? rows[0];
      return buildEvent({
        entityId,
        atUs: (nowMs - index * 7_300 - 1_000) * 1000,
        state,
        oldState,
        quality: state === "unavailable" ? "unavailable" : "ok",
        ...(areaId !== undefined && { areaId }),
        ...(unit !== undefined && { unit }),
      });
    }),
  );
}

await describePeer(
  "the page in Chromium",
  () => startPeer("chromium", ["--dir", dir]),
  ({ url: browserUrl, version }) =>
    describe(`the page in ${version}`, () => {
      let browser: Browser;
      let pictures: string;
      let served: Awaited<ReturnType<typeof serveApi>>;
      let api: TestApi;
      let depths: QueueDepth[];
      let page: Page;
      let said: string[];

      beforeAll(async () => {
        browser = await chromium.connectOverCDP(browserUrl);
        pictures = process.env.HEARTHLINE_TEST_PICTURES ?? (await mkdtemp(join(tmpdir(), "hearthline-pictures-")));
      });
      afterAll(async () => {
        await browser.close();
        await stopPeer(dir);
        await remove();
        if (!process.env.HEARTHLINE_TEST_PICTURES) await rm(pictures, { recursive: true, force: true });
      });

      beforeEach(() => {
        depths = emptyQueues();
        said = [];
      });
      afterEach(async () => {
        await page.context().close();
        await served.close();
        expect(said).toEqual([]);
      });

      /** Serves the API and opens a page; what the browser complains of is collected. */
      async function open(path: string, options: Parameters<Browser["newContext"]>[0] & { signedIn?: boolean } = {}) {
        const { signedIn = true, ...context } = options;
        api = await createTestApi({
          clock: systemClock,
          depths: async () => depths,
          ...(signedIn && { pageToken: TOKEN }),
        });
        await live(api);
        served = await serveApi(api);
        page = await (await browser.newContext(context)).newPage();
        page.on("console", (message) => {
          if (message.type() === "error" || message.type() === "warning") said.push(message.text());
        });
        page.on("pageerror", (error) => said.push(error.message));
        await page.goto(served.url + path);
      }
      const picture = async (name: string) => {
        const { byteLength } = await page.screenshot({ path: join(pictures, `${name}.png`) });
        expect(byteLength).toBeGreaterThan(10_000);
      };
      const isWithinWidth = () => page.evaluate("document.documentElement.scrollWidth <= window.innerWidth");

      it.each([
        ["light", { colorScheme: "light", viewport: { width: 1280, height: 900 } }],
        ["dark", { colorScheme: "dark", viewport: { width: 1280, height: 900 } }],
        [
          "phone",
          { colorScheme: "light", viewport: { width: 390, height: 844 }, isMobile: true, deviceScaleFactor: 2 },
        ],
        ["narrow", { colorScheme: "dark", viewport: { width: 320, height: 640 } }],
      ] as const)("reads well: %s", async (name, context) => {
        await open("/", context);
        await expect.poll(() => page.locator("h1:visible").textContent()).toBe("Everything is running.");
        expect(await page.locator(".events tbody tr").count()).toBe(43);
        expect(await page.locator(".part").count()).toBe(8);
        expect(await isWithinWidth()).toBe(true);
        await picture(name);
      });

      it("shows within seconds what has happened, without being loaded again", async () => {
        await open("/");
        await page.evaluate("window.stillHere = true");
        await api.events.write([buildEvent({ entityId: "light.new_one", atUs: Date.now() * 1000, state: "just now" })]);
        depths = depths.map((one) => ({ ...one, dead: 2 }));
        await expect
          .poll(() => page.locator(".events tbody tr").first().textContent(), { timeout: 15_000 })
          .toContain("light.new_one");
        await expect
          .poll(() => page.locator("h1:visible").textContent(), { timeout: 15_000 })
          .toBe("Running, with 4 things to look at.");
        expect(await page.evaluate("window.stillHere")).toBe(true);
        await picture("degraded");
      });

      it("runs nothing that a home's names hold", async () => {
        await open("/");
        const evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";
        await api.events.write([
          buildEvent({ entityId: "light.evil", atUs: Date.now() * 1000, state: evil, oldState: evil }),
        ]);
        await expect
          .poll(() => page.locator(".events tbody tr").first().textContent(), { timeout: 15_000 })
          .toContain(evil);
        expect(await page.locator(".events img, .events script").count()).toBe(0);
        expect(await page.title()).toBe("The home · Hearthline");
      });

      it("says that nobody answers, and goes on when somebody does", async () => {
        await open("/");
        await page.route("**/page/live", (route) => route.abort());
        await expect.poll(() => page.locator("#note:visible").count(), { timeout: 15_000 }).toBe(1);
        expect(await page.locator("#note").textContent()).toMatch(/^No answer for \d+ s\./);
        await page.unroute("**/page/live");
        await expect.poll(() => page.locator("#note:visible").count(), { timeout: 30_000 }).toBe(0);
        // The browser itself reports each request that failed.
        said = said.filter((text) => !text.includes("ERR_FAILED"));
      });

      it("asks for a token where there is none, refuses a wrong one, takes a good one", async () => {
        await open("/", { signedIn: false, viewport: { width: 390, height: 844 } });
        expect(await page.locator("#live:visible").count()).toBe(0);
        await picture("sign-in");
        await page.fill("#token", tokenText("home", "x"));
        await page.click("button");
        await expect.poll(() => page.locator("#note").textContent()).toContain("not good");
        said = said.filter((text) => !text.includes("401"));
        await page.fill("#token", TOKEN);
        await page.click("button");
        await expect.poll(() => page.locator("h1:visible").textContent()).toBe("Everything is running.");
        expect(await page.locator("#sign:visible").count()).toBe(0);
      });

      it("shows the document of the API", async () => {
        await open("/docs", { viewport: { width: 1280, height: 900 } });
        await page.locator("summary", { hasText: "/api/v1/events" }).first().click();
        await page.locator("summary", { hasText: "Events as they were stored" }).click();
        expect(await page.locator("details[open]").count()).toBe(2);
        expect(await isWithinWidth()).toBe(true);
        await picture("docs");
      });
    }),
);
