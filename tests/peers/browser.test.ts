import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { QueueDepth } from "../../lib/api/ports.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { createTestApi, emptyQueues, serveApi, type TestApi, tokenText } from "../support/api.ts";
import { furnish } from "../support/api-requests.ts";
import { type BrowserContext, watchBrowser } from "../support/browser.ts";
import { buildEvent } from "../support/events.ts";
import { describePeer, peerFolder, startPeer } from "../support/peers.ts";

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
      let served: Awaited<ReturnType<typeof serveApi>>;
      let api: TestApi;
      let depths: QueueDepth[];

      beforeEach(() => {
        depths = emptyQueues();
      });
      afterEach(async () => {
        await served.close();
      });
      const watched = watchBrowser(browserUrl, { dir, remove });

      /** Serves the API and opens a page; what the browser complains of is collected. */
      async function open(path: string, options: BrowserContext & { signedIn?: boolean } = {}) {
        const { signedIn = true, ...context } = options;
        api = await createTestApi({
          clock: systemClock,
          depths: async () => depths,
          ...(signedIn && { pageToken: TOKEN }),
        });
        await live(api);
        served = await serveApi(api);
        await watched.open(served.url + path, context);
      }
      const picture = async (name: string) => {
        const { byteLength } = await watched.page.screenshot({ path: watched.pathOf(name) });
        expect(byteLength).toBeGreaterThan(10_000);
      };
      const isWithinWidth = () => watched.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth");

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
        await expect.poll(() => watched.page.locator("h1:visible").textContent()).toBe("Everything is running.");
        expect(await watched.page.locator(".events tbody tr").count()).toBe(43);
        expect(await watched.page.locator(".part").count()).toBe(8);
        expect(await isWithinWidth()).toBe(true);
        await picture(name);
      });

      it("shows within seconds what has happened, without being loaded again", async () => {
        await open("/");
        await watched.page.evaluate("window.stillHere = true");
        await api.events.write([buildEvent({ entityId: "light.new_one", atUs: Date.now() * 1000, state: "just now" })]);
        depths = depths.map((one) => ({ ...one, dead: 2 }));
        await expect
          .poll(() => watched.page.locator(".events tbody tr").first().textContent(), { timeout: 15_000 })
          .toContain("light.new_one");
        await expect
          .poll(() => watched.page.locator("h1:visible").textContent(), { timeout: 15_000 })
          .toBe("Running, with 4 things to look at.");
        expect(await watched.page.evaluate("window.stillHere")).toBe(true);
        await picture("degraded");
      });

      it("runs nothing that a home's names hold", async () => {
        await open("/");
        const evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";
        await api.events.write([
          buildEvent({ entityId: "light.evil", atUs: Date.now() * 1000, state: evil, oldState: evil }),
        ]);
        await expect
          .poll(() => watched.page.locator(".events tbody tr").first().textContent(), { timeout: 15_000 })
          .toContain(evil);
        expect(await watched.page.locator(".events img, .events script").count()).toBe(0);
        expect(await watched.page.title()).toBe("The home · Hearthline");
      });

      it("says that nobody answers, and goes on when somebody does", async () => {
        await open("/");
        await watched.page.route("**/page/live", (route) => route.abort());
        await expect.poll(() => watched.page.locator("#note:visible").count(), { timeout: 15_000 }).toBe(1);
        expect(await watched.page.locator("#note").textContent()).toMatch(/^No answer for \d+ s\./);
        await watched.page.unroute("**/page/live");
        await expect.poll(() => watched.page.locator("#note:visible").count(), { timeout: 30_000 }).toBe(0);
        // The browser itself reports each request that failed.
        watched.expectComplaint("ERR_FAILED");
      });

      it("asks for a token where there is none, refuses a wrong one, takes a good one", async () => {
        await open("/", { signedIn: false, viewport: { width: 390, height: 844 } });
        expect(await watched.page.locator("#live:visible").count()).toBe(0);
        await picture("sign-in");
        await watched.page.fill("#token", tokenText("home", "x"));
        await watched.page.click("button");
        await expect.poll(() => watched.page.locator("#note").textContent()).toContain("not good");
        watched.expectComplaint("401");
        await watched.page.fill("#token", TOKEN);
        await watched.page.click("button");
        await expect.poll(() => watched.page.locator("h1:visible").textContent()).toBe("Everything is running.");
        expect(await watched.page.locator("#sign:visible").count()).toBe(0);
      });

      it("shows the document of the API", async () => {
        await open("/docs", { viewport: { width: 1280, height: 900 } });
        await watched.page.locator("summary", { hasText: "/api/v1/events" }).first().click();
        await watched.page.locator("summary", { hasText: "Events as they were stored" }).click();
        expect(await watched.page.locator("details[open]").count()).toBe(2);
        expect(await isWithinWidth()).toBe(true);
        await picture("docs");
      });
    }),
);
