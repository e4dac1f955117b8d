import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { settingsFromOptions } from "../../lib/wiring/app-options.ts";
import { readConfig } from "../../lib/wiring/config.ts";
import { relayEnvironment } from "../../lib/wiring/relay-environment.ts";
import { startSmallSupervisor } from "../support/small-supervisor.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-environment-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe("the options of the app", () => {
  it("become settings: numbers and lists as text, what is empty not at all", () => {
    expect(
      settingsFromOptions({
        home_id: " house ",
        flush_seconds: 0.5,
        spool_max_mb: 64,
        include: [],
        exclude: ["light", "sensor.power_*"],
        exclude_attributes: ["media_player.*:media_*"],
        home_key: null,
        log_level: "",
      }),
    ).toEqual({
      HEARTHLINE_HOME_ID: "house",
      HEARTHLINE_FLUSH_SECONDS: "0.5",
      HEARTHLINE_SPOOL_MAX_MB: "64",
      HEARTHLINE_EXCLUDE: "light,sensor.power_*",
      HEARTHLINE_EXCLUDE_ATTRIBUTES: "media_player.*:media_*",
    });
  });

  it("that are none of ours are refused by name, all at once, without their values", () => {
    const refuse = () =>
      settingsFromOptions({ hom_id: "x", toString: "secret-value", exclude: [["a"]], home_id: "ok" });
    expect(refuse).toThrow(/"hom_id" is no option; "toString" is no option; "exclude" is neither/);
    expect(refuse).toThrow(/wanted are home_id, home_key/);
    expect(refuse).not.toThrow(/secret-value/);
  });

  it.each([null, [], "text", 5])("that are %j are refused", (options) => {
    expect(() => settingsFromOptions(options)).toThrow("are no object");
  });
});

describe("where the settings come from", () => {
  it("the environment as it is, where there is nothing else", async () => {
    expect(await relayEnvironment({ HEARTHLINE_HOME_ID: "a", PATH: "/bin" })).toEqual({
      HEARTHLINE_HOME_ID: "a",
      PATH: "/bin",
    });
  });

  it("systemd's credentials by their names, without the line's end; other files are none", async () => {
    file("HEARTHLINE_HA_TOKEN", "a-token-of-home-assistant\n");
    file("AWS_SECRET_ACCESS_KEY", "key\n");
    file("other", "x");
    expect(await relayEnvironment({ CREDENTIALS_DIRECTORY: folder, HEARTHLINE_HA_TOKEN: "old" })).toEqual({
      CREDENTIALS_DIRECTORY: folder,
      HEARTHLINE_HA_TOKEN: "a-token-of-home-assistant",
      AWS_SECRET_ACCESS_KEY: "key",
    });
  });

  it("the app's options, the Supervisor's address and token, and whom the owner lets in beside the Supervisor", async () => {
    const options = file("options.json", JSON.stringify({ home_id: "house", allow: ["192.168.1.20"] }));
    const given = { HEARTHLINE_APP_OPTIONS: options, SUPERVISOR_TOKEN: "t0ken", HEARTHLINE_RELAY_ALLOW: "172.30.32.2" };
    expect(await relayEnvironment(given)).toEqual({
      SUPERVISOR_TOKEN: "t0ken",
      HEARTHLINE_HOME_ID: "house",
      HEARTHLINE_RELAY_ALLOW: "172.30.32.2,192.168.1.20",
      HEARTHLINE_HA_URL: "ws://supervisor/core/websocket",
      HEARTHLINE_HA_TOKEN: "t0ken",
    });
  });

  it.each([
    ["no Supervisor", () => ({ HEARTHLINE_APP_OPTIONS: file("o.json", "{}") }), "SUPERVISOR_TOKEN is not set"],
    [
      "no file",
      () => ({ HEARTHLINE_APP_OPTIONS: join(folder, "no"), SUPERVISOR_TOKEN: "t" }),
      "cannot read the options",
    ],
    [
      "no JSON",
      () => ({ HEARTHLINE_APP_OPTIONS: file("o.json", "{"), SUPERVISOR_TOKEN: "t" }),
      "cannot read the options",
    ],
    ["no credentials", () => ({ CREDENTIALS_DIRECTORY: join(folder, "no") }), "cannot read the credentials"],
  ])("says what is missing: %s", async (_what, env, message) => {
    await expect(relayEnvironment(env())).rejects.toMatchObject({
      code: "setting_invalid",
      message: expect.stringContaining(message),
    });
  });
});

describe("the broker that the Supervisor knows", () => {
  const BROKER = { host: "core-mosquitto", port: 1883, ssl: false, username: "addons", password: "p@ss/word:1" };

  async function settings(mqtt: Readonly<Record<string, unknown>> | undefined, options: object) {
    const supervisor = await startSmallSupervisor({ url: "http://127.0.0.1:9", token: "" });
    onTestFinished(() => supervisor.stop());
    supervisor.mqtt = mqtt;
    return relayEnvironment({
      HEARTHLINE_APP_OPTIONS: file("options.json", JSON.stringify(options)),
      HEARTHLINE_APP_SUPERVISOR: supervisor.url,
      SUPERVISOR_TOKEN: supervisor.token,
    });
  }

  it("is taken when the owner wants an outbox and names none; its password arrives whole", async () => {
    const { HEARTHLINE_MQTT_URL = "" } = await settings(BROKER, { url: "https://api.example" });
    const { protocol, host, username, password } = new URL(HEARTHLINE_MQTT_URL);
    expect([protocol, host, username, decodeURIComponent(password)]).toEqual([
      "mqtt:",
      "core-mosquitto:1883",
      "addons",
      "p@ss/word:1",
    ]);
    const safe = await settings({ ...BROKER, ssl: "true", port: "8883" }, { url: "https://api.example" });
    expect(safe.HEARTHLINE_MQTT_URL).toMatch(/^mqtts:.*:8883$/);
    const six = await settings({ ...BROKER, host: "fd00::7" }, { url: "https://api.example" });
    expect(new URL(six.HEARTHLINE_MQTT_URL ?? "").hostname).toBe("[fd00::7]");
    expect(readConfig({ HEARTHLINE_MQTT_URL: HEARTHLINE_MQTT_URL })).toMatchObject({ HEARTHLINE_MQTT_URL });
  });

  it.each([
    ["no outbox", BROKER, {}],
    ["no broker", undefined, { url: "https://api.example" }],
    ["an answer that is none", { addon: "x" }, { url: "https://api.example" }],
    ["a host that is none", { ...BROKER, host: "no host" }, { url: "https://api.example" }],
    ["a port that is none", { ...BROKER, port: "mqtt" }, { url: "https://api.example" }],
  ])("is not looked for, or not found: %s", async (_what, mqtt, options) => {
    expect(await settings(mqtt, options)).not.toHaveProperty("HEARTHLINE_MQTT_URL");
  });

  it("is the owner's when he names one", async () => {
    const given = await settings(BROKER, { url: "https://api.example", mqtt_url: "mqtt://mine:1883" });
    expect(given.HEARTHLINE_MQTT_URL).toBe("mqtt://mine:1883");
  });
});
