import { describe, expect, it } from "vitest";
import { HearthlineError } from "../../lib/base/errors.ts";
import { createLogger, type LogOptions, silentLogger } from "../../lib/base/log.ts";
import { manualClock } from "../support/manual-clock.ts";

function recorded(options: LogOptions = {}) {
  const lines: Record<string, unknown>[] = [];
  const clock = manualClock(Date.UTC(2026, 10, 22, 5, 47, 9, 185));
  const log = createLogger({ clock, write: (line) => lines.push(JSON.parse(line)), ...options });
  return { log, lines };
}

describe("the log", () => {
  it("writes one JSON object a line: time, level, message, fields", () => {
    const { log, lines } = recorded();
    log.info("a batch was stored", { count: 3 });
    expect(lines).toEqual([
      { time: "2026-11-22T05:47:09.185Z", level: "info", message: "a batch was stored", count: 3 },
    ]);
  });

  it("leaves out what is below its level", () => {
    const { log, lines } = recorded({ level: "warn" });
    log.debug("no");
    log.info("no");
    log.warn("yes");
    log.error("yes");
    expect(lines.map(({ level }) => level)).toEqual(["warn", "error"]);
  });

  it("keeps the fields of `with`, the nearer ones winning", () => {
    const { log, lines } = recorded({ fields: { homeId: "a" } });
    log.with({ part: "relay", homeId: "b" }).info("x", { part: "sink" });
    expect(lines[0]).toMatchObject({ homeId: "b", part: "sink" });
  });

  it.each([
    "token",
    "accessToken",
    "access_token",
    "HEARTHLINE_HA_TOKEN",
    "password",
    "apiKey",
    "api_key",
    "homeKey",
    "authorization",
    "clientSecret",
    "credentials",
  ])("never writes the value of %s", (name) => {
    const { log, lines } = recorded({ fields: { [name]: "letmein" } });
    log
      .with({ [name]: "letmein" })
      .error("x", { [name]: "letmein", nested: { [name]: "letmein" }, list: [{ [name]: "letmein" }] });
    expect(JSON.stringify(lines)).not.toContain("letmein");
  });

  it("writes name, message and code of an error, at any depth", () => {
    const { log, lines } = recorded();
    const error = new HearthlineError("service_failed", "the queue said no");
    log.error("x", { error, nested: { error } });
    const written = { name: "HearthlineError", message: "the queue said no", code: "service_failed" };
    expect(lines[0]).toMatchObject({ error: written, nested: { error: written } });
  });

  it("survives fields that are not JSON", () => {
    const { log, lines } = recorded();
    const round: Record<string, unknown> = { name: "round" };
    round.self = round;
    log.info("x", { big: 12n, round, list: [1n], none: undefined });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ message: "x", big: "12", list: ["1"] });
  });

  it("cannot be forged by a line end in a message", () => {
    const written: string[] = [];
    createLogger({ write: (line) => written.push(line) }).info('x\n{"level":"error"}');
    expect(written).toHaveLength(1);
    expect(written[0]).not.toContain("\n");
  });

  it("can be silent", () => {
    expect(() => silentLogger.error("nothing")).not.toThrow();
  });
});
