import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOutboxFeed } from "../../lib/adapters/hearthline/outbox-feed.ts";
import { createHaAutomations } from "../../lib/adapters/homeassistant/automations.ts";
import { createMemoryDeviceIndex } from "../../lib/adapters/memory/device-index.ts";
import { createMemoryDisplayStore } from "../../lib/adapters/memory/display.ts";
import { createMemoryHomeDirectory } from "../../lib/adapters/memory/homes.ts";
import { createMemoryOutboxStore } from "../../lib/adapters/memory/outbox.ts";
import { createMemorySuggestionStore } from "../../lib/adapters/memory/suggestions.ts";
import { createMqttBroker } from "../../lib/adapters/mqtt/broker.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { silentLogger } from "../../lib/base/log.ts";
import { systemRandom } from "../../lib/base/random.ts";
import { parseIsoUs } from "../../lib/base/time.ts";
import { availabilityTopic } from "../../lib/event/index.ts";
import { createDisplay, createHouse, createOutbox, type Display, type House } from "../../lib/publish/index.ts";
import { createOutboxRunner } from "../../lib/relay/index.ts";
import { createTestApi, serveApi, tokenText } from "../support/api.ts";
import { describePeer, freePort, installPeer, peerFolder, startPeer, stopPeer } from "../support/peers.ts";
import { type RealHome, startHome } from "../support/real-home.ts";
import { until } from "../support/stack.ts";
import { suggestion } from "../support/suggestions.ts";

