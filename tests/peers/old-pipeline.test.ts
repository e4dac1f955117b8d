import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createHomeAssistant } from "../../lib/adapters/homeassistant/client.ts";
import { createInfluxSink } from "../../lib/adapters/legacy/influx-sink.ts";
import { createMemorySpool } from "../../lib/adapters/memory/spool.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { systemRandom } from "../../lib/base/random.ts";
import { createRelay } from "../../lib/relay/index.ts";
import { keepLog } from "../relay/fakes.ts";
import { describePeer, freePort, peerFolder, startPeer, stopPeer } from "../support/peers.ts";
import { startHome } from "../support/real-home.ts";
import { until } from "../support/stack.ts";

const OLD = "written_by_home_assistant";
const OURS = "written_by_the_relay";

type Fields = Readonly<Record<string, string | number | boolean>>;

const influxFolder = await peerFolder("influxdb");
const influxArgs = ["--dir", influxFolder.dir, "--port", String(await freePort())];

async function prepare() {
  const { url } = await startPeer("influxdb", influxArgs);
  const query = async (q: string, db = OLD) => {
    const answer = await fetch(`${url}/query?${new URLSearchParams({ q, db, epoch: "ns" })}`, { method: "POST" });
    return (await answer.json()) as { results: { series?: Series[] }[] };
  };
  for (const name of [OLD, OURS]) await query(`CREATE DATABASE ${name}`);
  const config = join(influxFolder.dir, "influxdb.yaml");
  const { hostname, port } = new URL(url);
  await writeFile(
    config,
    `influxdb:\n  api_version: 1\n  host: ${hostname}\n  port: ${port}\n  database: ${OLD}\n  max_retries: 3\n  default_measurement: state\n`,
  );
  return { url, query, home: await startHome("newest", ["--config", config]) };
}

interface Series {
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values: readonly (readonly (string | number | boolean | null)[])[];
}

/** Times are beyond what a JSON number holds: they come as text, in microseconds. */
async function pointsOf(url: string, db: string): Promise<Map<string, Fields>> {
  const q = "SELECT * FROM /.*/ GROUP BY domain, entity_id";
  const answer = await fetch(`${url}/query?${new URLSearchParams({ q, db, epoch: "u" })}`);
  const { results } = (await answer.json()) as { results: { series?: Series[] }[] };
  const points = new Map<string, Fields>();
  for (const { name, tags = {}, columns, values } of results.flatMap(({ series = [] }) => series)) {
    for (const row of values) {
      const fields = columns.map((column, at) => [column, row[at]] as const).filter(([column]) => column !== "time");
      const key = `${row[0]} ${tags.domain}.${tags.entity_id} in ${name}`;
      points.set(
        key,
        Object.fromEntries(
          fields.flatMap(([column, value]) => (value === null || value === undefined ? [] : [[column, value]])),
        ),
      );
    }
  }
  return points;
}

/** States that find out what an exporter does with them. */
const NASTY: readonly (readonly [entityId: string, state: string, attributes: Record<string, unknown>])[] = [
  ["sensor.nasty", "12.50", { unit_of_measurement: "W", friendly_name: 'Nasty, with = and "quotes" \\ and é 温 😀' }],
  ["sensor.nasty", "1e3", { unit_of_measurement: "k W/h, =\\" }],
  ["sensor.nasty", "text", { list: [1, "two", null, true, 2.5, ["it's", 'a "b"']], map: { a: { b: [] } } }],
  ["sensor.nasty", "on", { number: 5, text: "7", flag: true, nothing: null, time: 3, value: 9, state: "s" }],
  ["sensor.nasty", "two\nlines", { note: "first\nsecond\r\nthird\n", tab: "a\tb" }],
  ["sensor.nasty", " 42 ", { version: "v1.25b", at: "12:30", big: 12_345_678_901_234, small: 0.00001 }],
  ["sensor.nasty", "1_000", { underscore: "1_5", not: "1__5", infinite: "inf", none: "nan" }],
  ["sensor.nasty", "unknown", { a: 1 }],
  ["sensor.nasty", "unavailable", {}],
  ["sensor.nasty", "", { a: 2 }],
  ["binary_sensor.nasty", "off", { device_class: "door" }],
  ["lock.nasty", "locked", { "a b,c=d": "e f,g=h", empty: "" }],
  ["sensor.nasty", "end", { unit_of_measurement: "" }],
];

