import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHomeAssistant } from "../../lib/adapters/homeassistant/client.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { parseIsoUs } from "../../lib/base/time.ts";
import { describePeer, installPeer } from "../support/peers.ts";
import { type Broker, discoverPowerStrip, startBroker } from "../support/power-strip.ts";
import { isLoad, numbersOf, type RealHome, startHome, upFrom } from "../support/real-home.ts";
import { differences, type Happened, readRecorder, type Span, unrecorded } from "../support/recorder.ts";
import { bytesWith, secretsOf, spoolOf } from "../support/secrets.ts";
import { allEvents, newDataFolder, type RunningStack, removeData, startStack, until } from "../support/stack.ts";

type Loose = Record<string, unknown>;

const nowUs = (): number => Date.now() * 1000;
const atUsOf = ({ last_updated }: Loose): number => parseIsoUs(String(last_updated));
/** A coordinate counts as a number of its own only: the digits of "5.03454" stand in a time such as "18:47:05.034541" as well. */
const holds = (place: string, secret: string): boolean =>
  /^[\d.]+$/.test(secret)
    ? new RegExp(String.raw`(?<![\d.])${secret.replaceAll(".", String.raw`\.`)}(?!\d)`).test(place)
    : place.includes(secret);

for (const version of ["newest", "2024", "current"])
  await describePeer(
    `the journey from Home Assistant ${version}`,
    async () => {
      await installPeer("home-assistant", ["--version", version, "--install-only"]);
      if (hasChildren(version)) await (await startBroker()).stop();
    },
    () => journey(version),
  );

/** Only this one knows devices within devices, and MQTT discovery is the way to some. */
function hasChildren(version: string): boolean {
  return version === "newest";
}

