import { describe, expect, it } from "vitest";
import type { GapNote } from "../../lib/ingest/index.ts";
import { ageText, durationText } from "../../lib/web/age.ts";
import { html } from "../../lib/web/html.ts";
import { createTestApi, emptyQueues, tokenText } from "../support/api.ts";
import { AT_US, furnish } from "../support/api-requests.ts";
import { buildEvent } from "../support/events.ts";
import { manualClock } from "../support/manual-clock.ts";

const EVIL = `<img src=x onerror=alert(1)>"'&`;
const TOKEN = tokenText("home", "r");

async function page(options: Partial<Parameters<typeof createTestApi>[0]> = {}) {
  const api = await createTestApi({ clock: manualClock(), pageToken: TOKEN, ...options });
  const text = async (path = "/", init = {}) => (await api.ask(path, { token: null, ...init })).text();
  return { ...api, text };
}

describe("the page", () => {
  it("shows the parts, the ledger and the last events with names, areas and ages", async () => {
    const api = await page();
    await furnish(api);
    const text = await api.text();
    for (const words of [
      "Everything is running.",
      "Nothing lost up to record <strong>120</strong>.",
      "Events queue",
      "Connected to Home Assistant 2026.11.0.",
      "Kitchen light",
      '<span class="id">light.kitchen</span>',
      '<td class="where">Kitchen</td>',
      "12 min ago",
      "was on",
      '69.8 °F</span> <span class="was">was 69.6',
      "<title>The home · Hearthline</title>",
    ]) {
      expect(text).toContain(words);
    }
  });

  it("shows at most 50 events, the newest first", async () => {
    const api = await page();
    await api.events.write(
      Array.from({ length: 60 }, (_, index) => buildEvent({ atUs: AT_US + index, state: `state-${index}` })),
    );
    const states = [...(await api.text()).matchAll(/state-(\d+)/g)].map(([, index]) => Number(index));
    expect(states).toEqual(Array.from({ length: 50 }, (_, index) => 59 - index));
  });

  it("escapes whatever comes from a home", async () => {
    const api = await page();
    await furnish(api);
    await api.homes.update("home", { name: EVIL, timeZone: "UTC", revision: 5 });
    const whole = { revision: 2, part: 1, parts: 1 };
    await api.index.applyRegistry("home", {
      ...whole,
      registry: "areas",
      rows: [{ areaId: "kitchen", name: EVIL, labels: [] }],
    });
    await api.index.applyRegistry("home", {
      ...whole,
      registry: "entities",
      rows: [{ entityId: "light.kitchen", name: EVIL, labels: [] }],
    });
    await api.events.write([
      buildEvent({
        entityId: "light.kitchen",
        atUs: AT_US + 50,
        areaId: "kitchen",
        state: EVIL,
        oldState: EVIL,
        unit: EVIL,
        attributes: { unit_of_measurement: EVIL },
      }),
    ]);
    const [relay] = await api.index.relayStatuses("home");
    if (relay) await api.index.applyRelayStatus("home", { ...relay, at: "2026-11-22T05:59:40.000Z", haVersion: EVIL });
    for (const text of [await api.text(), await api.text("/page/live", { token: TOKEN })]) {
      expect(text).not.toContain("<img");
      expect(text).toContain("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;");
    }
  });

  it("runs under a policy that lets nothing run but its own scripts and style", async () => {
    const { ask } = await page();
    const response = await ask("/", { token: null });
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]+'; script-src 'sha256-[\w+/=]+' 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    );
    const text = await response.text();
    // No style attribute and no handler attribute: the policy would stop them.
    expect(text).not.toMatch(/<[^>]+\s(style|on\w+)=/);
    expect(text).not.toMatch(/(src|href)="(https?:)?\/\//);
  });

  it("loads its client under an address that changes with it, and tells it how the home counts its days", async () => {
    const client = { text: "let hearth;", version: "abc" };
    const api = await page({ parts: { pageClient: client } });
    await furnish(api);
    const text = await api.text();
    expect(text).toContain('<script src="/page/app.js?v=abc" defer></script>');
    expect(text).toContain('data-time-zone="Europe/Amsterdam" data-day-start="03:00"');
    const ask = (path: string, headers = {}) => api.ask(path, { token: null, headers });
    const script = await ask("/page/app.js?v=abc");
    expect([await script.text(), script.headers.get("content-type")]).toEqual([
      "let hearth;",
      "text/javascript; charset=utf-8",
    ]);
    expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    // Whoever has an older page open gets what there is, and does not keep it under that name.
    expect((await ask("/page/app.js?v=old")).headers.get("cache-control")).toBe("no-cache");
    const again = await ask("/page/app.js", { "if-none-match": script.headers.get("etag") ?? "" });
    expect([again.status, await again.text()]).toEqual([304, ""]);
  });

  it("is a status page where there is no client", async () => {
    const api = await page({ parts: { pageClient: undefined } });
    await furnish(api);
    const response = await api.ask("/", { token: null });
    const text = await response.text();
    expect(text).toContain("Everything is running.");
    expect(text).not.toMatch(/id="views"|page\/app\.js/);
    expect(response.headers.get("content-security-policy")).toMatch(/script-src 'sha256-[\w+/=]+'; connect-src/);
    expect((await api.ask("/page/app.js", { token: null })).status).toBe(404);
  });

  it("holds the token only for this machine, and answers to no other name", async () => {
    const { ask } = await page();
    for (const host of ["127.0.0.1:8787", "localhost:8787", "LOCALHOST", "[::1]:8787"]) {
      const response = await ask("/", { token: null, headers: { host } });
      expect(await response.text()).toContain(`content="${TOKEN}"`);
      expect(response.headers.get("cache-control")).toBe("no-store");
    }
    for (const host of [
      "evil.example",
      "127.0.0.1.evil.example:8787",
      "localhost.evil.example",
      "192.168.1.5:8787",
      "",
    ]) {
      for (const path of ["/", "/docs"]) {
        const response = await ask(path, { token: null, headers: { host } });
        expect(response.status).toBe(421);
        expect(await response.text()).not.toContain("hl_");
      }
    }
  });

  it("asks for a token where no page token is set, and shows nothing before", async () => {
    const api = await createTestApi({ clock: manualClock() });
    await furnish(api);
    const text = await (await api.ask("/", { token: null, headers: { host: "hearthline.example" } })).text();
    expect(text).toContain('<form id="sign" class="sign" >');
    expect(text).toContain('<div id="live"></div>');
    expect(text).toMatch(/<nav id="views"[^>]* hidden>/);
    expect(text).not.toContain("Kitchen");
    expect((await api.ask("/page/live", { token: null })).status).toBe(401);
  });

  it("asks for a token when the page's own is not good", async () => {
    const { text } = await page({ pageToken: tokenText("home", "q") });
    expect(await text()).toContain('<div id="live"></div>');
  });

  it("says what does not answer instead of failing", async () => {
    const away = () => Promise.reject(new Error("away"));
    const api = await page({
      parts: {
        events: { range: away, stats: away, aggregate: away, retention: away },
        index: { list: away, seen: away, history: away, revisions: away },
      },
      healthParts: { events: { check: away } },
      depths: away,
    });
    const text = await api.text();
    expect(text).toContain("Something does not answer.");
    expect(text).toContain("The store does not answer, so the events cannot be shown.");
  });

  it("says what to look at", async () => {
    const depths = async () => emptyQueues().map((one) => (one.name === "store" ? { ...one, dead: 3 } : one));
    const api = await page({ depths });
    await furnish(api);
    const text = await api.text();
    expect(text).toContain("Running, with one thing to look at.");
    expect(text).toContain(
      "<strong>Store queue.</strong> 3 set aside: see &quot;hearthline queues peek store-dead&quot;.",
    );
  });

  it("is honest about what was given up, and about an empty home", async () => {
    const api = await page();
    expect(await api.text()).toContain("No event has arrived yet.");
    const fresh = await page();
    await fresh.ledger.record("home", "relay-1", [
      { range: [1, 2_000], lost: [{ first: 5, last: 6, count: 2, reason: "full" }] },
    ]);
    expect(await fresh.text()).toContain(
      "Accounted for up to record <strong>2,000</strong>; the relay had to give up 2 of them.",
    );
  });

  it("tells a home's owner of interruptions, and of what nobody knows", async () => {
    const api = await page();
    await furnish(api);
    const gap = {
      ...{
        n: 121,
        from: "2026-11-22T04:48:00Z",
        to: "2026-11-22T05:00:00Z",
        cause: "home_assistant_restarted" as const,
      },
      ...{ entities: 5, recovered: 431, statistics: 0 },
    } satisfies Partial<GapNote>;
    await api.ledger.record("home", "relay-1", [
      { range: [121, 121], gaps: [{ ...gap, complete: true, missing: [] }] },
    ]);
    const text = await api.text();
    expect(text).toContain("Nothing lost up to record <strong>121</strong>.");
    expect(text).toContain(
      "One interruption so far, 1 h ago, lasted 12 min (Home Assistant restarted): 431 events were fetched from Home Assistant afterwards.",
    );
    const missing = [{ reason: "not_recorded", entities: 7, examples: ["light.a", "light.b", "<b>"] }] as const;
    const fresh = await page();
    await furnish(fresh);
    await fresh.ledger.record("home", "relay-1", [
      { range: [121, 121], gaps: [{ ...gap, complete: true, missing: [] }] },
      { range: [122, 122], gaps: [{ ...gap, n: 122, recovered: 1, complete: false, missing }] },
    ]);
    const later = await fresh.text();
    expect(later).toContain("Nothing that was heard is lost up to record <strong>122</strong>.");
    expect(later).toContain(
      "2 interruptions so far. The last one, 1 h ago, lasted 12 min (Home Assistant restarted): 1 event was fetched from Home Assistant afterwards; " +
        "what 7 entities did meanwhile is not known (light.a, light.b, &lt;b&gt; and 4 more).",
    );
  });

  it("speaks of the relay, not of an import beside it", async () => {
    const api = await page();
    await furnish(api);
    await api.ledger.record("home", "import-1", [{ range: [1, 5_000] }]);
    const text = await api.text();
    expect(text).toContain("Nothing lost up to record <strong>120</strong>.");
    expect(text).toContain('<span class="dot ok"></span>Import');
    expect(text).toContain('<div class="figure">5,000 <span>records</span>');
  });
});

