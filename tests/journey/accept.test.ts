import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDynamodbSuggestionStore } from "../../lib/adapters/dynamodb/suggestions.ts";
import { createOutboxFeed } from "../../lib/adapters/hearthline/outbox-feed.ts";
import { createHaAutomations } from "../../lib/adapters/homeassistant/automations.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { silentLogger } from "../../lib/base/log.ts";
import { createOutboxRunner } from "../../lib/relay/index.ts";
import { createSimulatedHome, type SimulatedHome } from "../../local/home/simulated-home.ts";
import { FakeBroker } from "../relay/outbox/fakes.ts";
import { servePipeline } from "../support/http-api.ts";
import { manualClock } from "../support/manual-clock.ts";
import { type Pipeline, startPipeline } from "../support/pipeline.ts";
import { sealed, stateRecord } from "../support/records.ts";
import { suggestion } from "../support/suggestions.ts";
import type { Journey } from "./records.ts";

const HELPERS = ["input_boolean.hall", "input_boolean.lamp"] as const;

describe("from a suggestion to an automation in the house", () => {
  let pipeline: Pipeline;
  let served: Awaited<ReturnType<typeof servePipeline>>;
  let home: Journey;
  let house: SimulatedHome;
  let first = 1;
  const folder = mkdtempSync(join(tmpdir(), "hearthline-accept-"));

  beforeAll(async () => {
    pipeline = await startPipeline();
    served = await servePipeline(pipeline);
    home = await pipeline.addHome();
    house = await createSimulatedHome({ data: folder, rate: 0.03 });
    const suggestions = createDynamodbSuggestionStore(pipeline.cloud.table);
    await suggestions.change("home", () => [
      suggestion(),
      ...["second", "third", "fourth", "fifth"].map((name, at) => suggestion({ id: `p-${name}`, rank: at + 2 })),
    ]);
  }, 60_000);
  afterAll(async () => {
    served.close();
    await house.stop();
    await pipeline.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const post = (path: string, body: unknown = {}) =>
    pipeline.ask(home.token, `/api/v1${path}`, { method: "POST", body: JSON.stringify(body) });
  const shown = async (id: string) => (await pipeline.ask(home.token, `/api/v1/suggestions/${id}`)).json;
  const send = async (records: readonly Record<string, unknown>[]) => {
    await pipeline.send("events", sealed([...records], { key: home.key, first }));
    first += records.length;
    await pipeline.drain();
  };
  const waiting = async (kind: string) => {
    const { json } = await pipeline.ask(home.token, "/api/v1/outbox?status=pending&limit=1000");
    return (json.items as { kind: string; topic: string; payload: string }[]).filter((item) => item.kind === kind);
  };

  /** The relay's outbox at work until nothing waits. */
  async function relay(writes = true) {
    const clock = manualClock();
    const broker = new FakeBroker();
    const { url, token } = house;
    const runner = createOutboxRunner({
      turnSink: async () => {},
      refetch: async () => {},
      feed: createOutboxFeed({ url: served.url, token: home.token }),
      ...{ broker, clock, baseTopics: ["zigbee2mqtt"], intervalSeconds: 60, random: () => 0, log: silentLogger },
      ...(writes && {
        automations: createHaAutomations({ url, token, clock: { ...systemClock, sleep: async () => {} } }),
      }),
      append: async () => {},
    });
    const run = runner.run();
    await expect
      .poll(
        async () => {
          await clock.advance(1_000);
          const { looked_at, waiting: left } = runner.state();
          return looked_at !== undefined && left === 0;
        },
        { timeout: 20_000 },
      )
      .toBe(true);
    runner.stop();
    await run;
    return { broker, state: runner.state() };
  }

  it("is accepted over the API, written into Home Assistant, and does what it says", async () => {
    const { status, json } = await post("/suggestions/p-abc/accept");
    expect([status, json.status, json.outcome]).toEqual([200, "accepted", "waiting"]);
    expect((await post("/suggestions/p-abc/accept")).status).toBe(200);
    expect(await waiting("automation")).toMatchObject([{ automation: { id: "hearthline_p_abc", removes: false } }]);
    for (const entityId of HELPERS) house.emit({ entityId, state: "off" });
    await relay();
    expect(await shown("p-abc")).toMatchObject({ status: "accepted", outcome: "written" });
    house.emit({ entityId: HELPERS[0], state: "on" });
    const own = [...house.core.states.all()].find(({ attributes }) => attributes.id === "hearthline_p_abc");
    await expect.poll(() => house.core.states.get(own?.entityId ?? "")?.attributes.last_triggered).toBeTruthy();
    expect((await post("/suggestions/p-abc/accept")).json.outcome).toBe("written");
    expect(await waiting("automation")).toEqual([]);
  }, 60_000);

  it("is refused where the owner does not want it, and says so; accepting again asks again", async () => {
    await post("/suggestions/p-second/accept");
    await relay(false);
    const refused = await shown("p-second");
    expect(refused).toMatchObject({ outcome: "refused" });
    expect(refused.outcome_detail).toMatch(/^automation_not_allowed: .*HEARTHLINE_WRITE_AUTOMATIONS/);
    expect((await post("/suggestions/p-second/accept")).json.outcome).toBe("waiting");
    await relay();
    expect(await shown("p-second")).toMatchObject({ outcome: "written" });
  }, 60_000);

  it("is decided by buttons in the house, once for each press", async () => {
    const button = (id: string, what: string) => `button.hearthline_home_p_${id}_${what}`;
    const press = (entityId: string, at: string) => stateRecord({ entity_id: entityId, state: at });
    const renamed = "button.our_favourite";
    const row = { entity_id: renamed, platform: "mqtt", unique_id: button("third", "accept").slice("button.".length) };
    const foreign = { entity_id: button("fifth", "accept"), platform: "template", unique_id: "x" };
    await send([
      { t: "registry", registry: "entities", revision: Date.now(), part: 1, parts: 1, rows: [row, foreign] },
      press(renamed, "2026-11-22T10:00:00+00:00"),
      press(button("fourth", "dismiss"), "2026-11-22T10:00:01+00:00"),
      press(button("fifth", "accept"), "2026-11-22T10:00:01+00:00"),
    ]);
    expect(await shown("p-third")).toMatchObject({ status: "accepted", outcome: "waiting" });
    expect((await shown("p-third")).history.at(-1)).toMatchObject({ by: "mqtt", at: "2026-11-22T10:00:00.000Z" });
    expect(await shown("p-fourth")).toMatchObject({ status: "dismissed" });
    expect(await shown("p-fifth")).toMatchObject({ status: "new" });
    await relay();
    expect(await shown("p-third")).toMatchObject({ outcome: "written" });
    // A person thinks otherwise; and the press, told again, does not.
    await post("/suggestions/p-fourth/accept");
    await send([press(button("fourth", "dismiss"), "2026-11-22T10:00:01+00:00")]);
    expect(await shown("p-fourth")).toMatchObject({ status: "accepted" });
  }, 60_000);

  it("takes its buttons away when it is decided", async () => {
    const { broker } = await relay();
    await post("/suggestions/p-fifth/dismiss");
    const [config] = (await waiting("mqtt")).filter(({ topic }) => topic.startsWith("homeassistant/device/"));
    const { components } = JSON.parse(config?.payload ?? "{}");
    expect(components.hearthline_home_p_fifth_accept).toEqual({ platform: "button" });
    expect(components.hearthline_home_suggestions).toMatchObject({ name: "Suggestions" });
    expect(broker).toBeDefined();
  }, 60_000);
});
