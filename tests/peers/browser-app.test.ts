import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { PageClient } from "../../lib/api/index.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { createTestApi, serveApi, type TestApi, tokenText } from "../support/api.ts";
import { type BrowserContext, watchBrowser } from "../support/browser.ts";
import { axeSource, furnishHome, LONG_NAME, patternsOf, realPageClient } from "../support/page-home.ts";
import { describePeer, peerFolder, startPeer } from "../support/peers.ts";

const { dir, remove } = await peerFolder("chromium");
const VIEWS = ["today", "yesterday", "suggestions", "patterns", "nights", "layers", "migration"] as const;
const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740 };

await describePeer(
  "the page's client in Chromium",
  () => startPeer("chromium", ["--dir", dir]),
  ({ url: browserUrl, version }) =>
    describe(`the page's client in ${version}`, () => {
      let served: Awaited<ReturnType<typeof serveApi>>;
      let api: TestApi;
      let pageClient: PageClient;
      const axe = axeSource();

      beforeAll(async () => {
        pageClient = await realPageClient();
      });
      afterEach(async () => {
        await served.close();
      });
      const watched = watchBrowser(browserUrl, { dir, remove });
      const heading = () => watched.page.locator("h1:visible").textContent();

      type Options = BrowserContext & { readonly isEmpty?: boolean; readonly token?: string };

      /** Serves a home and opens a view; what the browser complains of (a policy's violation too) fails the test. */
      async function open(view: string, { isEmpty = false, token = tokenText("home"), ...context }: Options = {}) {
        api = await createTestApi({ clock: systemClock, pageToken: token, parts: { pageClient } });
        if (!isEmpty) await furnishHome(api, Date.now());
        served = await serveApi(api);
        await watched.open(`${served.url}/#${view}`, context);
      }
      /** Every picture of the view is there. */
      async function isDrawn(view: string): Promise<void> {
        if (view === "today") return;
        await expect.poll(() => watched.page.locator("#app h1").count(), { timeout: 10_000 }).toBe(1);
        await expect.poll(() => watched.page.locator("#app .loading").count(), { timeout: 10_000 }).toBe(0);
      }
      /** Scrolls through, so that every picture comes near to being seen. */
      async function seeAll(): Promise<void> {
        const { page } = watched;
        await page.evaluate(`(async () => {
          for (const one of document.querySelectorAll(".picture")) {
            one.scrollIntoView();
            await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
          }
        })()`);
        await expect
          .poll(
            () => page.evaluate("[...document.querySelectorAll('.picture')].every((one) => one.childElementCount)"),
            {
              timeout: 10_000,
            },
          )
          .toBe(true);
        await page.evaluate("window.scrollTo(0, 0)");
      }
      const picture = async (name: string) => {
        const { byteLength } = await watched.page.screenshot({ path: watched.pathOf(name), fullPage: true });
        expect(byteLength).toBeGreaterThan(10_000);
      };
      const isWithinWidth = () =>
        watched.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth");
      async function violations(): Promise<unknown> {
        await watched.page.evaluate(axe);
        return watched.page.evaluate(`axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
          violations.map(({ id, nodes }) => [id, ...nodes.slice(0, 3).map(({ html, any }) => [html.slice(0, 200), any[0]?.message])]))`);
      }

      describe.each(VIEWS)("%s", (view) => {
        it.each([
          ["light", { colorScheme: "light", viewport: WIDE }],
          ["dark", { colorScheme: "dark", viewport: WIDE }],
          ["phone", { colorScheme: "light", viewport: PHONE, isMobile: true, deviceScaleFactor: 2 }],
          ["phone-dark", { colorScheme: "dark", viewport: PHONE }],
        ] as const)("can be read by everybody: %s", async (look, context) => {
          await open(view, context);
          await isDrawn(view);
          await seeAll();
          expect(await isWithinWidth()).toBe(true);
          expect(await watched.page.locator("h1:visible").count()).toBe(1);
          await picture(`${view}-${look}`);
          expect(await violations()).toEqual([]);
        });

        it("says what to do where there is nothing", async () => {
          await open(view, { isEmpty: true, viewport: PHONE });
          await isDrawn(view);
          expect(await isWithinWidth()).toBe(true);
          const text = (await watched.page.locator("main").textContent()) ?? "";
          expect(text).toMatch(/No event yet|import|analyze|Empty as yet|migrate plan/);
          await picture(`${view}-empty`);
          expect(await violations()).toEqual([]);
        });
      });

      it("goes from view to view by the keyboard alone", async () => {
        await open("", { viewport: WIDE });
        const { page } = watched;
        await expect.poll(() => page.locator("#views .badge").textContent()).toBe("3");
        await page.locator("#views a").first().focus();
        await page.keyboard.press("Tab");
        await page.keyboard.press("Enter");
        await expect.poll(heading).toBe("Yesterday");
        expect(await page.title()).toBe("Yesterday · The home · Hearthline");
        expect(await page.locator('#views a[aria-current="page"]').textContent()).toBe("Yesterday");
        await page.locator("#moment").focus();
        for (let step = 0; step < 54; step++) await page.keyboard.press("ArrowRight");
        expect(await page.locator("#moment").getAttribute("aria-valuetext")).toBe("07:30");
        expect(await page.locator('.room[aria-label="Kitchen"] summary').textContent()).toContain("Coffee machine");
        await page.locator('.room[aria-label="Kitchen"] summary').focus();
        await page.keyboard.press("Enter");
        expect(await page.locator('.room[aria-label="Kitchen"] .tracks').textContent()).toContain("07:18–07:50");
        await page.goBack();
        await expect.poll(() => page.locator("#today:visible").count()).toBe(1);
        expect(await page.title()).toBe("The home · Hearthline");
      });

      it("accepts, puts off and dismisses by the keyboard, and lets a mind be changed", async () => {
        await open("suggestions", { viewport: WIDE });
        const { page } = watched;
        const card = (id: string) => page.locator(`[aria-labelledby="title-${id}"]`);
        const statusOf = async (id: string) => (await api.suggestions.get("home", id))?.status;
        const press = async (id: string, name: string) => {
          await card(id).getByRole("button", { name }).focus();
          await page.keyboard.press("Enter");
        };
        await isDrawn("suggestions");
        await press("coffee", "Accept");
        await expect.poll(() => statusOf("coffee")).toBe("accepted");
        await expect.poll(() => card("coffee").locator(".outcome").textContent()).toContain("Waiting for the relay");
        expect(await page.evaluate("document.activeElement.tagName")).toBe("FIELDSET");
        await card("dusk").locator("select").selectOption("30");
        await press("dusk", "Put off");
        await expect.poll(() => statusOf("dusk")).toBe("snoozed");
        await expect.poll(() => card("dusk").locator(".outcome").textContent()).toMatch(/^Put off until /);
        await press("lamp", "Dismiss");
        await expect.poll(() => statusOf("lamp")).toBe("dismissed");
        await expect.poll(() => page.locator("#views .badge").count()).toBe(0);
        await picture("suggestions-decided");
        expect(await violations()).toEqual([]);
        await press("lamp", "Restore");
        await expect.poll(() => statusOf("lamp")).toBe("new");
        // Of today: it is where it was.
        await expect.poll(() => page.locator("#views .badge").textContent()).toBe("1");
        expect(await card("lamp").locator(".chip.rank").count()).toBe(1);
        expect(await card("lamp").locator(".outcome").count()).toBe(0);
        await press("lamp", "Dismiss");
        await expect.poll(() => statusOf("lamp")).toBe("dismissed");
        await press("lamp", "Accept after all");
        await expect.poll(() => statusOf("lamp")).toBe("accepted");
        await expect.poll(() => card("lamp").locator(".outcome").textContent()).toContain("it is yours to do");
      });

      it("shows the automation as YAML and copies it", async () => {
        await open("suggestions", { viewport: WIDE, permissions: ["clipboard-read", "clipboard-write"] });
        const { page } = watched;
        await isDrawn("suggestions");
        const yaml = page.locator('[aria-labelledby="title-coffee"] .yaml');
        await yaml.locator("summary").focus();
        await page.keyboard.press("Enter");
        await expect.poll(() => yaml.locator("pre").textContent()).toContain("Coffee in the morning");
        await picture("suggestions-yaml");
        await yaml.getByRole("button", { name: "Copy" }).click();
        await expect.poll(() => yaml.locator("output").textContent()).toBe("Copied");
        expect(await page.evaluate("navigator.clipboard.readText()")).toContain("switch.turn_on");
      });

      it("says what a token may not do", async () => {
        await open("suggestions", { viewport: WIDE, token: tokenText("home", "r") });
        await isDrawn("suggestions");
        await watched.page.locator('[aria-labelledby="title-coffee"]').getByRole("button", { name: "Accept" }).click();
        await expect
          .poll(() => watched.page.locator('[aria-labelledby="title-coffee"] .trouble').textContent())
          .toContain("may look, but not decide");
        expect((await api.suggestions.get("home", "coffee"))?.status).toBe("new");
        watched.expectComplaint("403");
      });

      it("filters patterns by kind and room, and shows ended ones when asked", async () => {
        await open("patterns", { viewport: WIDE });
        const { page } = watched;
        await isDrawn("patterns");
        const titles = () => page.locator("#app .card-title").allTextContents();
        expect(await titles()).toHaveLength(9);
        expect(await page.getByText("Automated already").count()).toBe(1);
        await page.getByLabel("Kind").selectOption("anomaly");
        expect(await titles()).toEqual([expect.stringContaining("28 times")]);
        await page.getByLabel("Kind").selectOption("");
        await page.getByLabel("Room", { exact: true }).selectOption("office");
        expect(await titles()).toEqual([expect.stringContaining(LONG_NAME)]);
        await page.getByLabel("Room", { exact: true }).selectOption("kitchen");
        await page.getByLabel("Ended ones too").check();
        expect(await titles()).toContain("Coffee machine turns on more often from November to February");
      });

      it("keeps what it has when nobody answers, and goes on when somebody does", async () => {
        await open("patterns", { viewport: WIDE });
        const { page } = watched;
        await isDrawn("patterns");
        await seeAll();
        await page.route("**/api/**", (route) => route.abort());
        await page.goto(`${served.url}/#layers`);
        await expect.poll(() => page.locator("#app .trouble").textContent()).toContain("Hearthline does not answer.");
        await page.goto(`${served.url}/#patterns`);
        await expect.poll(() => page.locator("#app .trouble").first().textContent()).toContain("What you see is from");
        expect(await page.locator("#app .card").count()).toBe(9);
        await picture("patterns-away");
        await page.unroute("**/api/**");
        await page.locator("#app .trouble button").first().click();
        await expect.poll(() => page.locator("#app .trouble").count(), { timeout: 15_000 }).toBe(0);
        watched.expectComplaint("ERR_FAILED");
      });

      it("shows a home of 5,000 entities and 400 patterns, a few at a time", async () => {
        await open("layers", { viewport: PHONE });
        await api.index.applyRegistry("home", {
          ...{ revision: 2, part: 1, parts: 1, registry: "entities" },
          rows: Array.from({ length: 5_000 }, (_, index) => ({
            ...{ entityId: `light.lamp_${index}`, name: `Lamp ${index} ${LONG_NAME}`, areaId: "hall", labels: [] },
          })),
        });
        const [one] = patternsOf("2026-11-20");
        if (!one) throw new Error("There is no pattern to repeat.");
        await api.patterns.change("home", () =>
          Array.from({ length: 400 }, (_, index) => ({ ...one, id: `p${index}`, title: `Lamp ${index} turns on` })),
        );
        const { page } = watched;
        await page.goto(`${served.url}/#patterns`);
        await isDrawn("patterns");
        expect(await page.locator("#app .card").count()).toBe(24);
        await page.getByRole("button", { name: "Show 24 more of 400" }).click();
        await expect.poll(() => page.locator("#app .card").count()).toBe(48);
        await page.goto(`${served.url}/#yesterday`);
        await isDrawn("yesterday");
        expect(await page.locator("#app .ribbon").count()).toBe(4);
        expect(await isWithinWidth()).toBe(true);
      });

      it("says how things are without JavaScript", async () => {
        await open("", { viewport: PHONE, javaScriptEnabled: false });
        await expect.poll(heading).toMatch(/running|Running/);
        expect(await watched.page.locator(".views:visible").count()).toBe(0);
        expect(await watched.page.locator("noscript").count()).toBe(1);
      });

      it("comes to life when somebody signs in", async () => {
        await open("suggestions", { viewport: WIDE, token: tokenText("home", "q") });
        const { page } = watched;
        expect(await page.locator("#views:visible").count()).toBe(0);
        await page.fill("#token", tokenText("home"));
        await page.click("#sign button");
        await expect.poll(heading, { timeout: 10_000 }).toBe("Suggestions");
        expect(await page.locator("#sign:visible").count()).toBe(0);
        expect(await page.locator("#views:visible").count()).toBe(1);
      });
    }),
);