describe("/docs", () => {
  it("reads as the document does, with every code at its anchor, and loads nothing", async () => {
    const { text } = await page();
    const docs = await text("/docs");
    for (const words of [
      "/api/v1/events/forward",
      "Needs a token with the scope write.",
      'id="schema-Event"',
      'id="problem-cursor_invalid"',
      'href="#schema-EventPage"',
    ]) {
      expect(docs).toContain(words);
    }
    expect(docs).not.toContain("<script");
    expect(docs).not.toMatch(/(src|href)="(https?:)?\/\//);
  });
});

describe("html", () => {
  it("escapes values, joins lists, leaves nothing out of nothing, and does not escape twice", () => {
    expect(html`<p title="${EVIL}">${[html`<b>${"a<b"}</b>`, 5, null, undefined, false]}</p>`.text).toBe(
      '<p title="&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;"><b>a&lt;b</b>5</p>',
    );
  });
});

describe("ages", () => {
  it.each([
    [-5, "0 s"],
    [59.9, "59 s"],
    [60, "1 min"],
    [3_599, "59 min"],
    [3_600, "1 h"],
    [3_660, "1 h 1 min"],
    [86_400, "1 d"],
  ])("%d seconds: %s", (seconds, text) => expect(durationText(seconds)).toBe(text));

  it("reads six decimals", () =>
    expect(ageText("2026-11-22T05:47:09.185382+00:00", "2026-11-22T05:47:12.200Z")).toBe("3 s"));
});
