import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { relayPages } from "../../lib/web/index.ts";
import { healthySink, relayHealth, secondsAgo } from "../support/relay-health.ts";

const textOf = (markup: string): string =>
  markup
    .replaceAll(/<[^>]+>/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
const part = (over: Parameters<typeof relayHealth>[0] = {}): string => textOf(relayPages.part(relayHealth(over)));

describe("the relay's page", () => {
  it("says in words that all is well, and that nothing was lost", () => {
    const text = part();
    for (const words of [
      "Everything is running.",
      "Nothing has been lost since this relay began. Every event has been sent.",
      "Connected for 1 d version 2026.11.0, running",
      "4.4 a second now 3.2 a second over the last minute 118,021 taken since the start",
      "0 records wait 391 KiB of 1 GiB used 20 GiB free on the disk",
      "Your cloud 0 records behind has everything up to 120,450, last 4 s ago",
      "The relay has heard everything.",
      "68 MiB of memory started 3 d ago answers within 12 ms",
    ])
      expect(text).toContain(words);
  });

  it("says what is wrong and what to do about it", () => {
    const text = part({
      connected: false,
      since: secondsAgo(600),
      last_error: "nobody answers",
      sinks: [healthySink({ breaker: "open", lag_records: 1, lag_seconds: 90, last_error: "no network", lost: 2 })],
      spool: { bytes: 1_500, records: 1, oldest_seconds: 90 },
      losses: 3,
      lost_at: secondsAgo(120),
    });
    for (const words of [
      "The relay needs attention.",
      "3 events lost since this relay began, the last 2 min ago . 1 record waits to be sent.",
      "Home Assistant is not connected: nobody answers. The relay tries again by itself",
      "Your cloud does not take events: no network.",
      "Not connected for 10 min",
      "1 record waits 1.5 KiB used the oldest is 1 min old",
      "1 record behind the oldest is 1 min old",
      "2 events refused and set aside",
    ])
      expect(text).toContain(words);
  });

  it("shows gaps, losses of an earlier life, the outbox, filters and an old pipeline", () => {
    const text = part({
      gaps: {
        count: 2,
        recovered: 1_234,
        last: {
          from: secondsAgo(4_000),
          to: secondsAgo(3_700),
          cause: "disconnected",
          entities: 1,
          recovered: 34,
          complete: false,
        },
      },
      losses: 1,
      sinks: [healthySink(), healthySink({ name: "old" }), healthySink({ name: "third" })],
      outbox: { breaker: "closed", waiting: 1, delivered: 4, failed: 2 },
      excluded_attributes: 5_000,
    });
    for (const words of [
      "1,234 records recovered from Home Assistant&#39;s recorder last: 5 min, ended 1 h 1 min ago , 1 entity moved, not all could be recovered",
      "1 event lost since this relay began, none since the start 3 d ago",
      "Your old pipeline",
      "third 0 records behind",
      "To your devices 1 item waits 4 delivered since the start 2 could not be delivered",
      "5,000 attributes kept at home by your filters",
    ])
      expect(text).toContain(words);
  });

  it("runs nothing that comes from outside, and loads nothing from elsewhere", () => {
    const evil = "<script>alert(1)</script>\" onload='x'";
    const { html, policy } = relayPages.page(
      relayHealth({
        connected: false,
        home_id: evil,
        ha_version: evil,
        last_error: evil,
        sinks: [healthySink({ name: evil })],
      }),
    );
    expect(html).not.toContain("<script>alert");
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).not.toMatch(/\son[a-z]+="/);
    // Relative, because Home Assistant serves the page under a path of its own.
    for (const [, address = ""] of html.matchAll(/(?:href|src)="([^"]*)"/g))
      expect(address).toMatch(/^(data:|[a-z]+$)/);
    const script = /<script>([\s\S]*)<\/script>/.exec(html)?.[1] ?? "";
    expect(script).toContain('fetch("page/part"');
    const hash = createHash("sha256").update(script).digest("base64");
    expect(policy).toContain(`script-src 'sha256-${hash}'`);
  });
});
