import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { silentLogger } from "../../lib/base/log.ts";
import { readConfig } from "../../lib/wiring/config.ts";
import { createSinks, requireCredentials, sinkNames, withinBudget } from "../../lib/wiring/relay-sinks.ts";
import { KEY, keepLog } from "../relay/fakes.ts";
import { manualClock } from "../support/manual-clock.ts";

const clock = manualClock();
const parts = { relayId: "r", key: KEY, clock, random: () => 0.5, log: silentLogger };
const AWS = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
const sinksOf = (env: Record<string, string>, over = {}) => createSinks(readConfig(env), { ...parts, env, ...over });

it("the cloud alone, unless an old pipeline is set; each with a cursor of its own name", () => {
  expect(sinksOf(AWS).map(({ name }) => name)).toEqual(["cloud"]);
  for (const kind of ["http", "influxdb"]) {
    const env = { ...AWS, HEARTHLINE_OLD_SINK: kind, HEARTHLINE_OLD_URL: "http://127.0.0.1:1" };
    expect(sinksOf(env).map(({ name }) => name)).toEqual(["cloud", "old"]);
    expect(sinkNames(readConfig(env))).toEqual(["cloud", "old"]);
  }
  expect(sinkNames(readConfig({}))).toEqual(["cloud"]);
});

it.each([
  ["http:///me:hunter2@h", false],
  ["http://me@h", false],
  ["http://h:8086/influx?rp=a@b", true],
])("an old pipeline's address %s: is it taken? %s", (url, isTaken) => {
  const read = () => readConfig({ HEARTHLINE_OLD_SINK: "http", HEARTHLINE_OLD_URL: url });
  if (isTaken) expect(read().HEARTHLINE_OLD_URL).toBe(url);
  else expect(read).toThrowError(/^(?!.*hunter2).*without a user and a password/);
});

it.each(["HEARTHLINE_OLD_TOKEN", "HEARTHLINE_INFLUXDB_TOKEN"] as const)(
  "a %s that fits no header is refused, and not quoted; a line end of its file is none of it",
  (name) => {
    expect(readConfig({ [name]: "hunter2\n" })[name]).toBe("hunter2");
    for (const token of ["hunter2\nhunter2", "hunter2\u2013"])
      expect(() => readConfig({ [name]: token })).toThrowError(/^(?!.*hunter2).*one line of plain letters/s);
  },
);

it("the budget makes the cloud's interval longer, and says so; the old pipeline's stays", () => {
  const { log, lines } = keepLog();
  const old = { HEARTHLINE_OLD_SINK: "http", HEARTHLINE_OLD_URL: "http://127.0.0.1:1" };
  const env = { ...AWS, ...old, HEARTHLINE_FLUSH_SECONDS: "1", HEARTHLINE_MONTHLY_DOLLARS_MAX: "0.34" };
  const flushes = sinksOf(env, { log }).map(({ flushMs }) => Math.round(flushMs / 1000));
  expect(flushes).toEqual([88, 1]);
  expect(lines.join()).toContain("budget");
});

it("what is tried instead of the setting never costs more than the budget", () => {
  const config = readConfig({ ...AWS, HEARTHLINE_MONTHLY_DOLLARS_MAX: "0.34" });
  const asked = { sink: "cloud", state: "on" as const, flush_seconds: 5, until: "2026-11-22T09:00:00Z" };
  expect(withinBudget(asked, config)).toMatchObject({ ...asked, flush_seconds: expect.closeTo(88, 0) });
  expect(withinBudget({ ...asked, flush_seconds: 120 }, config)).toEqual({ ...asked, flush_seconds: 120 });
  expect(withinBudget(asked, readConfig(AWS))).toEqual(asked);
  expect(withinBudget({ sink: "old", state: "off" }, config)).toEqual({ sink: "old", state: "off" });
});

it("wants credentials only where AWS itself is asked", () => {
  const env = { HOME: "/nowhere" };
  expect(() => requireCredentials(readConfig(env), env, clock)).toThrowError(
    /\/nowhere\/.aws\/credentials.*hearthline-dev-events/,
  );
  expect(() => requireCredentials(readConfig({ ...env, ...AWS }), { ...env, ...AWS }, clock)).not.toThrow();
  const own = { ...env, AWS_ENDPOINT_URL: "http://127.0.0.1:1" };
  expect(() => requireCredentials(readConfig(own), own, clock)).not.toThrow();
});

it("the cloud's sink signs with what the environment has", async () => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(String(request.headers.authorization));
    response.writeHead(400).end(JSON.stringify({ __type: "QueueDoesNotExist" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [cloud] = sinksOf({ ...AWS, AWS_ENDPOINT_URL: url });
  const packed = cloud?.packer.pack([{ n: 1, appendedAtMs: 0, line: '{"n":1}' }]);
  if (!packed?.fits) throw new Error("does not fit");
  expect(await cloud?.send([packed.message])).toMatchObject([{ outcome: "failed", error: { code: "queue_unknown" } }]);
  expect(seen[0]).toContain("Credential=a/");
});
