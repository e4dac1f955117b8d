import { describe, expect, it } from "vitest";
import { readOptions } from "../../../local/start/options.ts";

describe("readOptions", () => {
  it("has a default for everything", () => {
    expect(readOptions([])).toEqual({
      stack: "embedded",
      store: undefined,
      port: 8787,
      data: undefined,
      home: "simulated",
      speed: 1,
      rate: 0.3,
      days: 28,
      seed: 1,
      old: "none",
      quiet: false,
    });
  });

  it("takes all options, with and without =", () => {
    const args =
      "--stack localstack --store=sqlite --port 0 --data d --home none --speed 3600 --rate 100 --days 14 --seed 7 --old legacy --quiet";
    expect(readOptions(args.split(" "))).toEqual({
      stack: "localstack",
      store: "sqlite",
      port: 0,
      data: "d",
      home: "none",
      speed: 3600,
      rate: 100,
      days: 14,
      seed: 7,
      old: "legacy",
      quiet: true,
    });
  });

  it.each([
    ["--prot 1", "--prot"],
    ["8787", "8787"],
    ["--port", "--port"],
    ["--port x", "wanted is a whole number from 0 to 65535"],
    ["--port 65536", '"65536"'],
    ["--port 80.5", '"80.5"'],
    ["--port=", '""'],
    ["--stack aws", 'wanted is "embedded" or "localstack"'],
    ["--store mysql", 'wanted is "sqlite"'],
    ["--home real", 'wanted is "simulated" or "none"'],
    ["--old influxdb", 'wanted is "none" or "legacy"'],
    ["--speed 0", "from 0.01 to 3600"],
    ["--speed 3601", "from 0.01 to 3600"],
    ["--rate 0", "from 0.001 to 100000"],
    ["--rate=-1", '"-1"'],
    ["--days 1.5", "whole number"],
    ["--seed abc", '"abc"'],
    ["--data=", "--data is empty"],
    ["--quiet=yes", "--quiet"],
  ])("refuses %s in one line", (text, said) => {
    const refused = () => readOptions(text.split(" "));
    expect(refused).toThrow(said);
    expect(refused).toThrow(/^npm start: [^\n]+$/);
  });
});