interface HaState {
  readonly entity_id: string;
  readonly state: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

const FIGURES = {
  date: "2026-11-21",
  patterns: 7,
  last_run: "2026-11-22T02:01:02.000Z",
  events_day: 4_711,
  events_day_before: null,
  ledger_complete: "yes" as const,
};

for (const version of ["2024", "current", "newest"] as const)
  await describePeer(
    `Home Assistant ${version} and mosquitto`,
    async () => {
      await installPeer("home-assistant", ["--version", version, "--install-only"]);
      return startBroker();
    },
    (mosquitto) => describe(`Home Assistant ${version}`, () => published(version, mosquitto)),
  );

async function startBroker() {
  const folder = await peerFolder("mosquitto");
  const port = await freePort();
  await startPeer("mosquitto", ["--dir", folder.dir, "--port", String(port)]);
  return { folder, broker: `mqtt://hearthline:hearthline@127.0.0.1:${port}` };
}

function published(version: string, { folder, broker }: Awaited<ReturnType<typeof startBroker>>) {
  let home: RealHome;
  let display: Display;
  let house: House;
  let served: Awaited<ReturnType<typeof serveApi>>;
  let api: Awaited<ReturnType<typeof createTestApi>>;
  let stopRelay: () => Promise<void>;
  const suggestions = createMemorySuggestionStore();
  const index = createMemoryDeviceIndex(systemClock);

  beforeAll(async () => {
    home = await startHome(version, ["--mqtt", broker.replace("mqtt://", "")]);
    const homes = createMemoryHomeDirectory();
    const createdAt = new Date().toISOString();
    const facts = { homeId: "home", name: "Home", timeZone: "UTC", revision: 0, createdAt, haVersion: home.version };
    await homes.add(facts, { id: "key", secret: Buffer.alloc(32) });
    const outbox = createOutbox({
      store: createMemoryOutboxStore(systemClock),
      clock: systemClock,
      random: systemRandom,
    });
    const clock = systemClock;
    display = createDisplay({ told: createMemoryDisplayStore(), outbox, suggestions, homes, index, clock });
    house = createHouse({ suggestions, outbox, display, index, clock });
    api = await createTestApi({
      clock,
      parts: { outbox, suggestions, tellHouse: house.tell, itemEnded: house.ended },
    });
    served = await serveApi(api);
    stopRelay = relay();
    await suggestions.change("home", () => [
      suggestion({
        automation: {
          alias: "Restored follows",
          description: "",
          mode: "single",
          triggers: [{ trigger: "state", entity_id: "input_boolean.relay_boolean", to: "on" }],
          conditions: [],
          actions: [{ action: "input_boolean.turn_on", target: { entity_id: "input_boolean.relay_boolean_restored" } }],
        },
      }),
      suggestion({ id: "p-other", rank: 2, title: 'With "quotes" and {{ braces }}' }),
    ]);
    await display.show("home", { figures: FIGURES, again: true });
  }, 300_000);
  afterAll(async () => {
    await stopRelay?.();
    await served?.close();
    await home?.stop();
    await stopPeer(folder.dir);
    await folder.remove();
  }, 60_000);

  /** The relay's outbox at work. */
  function relay(): () => Promise<void> {
    const runner = createOutboxRunner({
      turnSink: async () => {},
      refetch: async () => {},
      feed: createOutboxFeed({ url: served.url, token: tokenText("home") }),
      broker: createMqttBroker({
        url: broker,
        clock: systemClock,
        random: systemRandom,
        availabilityTopic: availabilityTopic("home"),
      }),
      automations: createHaAutomations({ url: home.url, token: home.token, clock: systemClock }),
      ...{ baseTopics: ["zigbee2mqtt"], intervalSeconds: 1, random: () => 0.1, log: silentLogger },
      append: async () => {},
      clock: systemClock,
    });
    const run = runner.run();
    return async () => {
      runner.stop();
      await run;
    };
  }

  const get = (entityId: string) => home.ask<HaState>("GET", `/api/states/${entityId}`).catch(() => undefined);
  const becomes = (entityId: string, fits: (state: HaState | undefined) => boolean) =>
    until(() => get(entityId), fits, { deadlineMs: 60_000, everyMs: 200 });
  const ACCEPT = "button.hearthline_home_p_abc_accept";

  it("shows its device: figures, and each suggestion with its two buttons", async () => {
    const count = await becomes("sensor.hearthline_home_suggestions", (state) => state?.state === "2");
    expect(count?.attributes.suggestions).toMatchObject([{ id: "p-abc" }, { id: "p-other" }]);
    await becomes("sensor.hearthline_home_patterns", (state) => state?.state === "7");
    await becomes("sensor.hearthline_home_last_run", (state) => state?.state === "2026-11-22T02:01:02+00:00");
    await becomes("sensor.hearthline_home_events_day", (state) => state?.state === "4711");
    await becomes("binary_sensor.hearthline_home_ledger_complete", (state) => state?.state === "on");
    const other = await becomes("sensor.hearthline_home_p_other_text", (state) => state?.state !== "unknown");
    expect(other).toMatchObject({
      state: 'With "quotes" and {{ braces }}',
      attributes: { id: "p-other", evidence: "18 of 20 times" },
    });
    const button = await becomes(ACCEPT, (state) => state?.state === "unknown");
    expect(button?.attributes.friendly_name).toBe("Hearthline Accept: Turn on Lamp when Hall is on");
  }, 120_000);

  it("is accepted by a press: the automation is written and works, its buttons go", async () => {
    await home.ask("POST", "/api/services/button/press", { entity_id: ACCEPT });
    const pressed = await becomes(ACCEPT, (state) => !Number.isNaN(Date.parse(state?.state ?? "")));
    const seen = { atUs: parseIsoUs(pressed?.state ?? ""), state: pressed?.state ?? "" };
    await house.noticed("home", { seen: new Map([[ACCEPT, seen]]), isBack: false });
    await house.noticed("home", { seen: new Map([[ACCEPT, seen]]), isBack: false });
    const written = await until(
      () => suggestions.get("home", "p-abc"),
      (one) => one?.outcome === "written",
      { deadlineMs: 60_000, everyMs: 200 },
    );
    expect(written?.history.map(({ by }) => by)).toEqual(["night", "mqtt", "relay"]);
    await becomes(ACCEPT, (state) => state === undefined);
    await becomes("sensor.hearthline_home_suggestions", (state) => state?.state === "1");
    expect(await get("button.hearthline_home_p_other_accept")).toBeDefined();
    const set = (entity: string, to: string) =>
      home.ask("POST", `/api/services/input_boolean/turn_${to}`, { entity_id: `input_boolean.${entity}` });
    await set("relay_boolean", "off");
    await set("relay_boolean_restored", "off");
    await set("relay_boolean", "on");
    await becomes("input_boolean.relay_boolean_restored", (state) => state?.state === "on");
  }, 120_000);

  it("is there again when Home Assistant comes back", async () => {
    await home.end();
    await home.begin();
    await becomes("sensor.hearthline_home_suggestions", (state) => state?.state === "1");
    await becomes("button.hearthline_home_p_other_dismiss", (state) => state?.state === "unknown");
    expect(await get(ACCEPT)).toBeUndefined();
  }, 120_000);

  it("is dismissed over the API: nothing of it is left", async () => {
    expect((await api.post("/api/v1/suggestions/p-other/dismiss", {})).status).toBe(200);
    await becomes("button.hearthline_home_p_other_dismiss", (state) => state === undefined);
    await becomes("sensor.hearthline_home_p_other_text", (state) => state === undefined);
    await becomes("sensor.hearthline_home_suggestions", (state) => state?.state === "0");
  }, 120_000);
}
