import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readOptions } from "../../../local/start/options.ts";
import { readSettings } from "../../../local/start/settings.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-settings-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (args: string, env: NodeJS.ProcessEnv = {}) =>
  readSettings(readOptions(args.split(" ").filter(Boolean)), env, folder);

describe("readSettings", () => {
  it("keeps everything in the data folder, and flushes each second", () => {
    const { dataFolder, env, home } = read("--data d");
    expect(dataFolder).toBe(join(folder, "d"));
    expect(env).toMatchObject({
      HEARTHLINE_DATA: dataFolder,
      HEARTHLINE_SQLITE_PATH: join(dataFolder, "store.db"),
      HEARTHLINE_FLUSH_SECONDS: "1",
    });
    expect(home).toBe("simulated");
  });

  it("reads .env, which the environment overrides and an option too", () => {
    writeFileSync(
      join(folder, ".env"),
      "HEARTHLINE_HOME_ID=cabin\nHEARTHLINE_DATA=from-file\nHEARTHLINE_LOG_LEVEL=debug\n",
    );
    const { config, dataFolder } = read("", { HEARTHLINE_LOG_LEVEL: "warn" });
    expect(config).toMatchObject({ HEARTHLINE_HOME_ID: "cabin", HEARTHLINE_LOG_LEVEL: "warn" });
    expect(dataFolder).toBe(join(folder, "from-file"));
    expect(read("--data other").dataFolder).toBe(join(folder, "other"));
  });

  it("lets a simulated home be ahead of the clock, in a later run at normal speed as well, and no other", () => {
    const real = { HEARTHLINE_HA_URL: "http://127.0.0.1:8123", HEARTHLINE_HA_TOKEN: "x".repeat(30) };
    const future = (args: string, env = {}) => read(args, env).config.HEARTHLINE_FUTURE_SECONDS;
    expect([future("--speed 60"), future("")]).toEqual([315_360_000, 315_360_000]);
    expect([future("", real), future("--home none")]).toEqual([86_400, 86_400]);
    expect(future("", { HEARTHLINE_FUTURE_SECONDS: "60" })).toBe(60);
  });

  it("uses the real Home Assistant when its address and token are there", () => {
    const real = { HEARTHLINE_HA_URL: "http://127.0.0.1:8123", HEARTHLINE_HA_TOKEN: "x".repeat(30) };
    expect(read("", real).home).toBe("real");
    expect(read("--home none").home).toBe("none");
    expect(() => read("", { HEARTHLINE_HA_URL: real.HEARTHLINE_HA_URL })).toThrow("HEARTHLINE_HA_TOKEN is not set");
    expect(() => read("", { HEARTHLINE_HA_TOKEN: real.HEARTHLINE_HA_TOKEN })).toThrow("HEARTHLINE_HA_URL is not set");
  });

  it("wants an address for LocalStack, and takes none for the embedded stack", () => {
    const aws = { AWS_ENDPOINT_URL: "http://127.0.0.1:4566" };
    expect(() => read("--stack localstack")).toThrow("AWS_ENDPOINT_URL");
    expect(read("--stack localstack", aws).env.AWS_ENDPOINT_URL).toBe(aws.AWS_ENDPOINT_URL);
    expect(read("", aws).env.AWS_ENDPOINT_URL).toBeUndefined();
  });

  it("names every wrong setting in one message", () => {
    expect(() => read("", { HEARTHLINE_HOME_ID: "No!", HEARTHLINE_RAW_DAYS: "x" })).toThrow(
      /HEARTHLINE_HOME_ID.*HEARTHLINE_RAW_DAYS/s,
    );
  });

  it("says when the data folder cannot be used", () => {
    writeFileSync(join(folder, "file"), "");
    expect(() => read("--data file/below")).toThrow("cannot be written (ENOTDIR)");
    expect(() => read("--data file")).toThrow("cannot be written (EEXIST)");
    expect(read("--data some/where/deep").dataFolder).toBe(join(folder, "some/where/deep"));
    expect(read("--data some/where/deep").dataFolder).toBe(join(folder, "some/where/deep"));
  });

  it("does not try for ever where no folder can be made", () => {
    expect(() => read("--data /proc/hearthline/data")).toThrow("cannot be written");
  });

  it("takes no store that ends with its process", () => {
    expect(() => read("", { HEARTHLINE_STORE: "memory" })).toThrow('HEARTHLINE_STORE is "memory"');
    expect(() => read("--store memory")).toThrow("--store");
  });
});