/** What is meant to differ: JSON does not tell a tuple from a list, an enumeration from its text, 1.0 from 1 within a list, nor a date from its text. */
const alike = (value: Fields[string] | undefined): unknown => {
  if (typeof value !== "string") return value;
  const plain = value.replaceAll(/<\w+\.\w+: ([^>]+)>/g, "$1");
  if (/^[[({]/.test(plain))
    return plain
      .replaceAll("(", "[")
      .replaceAll(/,?\)/g, "]")
      .replaceAll(/(\d)\.0\b/g, "$1");
  return value.replace(/^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)/, "$1T$2");
};
/** What stays at home (lib/relay/secrets.ts). */
const SECRET = /^(access_token|entity_picture|latitude|longitude)(_str)?$/;

await describePeer("the old pipeline beside the cloud", prepare, ({ url, query, home }) =>
  describe(`the old sink beside the InfluxDB integration of Home Assistant ${home.version}`, () => {
    const { log, lines } = keepLog();
    const clock = systemClock;
    const spool = createMemorySpool({ relayId: "r", clock, sinks: ["old"], maxBytes: 1e9 });
    const sink = createInfluxSink({
      name: "old",
      url,
      database: OURS,
      defaultMeasurement: "state",
      flushMs: 200,
      clock,
    });
    const relay = createRelay({
      homeId: "home",
      homeAssistant: createHomeAssistant({ url: home.url, token: home.token, clock }),
      spool,
      sinks: [sink],
      references: [],
      clock,
      random: systemRandom,
      log,
      include: [],
      exclude: [],
      endsWhenRefused: true,
    });
    const ended = relay.run();
    const setState = (entityId: string, state: string, attributes: object) =>
      home.ask("POST", `/api/states/${entityId}`, { state, attributes });
    const reached = (db: string, entityId: string) =>
      until(
        () => pointsOf(url, db),
        (points) => [...points.keys()].some((key) => key.includes(` ${entityId} `)),
        { deadlineMs: 60_000, everyMs: 200 },
      );

    afterAll(async () => {
      await relay.stop();
      await ended;
      await home.stop();
      await stopPeer(influxFolder.dir);
      await influxFolder.remove();
    });

    it("writes the same points with the same fields, and none more", async () => {
      await until(
        async () => lines.join(),
        (said) => said.includes("snapshot was read"),
        { deadlineMs: 60_000 },
      );
      await setState("sensor.mark_first", "1", {});
      for (const [entityId, state, attributes] of NASTY) await setState(entityId, state, attributes);
      await home.ask("POST", "/api/services/light/turn_on", { entity_id: "light.bed_light", brightness: 99 });
      await home.ask("POST", "/api/services/climate/set_temperature", { entity_id: "climate.hvac", temperature: 22 });
      await home.ask("POST", "/api/services/cover/close_cover", { entity_id: "cover.hall_window" });
      await home.drive("states", { rate: 50, seconds: 4, first: 0 });
      await setState("sensor.mark_last", "1", {});
      const [theirs] = [await reached(OLD, "sensor.mark_last")];
      const ours = await reached(OURS, "sensor.mark_last");
      const between = (points: Map<string, Fields>) => {
        const at = (mark: string) => Number([...points.keys()].find((key) => key.includes(mark))?.split(" ")[0]);
        const [from, to] = [at("sensor.mark_first"), at("sensor.mark_last")];
        return [...points].filter(([key]) => Number(key.split(" ")[0]) >= from && Number(key.split(" ")[0]) <= to);
      };
      const wanted = between(theirs).sort();
      expect(wanted.length).toBeGreaterThan(200);
      expect(
        between(ours)
          .map(([key]) => key)
          .sort(),
      ).toEqual(wanted.map(([key]) => key));
      const different: unknown[] = [];
      let compared = 0;
      for (const [key, fields] of wanted) {
        const mine = ours.get(key) ?? {};
        const names = Object.keys(fields).filter((name) => !SECRET.test(name));
        expect(Object.keys(mine).sort(), key).toEqual(names.sort());
        for (const name of names) {
          compared += 1;
          if (alike(mine[name]) !== alike(fields[name])) different.push([key, name, mine[name], fields[name]]);
        }
      }
      expect(different).toEqual([]);
      expect(compared).toBeGreaterThan(wanted.length);
      expect(Object.keys(Object.assign({}, ...ours.values())).filter((name) => SECRET.test(name))).toEqual([]);
    });

    it("survives an InfluxDB that is killed and started again, and sets aside what the server will never take", async () => {
      await setState("sensor.conflict", "1", { unit_of_measurement: "conflict", text: "7" });
      await reached(OURS, "sensor.conflict");
      // Somebody else's point makes the field a text for good.
      await fetch(`${url}/write?db=${OURS}`, { method: "POST", body: 'conflicting other="text"\n' });
      const { pid } = await startPeer("influxdb", influxArgs);
      process.kill(pid, "SIGKILL");
      await home.drive("states", { rate: 50, seconds: 3, first: 1_000 });
      await setState("sensor.poison", "1", { unit_of_measurement: "conflicting", other: 5 });
      await setState("sensor.after_kill", "1", {});
      expect(relay.health().sinks[0]?.last_error).toMatch(/cannot be reached/);
      await startPeer("influxdb", influxArgs);
      await until(
        async () => relay.health().sinks[0],
        (old) => old?.lag_records === 0 && old.lost === 1,
        { deadlineMs: 60_000 },
      );
      const points = await reached(OURS, "sensor.after_kill");
      const loads = [...points].filter(([key]) => key.includes("sensor.relay_load_")).map(([, { value }]) => value);
      for (let n = 1_000; n < 1_150; n++) expect(loads).toContain(n);
      expect([...points.keys()].some((key) => key.includes("sensor.poison"))).toBe(false);
      const { results } = await query('SELECT * FROM "conflicting"', OURS);
      expect(results[0]?.series?.[0]?.values).toHaveLength(1);
    });
  }),
);
