import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { APP_OPTIONS, settingsFromOptions } from "../../lib/wiring/app-options.ts";
import { readConfig, SETTING_NAMES } from "../../lib/wiring/config.ts";

const repository = resolve(import.meta.dirname, "../../deploy/home-assistant-app");
const folder = join(repository, "hearthline-relay");
const read = (name: string): string => readFileSync(join(folder, name), "utf8");

/** What the type of an option may be (source: the Supervisor's check of `schema`). */
const ELEMENT =
  /^(bool|email|url|port|device(\(subsystem=[a-z]+\))?|str(\(\d*,\d*\))?|password(\(\d*,\d*\))?|int(\(-?\d*,-?\d*\))?|float(\(-?[\d.]*,-?[\d.]*\))?|match\(.*\)|list\(.+\))\??$/;
const element = z.string().regex(ELEMENT);

/** The members of config.yaml that the relay uses, as the developers' documents have them; no other is known here, so that a slip is seen. */
const configSchema = z.strictObject({
  name: z.string().min(1),
  version: z.string().regex(/^\d+\.\d+\.\d+$/),
  slug: z.string().regex(/^[-_.A-Za-z0-9]+$/),
  description: z.string().min(1),
  arch: z.array(z.enum(["aarch64", "amd64"])).min(1),
  startup: z.enum(["initialize", "system", "services", "application", "once"]),
  boot: z.enum(["auto", "manual", "manual_only"]),
  init: z.boolean(),
  homeassistant: z.string().regex(/^\d{4}\.\d+\.\d+$/),
  homeassistant_api: z.literal(true),
  services: z.array(z.string().regex(/^(mqtt|mysql):(provide|want|need)$/)),
  ingress: z.literal(true),
  ingress_port: z.int().min(0).max(65_535),
  panel_icon: z.string().regex(/^mdi:[a-z-]+$/),
  panel_title: z.string(),
  panel_admin: z.boolean(),
  ports: z.record(z.string().regex(/^\d+\/(tcp|udp)$/), z.int().nullable()),
  watchdog: z.string().regex(/^(?:https?|\[PROTO:\w+\]|tcp):\/\/\[HOST\]:(\[PORT:\d+\]|\d+).*$/),
  timeout: z.int().min(10).max(300),
  backup: z.enum(["hot", "cold"]),
  backup_exclude: z.array(z.string()),
  tmpfs: z.boolean(),
  ulimits: z.record(z.string(), z.strictObject({ soft: z.int(), hard: z.int() })),
  options: z.record(z.string(), z.unknown()),
  schema: z.record(z.string(), z.union([element, z.array(element).length(1)])),
});
const config = configSchema.parse(parse(read("config.yaml")));
const dockerfile = read("Dockerfile");
const env = Object.fromEntries(
  [...dockerfile.matchAll(/\b(HEARTHLINE_[A-Z_]+)=(\S+)/g)].map(([, name, value]) => [name, value]),
);
const typeOf = (option: string): string => [config.schema[option] ?? ""].flat()[0] ?? "";

