import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { readConfig, SETTING_NAMES } from "../../lib/wiring/config.ts";

const folder = resolve(import.meta.dirname, "../../deploy/systemd");
const unitFile = join(folder, "hearthline-relay.service");
const read = (name: string): string => readFileSync(join(folder, name), "utf8");

/** Section -> directives, each with all its values. */
function parseUnit(text: string): ReadonlyMap<string, ReadonlyMap<string, readonly string[]>> {
  const sections = new Map<string, Map<string, string[]>>();
  let section = new Map<string, string[]>();
  for (const line of text.split("\n").map((one) => one.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const [, name] = /^\[(\w+)\]$/.exec(line) ?? [];
    const [, key, value = ""] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined) {
      section = new Map();
      sections.set(name, section);
    } else if (key !== undefined) section.set(key, [...(section.get(key) ?? []), value]);
    else throw new Error(`neither a section nor a directive: ${line}`);
  }
  return sections;
}
const unit = parseUnit(readFileSync(unitFile, "utf8"));
const all = (key: string, section = "Service"): readonly string[] => unit.get(section)?.get(key) ?? [];
const one = (key: string, section = "Service"): string => {
  expect(all(key, section), key).toHaveLength(1);
  return all(key, section)[0] ?? "";
};
/** Settings of a file of `NAME=VALUE` lines. */
const envOf = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/^([A-Z0-9_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]));

const CREDENTIALS_OF_AWS = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
const isSetting = (name: string): boolean => [...SETTING_NAMES, ...CREDENTIALS_OF_AWS].includes(name);

describe("the unit of systemd", () => {
  it("names only settings that there are, and together with relay.env all that the relay needs", () => {
    const environment = envOf(all("Environment").join("\n"));
    const example = envOf(read("relay.env"));
    const credentials = all("LoadCredential").map((line) => line.split(":")[0] ?? "");
    for (const name of [...Object.keys(environment), ...Object.keys(example), ...credentials])
      expect(isSetting(name), name).toBe(true);
    expect(credentials).toEqual(["HEARTHLINE_HA_TOKEN", "HEARTHLINE_HOME_KEY", "AWS_SECRET_ACCESS_KEY"]);
    const secrets = { HEARTHLINE_HA_TOKEN: "a".repeat(20), HEARTHLINE_HOME_KEY: Buffer.alloc(32).toString("base64") };
    const config = readConfig({ ...example, ...environment, ...secrets }, ["HEARTHLINE_HA_URL", "HEARTHLINE_HA_TOKEN"]);
    expect(config).toMatchObject({ HEARTHLINE_RELAY_HOST: "127.0.0.1", HEARTHLINE_RELAY_REFUSED: "wait" });
    expect(Object.values(example).join(" ")).not.toMatch(/[A-Za-z0-9+/]{30}/);
  });

  it("starts again after a crash, but neither for ever nor with settings that are wrong", () => {
    expect([one("Type"), one("Restart"), one("RestartSec"), one("RestartPreventExitStatus")]).toEqual([
      "exec",
      "always",
      "5",
      "2",
    ]);
    const burst = Number(one("StartLimitBurst", "Unit"));
    // Wide enough to hold the burst at this distance: otherwise the limit never bites.
    expect(Number(one("StartLimitIntervalSec", "Unit"))).toBeGreaterThan(burst * Number(one("RestartSec")));
    expect(Number(one("TimeoutStopSec"))).toBeGreaterThan(5);
    expect(all("WatchdogSec")).toEqual([]);
  });

  it("keeps the relay in its box, in which Node can still run", () => {
    for (const key of [
      "NoNewPrivileges",
      "PrivateTmp",
      "PrivateDevices",
      "ProtectHome",
      "DynamicUser",
      "RestrictNamespaces",
    ])
      expect(one(key), key).toBe("yes");
    expect(one("ProtectSystem")).toBe("strict");
    expect(one("CapabilityBoundingSet")).toBe("");
    expect(one("RestrictAddressFamilies").split(" ").toSorted()).toEqual(["AF_INET", "AF_INET6", "AF_UNIX"]);
    expect(all("Environment")).toContain(`HEARTHLINE_DATA=/var/lib/${one("StateDirectory")}`);
    // Node compiles at run time.
    expect(all("MemoryDenyWriteExecute")).toEqual([]);
  });

  it("is installed from where its README says", () => {
    const readme = read("README.md");
    const program = one("ExecStart").split(" ").at(-1) ?? "";
    for (const words of [
      program,
      one("EnvironmentFile"),
      "npm run build:relay",
      "systemctl enable --now hearthline-relay",
    ])
      expect(readme).toContain(words);
    for (const line of all("LoadCredential")) expect(readme).toContain(line.split(":")[1]);
    for (const [, file = ""] of readme.matchAll(/\bdeploy\/systemd\/([\w.-]+)/g))
      expect(existsSync(join(folder, file)), file).toBe(true);
    const scripts = JSON.parse(readFileSync(join(folder, "../../package.json"), "utf8")) as { scripts: object };
    expect(Object.keys(scripts.scripts)).toContain("build:relay");
  });

  it("is taken by systemd itself, where there is one", (context) => {
    const { error, status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", unitFile], {
      encoding: "utf8",
    });
    if (error) return context.annotate("no systemd-analyze on this machine: the parser above has judged alone");
    // Node may be elsewhere on this machine; everything else must be right.
    const left = stderr.split("\n").filter((line) => line !== "" && !line.includes("is not executable"));
    expect([left, status === 0 || stderr.includes("is not executable")]).toEqual([[], true]);
  });
});
