import { describe, expect, it } from "vitest";
import { createMemorySpool } from "../../../lib/adapters/memory/spool.ts";
import { silentLogger } from "../../../lib/base/log.ts";
import { createRelay, metricsOf } from "../../../lib/relay/index.ts";
import { capabilityRecords } from "../../../lib/relay/outbox/zigbee.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { relayHealth } from "../../support/relay-health.ts";
import { FakeHomeAssistant } from "../fakes.ts";

const idle = { breaker: "closed", waiting: 0, delivered: 3, failed: 1 } as const;

describe("the outbox in the relay's health", () => {
  it("is a reason to look only when it is stuck", () => {
    const away = { ...idle, waiting: 2, last_error: "mqtt_unreachable: nobody" };
    expect(relayHealth({ outbox: idle }).status).toBe("ok");
    expect(relayHealth({ outbox: away }).status).toBe("ok");
    expect(relayHealth({ outbox: { ...away, breaker: "open" } })).toMatchObject({
      status: "degraded",
      reasons: [{ code: "outbox_waits", text: expect.stringContaining("mqtt_unreachable: nobody.") }],
    });
  });

  it("has metrics where there is an outbox", () => {
    const text = metricsOf(relayHealth({ outbox: idle }));
    expect(text).toContain("hearthline_relay_outbox_delivered_total 3\n");
    expect(text).toContain("hearthline_relay_outbox_failed_total 1\n");
    expect(text).toContain("hearthline_relay_outbox_breaker_open 0\n");
    expect(metricsOf(relayHealth())).not.toContain("outbox");
  });
});

describe("records of the relay's own", () => {
  it("are in the spool when they are appended, with revisions that never fall", async () => {
    const clock = manualClock();
    const spool = createMemorySpool({ relayId: "r", clock, sinks: ["cloud"], maxBytes: 1_000_000 });
    const relay = createRelay({
      ...{ homeId: "home", homeAssistant: new FakeHomeAssistant(), spool, sinks: [], references: [], clock },
      ...{ random: () => 0, log: silentLogger, include: [], exclude: [], endsWhenRefused: false },
    });
    const rows = [{ ieee_address: "0x1" }];
    await relay.append((revision) => capabilityRecords(rows, revision));
    clock.set(1_000);
    await relay.append((revision) => capabilityRecords(rows, revision));
    const records = await spool.read("cloud", { limit: 10, maxBytes: 10_000 });
    const revisions = records.map(({ line }) => (JSON.parse(line) as { revision: number }).revision);
    expect(revisions).toHaveLength(2);
    expect(revisions[1]).toBe((revisions[0] ?? 0) + 1);
    expect(relay.health()).not.toHaveProperty("outbox");
  });
});
