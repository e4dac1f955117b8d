import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { metricsOf, type RelayHealth } from "../../lib/relay/index.ts";
import { serveRelayStatus } from "../../lib/wiring/relay-status.ts";
import { watchBrowser } from "../support/browser.ts";
import { describePeer, peerFolder, startPeer } from "../support/peers.ts";
import { healthySink, relayHealth, secondsAgo } from "../support/relay-health.ts";

const { dir, remove } = await peerFolder("chromium");
const WIDE = { width: 1280, height: 900 };

/** A relay in an outage, with everything there is to say. */
function troubled(nowMs = Date.now()): RelayHealth {
  return relayHealth(
    {
      connected: false,
      since: secondsAgo(740, nowMs),
      last_error: "connect ECONNREFUSED 192.168.1.10:8123",
      spool: {
        bytes: 902_000_000,
        records: 2_410_332,
        oldest_seconds: 1_209_600,
        max_bytes: 1_073_741_824,
        disk_free_bytes: 4_200_000_000,
      },
      sinks: [
        healthySink({
          breaker: "open",
          lag_records: 2_410_332,
          lag_seconds: 1_209_600,
          taken_at: secondsAgo(1_209_600, nowMs),
          last_error: 'The queue service at "https://sqs.eu-central-1.amazonaws.com" does not answer.',
        }),
        healthySink({ name: "old", taken_at: secondsAgo(2, nowMs) }),
      ],
      gaps: {
        count: 3,
        recovered: 1_811,
        last: {
          from: secondsAgo(9_000, nowMs),
          to: secondsAgo(8_600, nowMs),
          cause: "home_assistant_restarted",
          entities: 212,
          recovered: 804,
          complete: true,
        },
      },
      losses: 12,
      lost_at: secondsAgo(7_200, nowMs),
      outbox: { breaker: "closed", waiting: 0, delivered: 14, failed: 1 },
      rate: 0,
      rate_now: 0,
      excluded_attributes: 40_112,
    },
    nowMs,
  );
}

/** Stands for Home Assistant: a page with the relay's in a frame, under a path of its own. */
async function ingress(port: number): Promise<Server> {
  const prefix = "/api/hassio_ingress/Zm9v";
  const server = createServer((incoming, answer) => {
    const path = incoming.url ?? "/";
    if (!path.startsWith(`${prefix}/`)) {
      answer.writeHead(path === "/" ? 200 : 404, { "content-type": "text/html" });
      return answer.end(
        `<!doctype html><link rel="icon" href="data:,"><iframe src="${prefix}/" width="1000" height="700"></iframe>`,
      );
    }
    const headers = { ...incoming.headers, "x-ingress-path": prefix };
    const outgoing = request({ host: "127.0.0.1", port, path: path.slice(prefix.length), headers }, (theirs) => {
      answer.writeHead(theirs.statusCode ?? 502, theirs.headers);
      theirs.pipe(answer);
    });
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

await describePeer(
  "the relay's page in Chromium",
  () => startPeer("chromium", ["--dir", dir]),
  ({ url: browserUrl, version }) =>
    describe(`the relay's page in ${version}`, () => {
      let served: Server;
      let health: () => RelayHealth;

      beforeEach(async () => {
        health = () => relayHealth({}, Date.now());
        served = await serveRelayStatus({
          host: "127.0.0.1",
          port: 0,
          allow: [],
          health: () => health(),
          metrics: () => metricsOf(health()),
        });
      });
      afterEach(async () => {
        served.closeAllConnections();
        served.close();
      });
      const watched = watchBrowser(browserUrl, { dir, remove });

      it.each([
        ["light", { colorScheme: "light", viewport: WIDE }],
        ["dark", { colorScheme: "dark", viewport: WIDE }],
        [
          "phone",
          { colorScheme: "light", viewport: { width: 390, height: 844 }, isMobile: true, deviceScaleFactor: 2 },
        ],
        ["narrow", { colorScheme: "dark", viewport: { width: 320, height: 640 } }],
      ] as const)("reads well, well and in trouble: %s", async (name, context) => {
        for (const [what, state] of [
          ["well", () => relayHealth({}, Date.now())],
          ["trouble", () => troubled()],
        ] as const) {
          health = state;
          await (watched.hasPage ? watched.page.reload() : watched.open(urlOf(served), context));
          expect(await watched.page.locator("h1").textContent()).toMatch(what === "well" ? /running/ : /attention/);
          expect(await watched.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")).toBe(true);
          const { byteLength } = await watched.page.screenshot({
            path: watched.pathOf(`relay-${what}-${name}`),
            fullPage: true,
          });
          expect(byteLength).toBeGreaterThan(10_000);
        }
      });

      it("shows within seconds what has changed, without being loaded again, inside Home Assistant", async () => {
        const outside = await ingress((served.address() as AddressInfo).port);
        try {
          await watched.open(urlOf(outside), { viewport: WIDE });
          const frame = watched.page.frameLocator("iframe");
          await expect.poll(() => frame.locator("h1").textContent()).toBe("Everything is running.");
          const inner = watched.page.frames()[1];
          await inner?.evaluate("window.stillHere = true");
          health = () => troubled();
          await expect
            .poll(() => frame.locator("h1").textContent(), { timeout: 15_000 })
            .toBe("The relay needs attention.");
          expect(await frame.locator(".alerts li").count()).toBe(4);
          expect(await inner?.evaluate("window.stillHere")).toBe(true);
          await frame.locator("a", { hasText: "Health" }).click();
          await expect.poll(() => inner?.url()).toMatch(/\/api\/hassio_ingress\/Zm9v\/health$/);
          // The browser itself reports an answer of 503.
          watched.expectComplaint("503");
        } finally {
          outside.closeAllConnections();
          outside.close();
        }
      });

      it("says that the relay does not answer, and goes on when it does", async () => {
        await watched.open(urlOf(served));
        await watched.page.route("**/page/part", (route) => route.abort());
        await expect.poll(() => watched.page.locator("#note:visible").count(), { timeout: 15_000 }).toBe(1);
        expect(await watched.page.locator("#note").textContent()).toMatch(/^The relay has not answered for \d+ s\./);
        await watched.page.unroute("**/page/part");
        await expect.poll(() => watched.page.locator("#note:visible").count(), { timeout: 30_000 }).toBe(0);
        watched.expectComplaint("ERR_FAILED");
      });
    }),
);
