import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../lib/base/clock.ts";
import { readConfig } from "../../lib/wiring/config.ts";
import { canPublish, createRelayOutbox } from "../../lib/wiring/relay-outbox.ts";
import { keepLog } from "../relay/fakes.ts";

const SECRET = "s3cret-of-the-broker";
const TOKEN = "hl_home_secret-token";
const ALL = {
  HEARTHLINE_MQTT_URL: `mqtt://user:${SECRET}@127.0.0.1:1`,
  HEARTHLINE_URL: "http://127.0.0.1:1/",
  HEARTHLINE_TOKEN: TOKEN,
};

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

function make(env: Readonly<Record<string, string>>) {
  const { log, lines } = keepLog();
  const config = readConfig(env);
  const runner = createRelayOutbox({
    ...{ config, clock: systemClock, random: () => 0, log },
    append: async () => {},
    turnSink: async () => {},
    refetch: async () => {},
  });
  return { runner, lines };
}

describe("the relay's outbox", () => {
  it("is off unless it has an address and a token, and says so once", () => {
    expect(make({}).lines).toEqual([expect.stringContaining("HEARTHLINE_URL and HEARTHLINE_TOKEN are")]);
    expect(make({}).lines[0]).toContain('"info"');
    for (const name of ["HEARTHLINE_URL", "HEARTHLINE_TOKEN"]) {
      const { [name as keyof typeof ALL]: _, ...rest } = ALL;
      const { runner, lines } = make(rest);
      expect(runner).toBeUndefined();
      expect(lines).toEqual([expect.stringContaining(`The outbox is off: ${name} is not set.`)]);
      expect(lines[0]).toContain('"warn"');
    }
    expect(make(ALL).runner).toBeDefined();
  });

  it("can publish when it has an address, a token and a broker", () => {
    expect(canPublish(readConfig(ALL))).toBe(true);
    for (const name of Object.keys(ALL)) {
      const { [name as keyof typeof ALL]: _, ...rest } = ALL;
      expect(canPublish(readConfig(rest))).toBe(false);
      // As the settings of an app leave it that nobody has filled in.
      expect(canPublish(readConfig({ ...rest, [name]: "" }))).toBe(false);
    }
  });

  it("works without a broker: automations can be written all the same", () => {
    const { HEARTHLINE_MQTT_URL: _, ...rest } = ALL;
    const { runner, lines } = make(rest);
    expect(runner).toBeDefined();
    expect(lines).toEqual([expect.stringContaining("Nothing is published in the house")]);
  });

  it("tells no secret in its log or its state", async () => {
    const { runner, lines } = make(ALL);
    if (!runner) throw new Error("off");
    const run = runner.run();
    stops.push(() => runner.stop());
    await expect.poll(() => runner.state().last_error).toContain("service_unreachable");
    runner.stop();
    await run;
    expect(JSON.stringify([lines, runner.state()])).not.toMatch(new RegExp(`${SECRET}|${TOKEN}`));
  });

  it.each([
    ["HEARTHLINE_MQTT_URL", `http://user:${SECRET}@broker`],
    ["HEARTHLINE_MQTT_URL", SECRET],
    ["HEARTHLINE_MQTT_URL", `mqtt://user:%zz${SECRET}@broker`],
    // Each half of "%41" can be read together with the other only.
    ["HEARTHLINE_MQTT_URL", `mqtt://${SECRET}%4:1@broker`],
    // Taken as it stands, the host would be "user" and the port the password's first digits, to be named in every message.
    ["HEARTHLINE_MQTT_URL", `mqtt://user:1234#${SECRET}@broker`],
    ["HEARTHLINE_MQTT_URL", `mqtt://user:1234/${SECRET}@broker`],
    ["HEARTHLINE_MQTT_URL", `mqtt://user:1234?${SECRET}@broker`],
    ["HEARTHLINE_URL", `https://user:${SECRET}@api.example`],
    ["HEARTHLINE_URL", `ftp://user:${SECRET}@api.example`],
    ["HEARTHLINE_TOKEN", `${SECRET} with blanks`],
  ])("refuses a wrong %s without quoting it", (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(`${name} is set to something else`);
    expect(() => readConfig({ [name]: value })).not.toThrow(SECRET);
  });

  it.each([
    ["HEARTHLINE_URL", "ftp://x"],
    ["HEARTHLINE_OUTBOX_SECONDS", "0"],
    ["HEARTHLINE_ZIGBEE2MQTT_BASE_TOPIC", "zigbee2mqtt/#"],
    ["HEARTHLINE_ZIGBEE2MQTT_BASE_TOPIC", "a,b/"],
  ])("refuses a wrong %s", (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(`${name} is "${value}"`);
  });

  it("knows a base topic by default, and several", () => {
    const name = "HEARTHLINE_ZIGBEE2MQTT_BASE_TOPIC";
    expect(readConfig({})[name]).toEqual(["zigbee2mqtt"]);
    expect(readConfig({ [name]: "z2m/up, z2m/down" })[name]).toEqual(["z2m/up", "z2m/down"]);
  });
});
