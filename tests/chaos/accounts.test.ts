import { appendFileSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formatIsoUs, parseIsoUs } from "../../lib/base/time.ts";
import { type HomeKey, keyIdOf, sealEnvelope } from "../../lib/event/index.ts";
import { eventually } from "../support/process.ts";
import { startPart } from "./part.ts";
import { followSentLog } from "./sent-log.ts";
import { createTap } from "./tap.ts";

const AT = "2026-09-01T10:00:00.123456+00:00";
const happened = (number: number, state: string | null = String(number)) => ({
  entityId: "sensor.chaos_1",
  atUs: parseIsoUs(AT) + number,
  state,
});
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-accounts-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the simulated home's own account", () => {
  const line = (n: number, more: object = {}) =>
    `${JSON.stringify({ n, entity_id: "sensor.chaos_1", last_updated: formatIsoUs(happened(n).atUs), state: String(n), kind: "state_changed", ...more })}\n`;
  const add = (text: string) => appendFileSync(join(folder, "sent.jsonl"), text);

  it("is read on from where it was, each line once, also when it was put aside meanwhile", () => {
    const readOn = followSentLog(folder);
    expect(readOn()).toEqual([]);
    add(line(1) + line(2, { kind: "duplicate" }));
    expect(readOn()).toEqual([happened(1)]);
    add(line(3) + line(4).slice(0, 20));
    expect(readOn()).toEqual([happened(3)]);
    add(line(4).slice(20) + line(5, { kind: "removed", state: null }));
    renameSync(join(folder, "sent.jsonl"), join(folder, "sent.1.jsonl"));
    add(line(6));
    expect(readOn()).toEqual([happened(4), happened(5, null), happened(6)]);
    expect(readOn()).toEqual([]);
  });

  it("leaves out a line that a kill tore, and takes the one that was written behind it", () => {
    const readOn = followSentLog(folder);
    add(line(1).slice(0, 30) + line(2));
    expect(readOn()).toEqual([happened(2)]);
  });
});

describe("the tap", () => {
  const secret = Buffer.alloc(32, 7);
  const key: HomeKey = { id: keyIdOf(secret), secret };
  const state = (n: number, source: string) => ({
    n,
    t: "state",
    kind: "change",
    source,
    entity_id: "sensor.chaos_1",
    state: String(n),
    last_updated: formatIsoUs(happened(n).atUs),
  });
  const message = (...records: { n: number }[]) =>
    sealEnvelope(records, {
      homeId: "home",
      relayId: "relay",
      key,
      first: records[0]?.n ?? 0,
      last: records.at(-1)?.n ?? 0,
      sentAt: AT,
    });

  it("counts as acknowledged only what was answered, and each record once however often it was sent", () => {
    const tap = createTap(key);
    const loss = { n: 3, t: "loss", first: 3, last: 3, count: 2, reason: "r", from: AT, to: AT };
    tap.take(message(state(1, "live"), state(2, "backfill"), loss), false);
    expect([tap.acknowledged(), tap.losses.length, tap.recovered()]).toEqual([[], 1, 1]);
    tap.take(message(state(1, "live"), state(2, "backfill"), loss), true);
    expect([tap.acknowledged(), tap.losses.length, tap.recovered()]).toEqual([[happened(1), happened(2)], 1, 1]);
  });
});

describe("a part", () => {
  it("is there again after each kill, also after one that met it while it was away", async () => {
    const said = "process.send({ ready: true, pid: process.pid }); setInterval(() => {}, 1000);";
    const part = startPart({
      name: "part",
      launch: () => ({ args: ["-e", said], env: {} }),
      logFile: join(folder, "part.log"),
    });
    try {
      const { pid } = await part.up();
      part.kill(20);
      await eventually("the first end", async () => (await part.up()).pid !== pid);
      const again = (await part.up()).pid;
      part.kill(1_000);
      await eventually("that it is away", () => !isAlive(Number(again)));
      part.kill(0);
      await eventually("the third start", async () => ![pid, again].includes((await part.up()).pid));
      expect(part.counts).toEqual({ kills: 3, killsWhileStarting: 1, ends: 0 });
    } finally {
      await part.end();
    }
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