function journey(version: string): void {
  describe(`the journey from Home Assistant ${version}`, () => {
    const dataFolder = newDataFolder();
    const unheard: Span[] = [];
    let broker: Broker | undefined;
    let home: RealHome;
    let stack: RunningStack;
    let markers = 0;

    const start = () =>
      startStack({ dataFolder, env: { HEARTHLINE_HA_URL: home.url, HEARTHLINE_HA_TOKEN: home.token } });
    beforeAll(async () => {
      broker = hasChildren(version) ? await startBroker() : undefined;
      home = await startHome(version, broker ? ["--mqtt", broker.address] : []);
      if (broker) await discoverPowerStrip(home);
      stack = await start();
      unheard.push({ fromUs: 0, toUs: await listening() });
    }, 300_000);
    afterAll(async () => {
      await stack?.stop();
      await home?.stop();
      await broker?.stop();
      removeData(dataFolder);
    }, 180_000);

    /** One more event, by which it can be seen that everything before it has come through; its state. */
    async function mark(): Promise<string> {
      const state = String(++markers);
      await home.ask("POST", "/api/states/sensor.marker", { state });
      return state;
    }

    /** Waits until the relay has subscribed to a home that runs; a time after that. */
    async function listening(): Promise<number> {
      const marker = await mark();
      await until(
        () => stack.get<{ events: Loose[] }>("/api/v1/events?entity_id=sensor.marker&limit=1"),
        ({ events }) => events[0]?.state === marker,
        { deadlineMs: 90_000, everyMs: 200 },
      );
      return nowUs();
    }

    /** What the recorder has written down. It commits in order (though it numbers rows in another): when it has the marker, it has all before it. */
    async function recorded(): Promise<Happened[]> {
      const marker = await mark();
      const isMarker = ({ entityId, state }: Happened) => entityId === "sensor.marker" && state === marker;
      const rows = await until(
        async () => readRecorder(home.dir),
        (found) => found.some(isMarker),
        { deadlineMs: 60_000, everyMs: 250 },
      );
      const untilUs = rows.findLast(isMarker)?.atUs ?? 0;
      return rows.filter(({ atUs }) => atUs <= untilUs).map(asItLeaves);
    }

    /** Event for event, from the beginning until now. */
    async function expectEveryEvent(): Promise<{ rows: readonly Happened[]; events: readonly Loose[] }> {
      const rows = await recorded();
      const untilUs = rows.reduce((latest, { atUs }) => Math.max(latest, atUs), 0);
      const told = async () => (await allEvents(stack)).filter((event) => atUsOf(event) <= untilUs);
      const excuses = { unheard, unrecorded: unrecorded(home.dir) };
      const isWhole = (found: Loose[]) => differences(rows, found, excuses).missing.length === 0;
      const events = await until(told, isWhole, { deadlineMs: 60_000, everyMs: 500 }).catch(told);
      expect(differences(rows, events, excuses)).toEqual({ missing: [], invented: [], repeated: [] });
      const { parts } = await stack.get<{ parts: Loose[] }>("/health");
      for (const { ledger } of parts.filter(({ kind }) => kind === "ledger"))
        expect(ledger).toMatchObject({ missing: 0, lost_records: 0, rejected: 0 });
      return { rows, events };
    }

    it("brings every event of a few busy seconds, and no other", async () => {
      expect(await home.drive("states", { rate: 100, seconds: 3, first: 0 })).toMatchObject({ made: 300, failed: 0 });
      expect(await home.drive("service", { rate: 50, seconds: 2, first: 1 })).toMatchObject({ made: 100, failed: 0 });
      await home.ask("DELETE", "/api/states/sensor.relay_load_7");
      const { events } = await expectEveryEvent();
      expect(numbersOf(events, 0)).toEqual(upFrom(0, 300));
      const removed = events.filter(({ kind }) => kind === "removed").map(({ entity_id }) => entity_id);
      expect(removed).toContain("sensor.relay_load_7");
    }, 180_000);

    it("brings 3,000 that happen within a second", async () => {
      const driven = await home.drive("inside", { rate: 3_000, seconds: 1, first: 1_000 });
      expect(driven).toMatchObject({ made: 3_000, failed: 0 });
      const { events } = await expectEveryEvent();
      expect(numbersOf(events, 1_000)).toEqual(upFrom(1_000, 3_000));
    }, 180_000);

    it("keeps the attributes that the recorder keeps, apart from secrets", async () => {
      const { rows, events } = await expectEveryEvent();
      const byKey = new Map(events.map((event) => [`${event.entity_id} ${atUsOf(event)}`, event]));
      const pairs = rows.flatMap(({ entityId, atUs, state, attributes }) => {
        const event = state === null ? undefined : byKey.get(`${entityId} ${atUs}`);
        return event ? [{ kept: attributes ?? {}, told: event.attributes as Loose }] : [];
      });
      expect(pairs.length).toBeGreaterThan(3_000);
      const gone = pairs.flatMap(({ kept, told }) => Object.keys(kept).filter((name) => !(name in told)));
      expect([...new Set(gone)].toSorted()).toEqual(STRIPPED.filter((name) => gone.includes(name)));
      for (const { kept, told } of pairs) expect(told).toMatchObject(without(kept, STRIPPED));
    }, 180_000);

    it("has the home's areas, devices, children of devices, and entities", async () => {
      const session = await createHomeAssistant({ url: home.url, token: home.token, clock: systemClock }).connect();
      const [areas, devices, entities] = await Promise.all(
        (["areas", "devices", "entities"] as const).map((name) => session.getRegistry(name)),
      );
      await session.close();
      const listed = async (name: string) =>
        (await stack.get<Record<string, Loose[]>>(`/api/v1/${name}?limit=1000`))[name];
      expect(pick(await listed("areas"), "area_id", "name")).toEqual(pick(areas, "area_id", "name"));
      const found = await listed("devices");
      expect(pick(found, "device_id", "parent_device_id")).toEqual(pick(devices, "id", "parent_device_id"));
      const ids = new Set(entities?.map(({ entity_id }) => entity_id));
      const known = (await listed("entities"))?.filter(({ entity_id }) => ids.has(entity_id));
      expect(pick(known, "entity_id", "device_id")).toEqual(pick(entities, "entity_id", "device_id"));
      const strip = found?.find(({ name }) => name === "Relay power strip")?.device_id;
      const sockets = found?.filter(({ parent_device_id }) => parent_device_id !== undefined) ?? [];
      expect(sockets.map(({ parent_device_id }) => parent_device_id)).toEqual(broker ? [strip, strip] : []);
    });

    it("puts the home's own weather on its events, in metric units", async () => {
      const events = await allEvents(stack);
      const weathers = events.filter(isLoad).map(({ weather }) => JSON.stringify(weather));
      expect([...new Set(weathers)]).toEqual([JSON.stringify(events.findLast(isLoad)?.weather)]);
      const { condition } = (events.findLast(isLoad)?.weather ?? {}) as Loose;
      const own = events.filter(({ domain, state }) => domain === "weather" && state === condition);
      expect(own).not.toEqual([]);
    });

    it("keeps secrets at home: not in an answer, the store, a log or the spool", async () => {
      await home.ask("POST", "/api/services/text/set_value", { entity_id: PASSWORD, value: "s3same-0pen" });
      const secrets = [home.token, ...secretsOf(await home.ask("GET", "/api/states"))];
      expect(secrets).toContain("s3same-0pen");
      expect(secrets.length).toBeGreaterThan(5);
      await expectEveryEvent();
      const answers = await Promise.all(
        ["events?limit=1000", "entities", "devices", "areas"].map(async (path) =>
          (await stack.fetch(`/api/v1/${path}`)).text(),
        ),
      );
      answers.push(JSON.stringify(await allEvents(stack)));
      const spool = await spoolOf(home);
      for (const place of [answers.join(), ...bytesWith(dataFolder, ["home-key", "token"]), spool])
        expect(secrets.filter((secret) => holds(place, secret))).toEqual([]);
      // What was searched does hold what stood beside the secrets.
      for (const place of [answers.join(), spool]) expect(place).toContain("camera.demo_camera");
    }, 120_000);

    it("lives through a restart of Home Assistant, whose burst is no change", async () => {
      await home.end();
      const startUs = nowUs();
      const beginning = home.begin();
      await home.answers();
      // A relay that waits may come back after the burst. One that dies now is started at once, in the middle of it.
      process.kill(stack.parts().find(({ name }) => name === "relay")?.pid ?? 0, "SIGKILL");
      await beginning;
      const runningUs = nowUs();
      await listening();
      expect(await home.drive("states", { rate: 100, seconds: 2, first: 5_000 })).toMatchObject({ made: 200 });
      const { events } = await expectEveryEvent();
      expect(numbersOf(events, 5_000)).toEqual(upFrom(5_000, 200));
      const burst = events.filter((event) => atUsOf(event) >= startUs && atUsOf(event) <= runningUs);
      expect(burst.length).toBeGreaterThan(90);
      // What is there again is no change. A few do change while the home still starts: Home Assistant itself gave them another state before, in this start.
      const oldStateUs = (event: Loose) =>
        parseIsoUs(String(event.last_changed)) - Number(event.seconds_in_old_state) * 1e6;
      expect(burst.filter(({ kind }) => kind === "restore" || kind === "snapshot").length).toBeGreaterThan(90);
      expect(burst.filter((event) => event.kind === "change" && !(oldStateUs(event) >= startUs))).toEqual([]);
    }, 240_000);

    it("misses nothing of what happens while it is not there", async () => {
      const driving = home.drive("states", { rate: 50, seconds: 10, first: 10_000 });
      expect(await stack.stop()).toBe(0);
      stack = await start();
      await listening();
      expect(await driving).toMatchObject({ made: 500, failed: 0 });
      expect(await home.drive("states", { rate: 100, seconds: 1, first: 20_000 })).toMatchObject({ made: 100 });
      const { events } = await expectEveryEvent();
      expect(numbersOf(events, 20_000)).toEqual(upFrom(20_000, 100));
      const between = numbersOf(events, 10_000).filter((number) => number < 20_000);
      expect(between).toEqual(upFrom(10_000, 500));
      expect(events.some(({ source }) => source === "backfill")).toBe(true);
    }, 240_000);
  });
}

/** A password that is the state of an entity stays at home too; the recorder writes it down. All else it writes is what the API must say. */
const asItLeaves = (row: Happened): Happened =>
  row.entityId === PASSWORD && row.state !== null ? { ...row, state: "[secret]" } : row;
const PASSWORD = "text.password";

/** Attributes of these homes that never leave them. */
const STRIPPED = [
  "access_token",
  "entity_picture",
  "frontend_stream_type",
  "gps_accuracy",
  "latitude",
  "location",
  "longitude",
];

const without = (attributes: Loose, names: readonly string[]): Loose =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)));

/** Two members of each row, null for one that is not there, in order. */
const pick = (rows: readonly Loose[] = [], ...[a, b]: readonly [string, string]): string[] =>
  rows.map((row) => `${row[a]} ${row[b] ?? null}`).toSorted();