describe("the app of Home Assistant", () => {
  it("has every file that an app has, and its repository's", () => {
    for (const name of ["Dockerfile", "DOCS.md", "README.md", "CHANGELOG.md", "apparmor.txt", "icon.png", "logo.png"])
      expect(existsSync(join(folder, name)), name).toBe(true);
    expect(parse(readFileSync(join(repository, "repository.yaml"), "utf8"))).toMatchObject({ name: "Hearthline" });
    const size = (name: string) => {
      const png = readFileSync(join(folder, name));
      expect(png.subarray(1, 4).toString()).toBe("PNG");
      return [png.readUInt32BE(16), png.readUInt32BE(20)];
    };
    expect([size("icon.png"), size("logo.png")]).toEqual([
      [128, 128],
      [250, 100],
    ]);
  });

  it("every option is one setting, every setting exists, and each has its words", () => {
    const settings = Object.values(APP_OPTIONS);
    expect(Object.keys(config.schema).toSorted()).toEqual(Object.keys(APP_OPTIONS).toSorted());
    expect(new Set(settings).size).toBe(settings.length);
    for (const setting of settings)
      expect([...SETTING_NAMES, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], setting).toContain(setting);
    const words = z
      .strictObject({
        configuration: z.record(
          z.string(),
          z.strictObject({ name: z.string().min(1), description: z.string().min(1) }),
        ),
        network: z.record(z.string(), z.string()),
      })
      .parse(parse(read("translations/en.yaml")));
    expect(Object.keys(words.configuration).toSorted()).toEqual(Object.keys(config.schema).toSorted());
    expect(Object.keys(words.network)).toEqual(Object.keys(config.ports));
    const docs = read("DOCS.md");
    for (const option of Object.keys(config.schema)) expect(docs, option).toContain(`\`${option}\``);
  });

  it("an option without a default is optional or must be given; one with a default is of its type", () => {
    for (const option of Object.keys(config.schema)) {
      const isOptional = typeOf(option).endsWith("?");
      // The Supervisor takes a default for "required".
      expect(option in config.options, option).toBe(!isOptional);
    }
    for (const option of Object.keys(config.options)) expect(Object.keys(config.schema), option).toContain(option);
  });

  it("what it starts with are settings that the relay takes, once the owner has filled in what is his", () => {
    const own = { home_key: Buffer.alloc(32).toString("base64"), aws_access_key_id: "A", aws_secret_access_key: "s" };
    const { HEARTHLINE_APP_OPTIONS: optionsFile, ...fixed } = env;
    const settings = readConfig(
      {
        ...settingsFromOptions({ ...config.options, ...own }),
        ...fixed,
        HEARTHLINE_HA_URL: "ws://supervisor/core/websocket",
        HEARTHLINE_HA_TOKEN: "a".repeat(40),
      },
      ["HEARTHLINE_HOME_KEY"],
    );
    expect(settings).toMatchObject({
      HEARTHLINE_DATA: "/data",
      HEARTHLINE_RELAY_HOST: "0.0.0.0",
      HEARTHLINE_RELAY_ALLOW: ["172.30.32.2"],
      HEARTHLINE_RELAY_REFUSED: "wait",
    });
    expect(optionsFile).toBe("/data/options.json");
  });

  it("hides its secrets", () => {
    const secret = /key$|password|token|mqtt_url/;
    for (const option of Object.keys(config.schema))
      expect(typeOf(option).startsWith("password"), option).toBe(secret.test(option));
  });

  it("is watched where it lives, not where it says how Home Assistant is: a restart would cure nothing", () => {
    expect(config.watchdog).toBe(`http://[HOST]:[PORT:${config.ingress_port}]/live`);
    expect(env.HEARTHLINE_RELAY_PORT).toBe(String(config.ingress_port));
    expect(config.ports).toEqual({ [`${config.ingress_port}/tcp`]: null });
  });

  it("is given time to end, and its journal stays out of backups", () => {
    expect(config.timeout).toBeGreaterThan(10);
    expect([config.backup, config.backup_exclude[0]]).toEqual(["hot", "relay"]);
  });

  it("is built of a pinned base, with labels, and one file", () => {
    expect(dockerfile).toMatch(/^FROM ghcr\.io\/home-assistant\/base:\d+\.\d+$/m);
    expect(dockerfile).toContain('"nodejs~=24"');
    expect(dockerfile).toContain('io.hass.type="app"');
    expect([...dockerfile.matchAll(/^COPY (\S+) (\S+)$/gm)].map(([, from]) => from)).toEqual(["relay.mjs"]);
    const program = /ENTRYPOINT \["\S+", "(\S+)"\]/.exec(dockerfile)?.[1] ?? "";
    expect(dockerfile).toContain(`COPY relay.mjs ${program}`);
    const apparmor = read("apparmor.txt");
    expect(apparmor).toContain(`profile ${config.slug} flags=`);
    expect(apparmor).toContain(`${program} r,`);
    expect((apparmor.match(/{/g) ?? []).length).toBe((apparmor.match(/}/g) ?? []).length);
    expect(read("CHANGELOG.md")).toContain(`## ${config.version}`);
  });
});
