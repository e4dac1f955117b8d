import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { createHttpSink } from "../../../lib/adapters/legacy/http-sink.ts";
import { createOldSystem } from "../../../lib/adapters/legacy/old-system.ts";
import type { HomeEvent } from "../../../lib/event/index.ts";
import { planSchema } from "../../../lib/migration/plan.ts";
import type { OldRow } from "../../../lib/migration/ports.ts";
import type { Faults } from "../../../local/legacy/faults.ts";
import { startLegacy } from "../../../local/legacy/server.ts";
import { buildEvent, SOME_TIME_US } from "../../support/events.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { stateRecord } from "../../support/relay-records.ts";

const EVENTS: readonly HomeEvent[] = Array.from({ length: 200 }, (_, n) =>
  buildEvent({ entityId: `sensor.s${n % 5}`, atUs: SOME_TIME_US + n * 1_000_001, state: String(n) }),
);
const SPAN = { fromUs: SOME_TIME_US, toUs: SOME_TIME_US + 1_000_000_000 };

function folder(): string {
  const data = mkdtempSync(join(tmpdir(), "hearthline-legacy-"));
  onTestFinished(() => rmSync(data, { recursive: true }));
  return data;
}

async function started({ data = folder(), seed = 1 } = {}) {
  const clock = manualClock();
  const legacy = await startLegacy({ port: 0, data, seed, clock });
  onTestFinished(() => legacy.stop());
  const { old } = planSchema.parse({ old: { kind: "http", url: legacy.url } });
  const system = createOldSystem(old, {}, { clock, timeoutMs: 10_000 });
  const put = (faults: unknown) => fetch(`${legacy.url}/faults`, { method: "PUT", body: JSON.stringify(faults) });
  const read = async (): Promise<OldRow[]> => {
    const rows: OldRow[] = [];
    for await (const piece of system.scan(SPAN)) rows.push(...piece);
    return rows;
  };
  return { ...{ legacy, clock, system, read }, put: (faults: Faults) => put(faults), putAnything: put };
}

/** The same as a process, as `npm start` has it. */
async function alone() {
  const main = fileURLToPath(new URL("../../../local/legacy/main.ts", import.meta.url));
  const child = fork(main, ["--port", "0", "--data", folder()]);
  onTestFinished(async () => {
    child.kill();
    await once(child, "exit");
  });
  const [{ url }] = (await once(child, "message")) as [{ url: string }];
  const { old } = planSchema.parse({ old: { kind: "http", url } });
  const system = createOldSystem(old, {}, { clock: manualClock(), timeoutMs: 10_000 });
  return { url, describe: async () => (await system.describe()).memoryBytes ?? 0 };
}

describe("the old pipeline to play with", () => {
  it("takes what the relay's sink sends, and keeps it over a restart", async () => {
    const data = folder();
    const { legacy, clock } = await started({ data });
    const sink = createHttpSink({ name: "old", url: `${legacy.url}/api/v1/events`, flushMs: 0, clock });
    const packed = sink.packer.pack([
      {
        n: 1,
        appendedAtMs: 0,
        line: JSON.stringify({ n: 1, ...stateRecord("a"), last_updated: "2026-11-22T05:47:10.000001+00:00" }),
      },
    ]);
    if (!packed.fits) throw new Error("does not fit");
    expect(await sink.send([packed.message])).toEqual([{ outcome: "taken", lost: [] }]);
    await legacy.stop();
    const { read } = await started({ data });
    expect((await read()).map(({ entityId }) => entityId)).toEqual(["sensor.a"]);
  });

  it("says of each event that it rejects why", async () => {
    const { legacy } = await started();
    const body = JSON.stringify([
      { entity_id: "light.a", state: 5 },
      { state: "on" },
      "x",
      { entity_id: "light.a", state: "on", timestamp: "now" },
    ]);
    const answer = await fetch(`${legacy.url}/api/v1/events`, { method: "POST", body });
    expect(answer.status).toBe(202);
    const { accepted, rejected } = (await answer.json()) as { accepted: number; rejected: { index: number }[] };
    expect([accepted, rejected.map(({ index }) => index)]).toEqual([0, [0, 1, 2, 3]]);
  });

  it("wants its token, where it has one", async () => {
    const legacy = await startLegacy({ port: 0, data: folder(), seed: 1, token: "t", clock: manualClock() });
    onTestFinished(() => legacy.stop());
    expect((await fetch(`${legacy.url}/health`)).status).toBe(401);
    expect((await fetch(`${legacy.url}/health`, { headers: { authorization: "Bearer t" } })).status).toBe(200);
  });
});

describe("its faults", () => {
  it("are refused when they are none, and told when asked", async () => {
    const { legacy, put, putAnything } = await started();
    for (const wrong of [{ drop: { rate: 1 } }, { drops: { rate: 2 } }, { slow: true }, "x"])
      expect((await putAnything(wrong)).status).toBe(400);
    await put({ drops: { rate: 0.5 }, html: true });
    expect(await (await fetch(`${legacy.url}/faults`)).json()).toEqual({ drops: { rate: 0.5 }, html: true });
  });

  it.each([
    ["drops", { drops: { rate: 0.1 } }, (rows: OldRow[]) => rows.length < 195 && rows.length > 160],
    ["duplicates", { duplicates: { rate: 0.1 } }, (rows: OldRow[]) => rows.length > 205 && rows.length < 240],
    [
      "wrong_values",
      { wrong_values: { rate: 0.1 } },
      (rows: OldRow[]) => rows.length === 200 && rows.filter(({ state }, n) => state === String(n + 1)).length > 5,
    ],
    ["milliseconds", { milliseconds: true }, (rows: OldRow[]) => rows.every(({ atUs }) => atUs % 1000 === 0)],
  ] as const)("%s: of what comes in, the same ones for a seed however it is sent", async (_, faults, isSo) => {
    const answers = [];
    for (const size of [200, 7]) {
      const { put, read, system } = await started({ seed: 5 });
      await put(faults);
      for (let at = 0; at < EVENTS.length; at += size) await system.write(EVENTS.slice(at, at + size));
      answers.push(await read());
    }
    expect(isSo([...(answers[0] ?? [])])).toBe(true);
    expect(answers[1]).toEqual(answers[0]);
    const { put, read, system } = await started({ seed: 6 });
    await put(faults);
    await system.write(EVENTS);
    if (!("milliseconds" in faults)) expect(await read()).not.toEqual(answers[0]);
  });

  it("delays: what came lately cannot be read yet", async () => {
    const { put, read, system, clock } = await started();
    await put({ delays: { ms: 60_000 } });
    await system.write(EVENTS);
    expect(await read()).toEqual([]);
    expect((await system.describe()).newestUs).toBeUndefined();
    await clock.advance(60_000);
    expect(await read()).toHaveLength(200);
  });

  it("newest_lost: the newest rows are gone", async () => {
    const { put, read, system } = await started();
    await system.write(EVENTS);
    await put({ newest_lost: { rows: 3 } });
    expect((await read()).at(-1)?.state).toBe("196");
  });

  it("reordered: a scan puts them in order again", async () => {
    const { legacy, put, read, system } = await started();
    await system.write(EVENTS);
    await put({ reordered: true });
    const { events } = (await (await fetch(`${legacy.url}/api/v1/events`)).json()) as {
      events: { time_fired: string }[];
    };
    const times = events.map(({ time_fired }) => time_fired);
    expect(times).not.toEqual(times.toSorted());
    expect((await read()).map(({ state }) => state)).toEqual(EVENTS.map(({ state }) => state));
  });

  it.each([
    ["down", { down: true }, "service_unreachable"],
    ["html", { html: true }, "old_malformed"],
    ["error_inside", { error_inside: true }, "old_malformed"],
    ["truncated", { truncated: true }, "old_malformed"],
    ["no_offset", { no_offset: true }, "old_malformed"],
    ["floats", { floats: true }, "old_malformed"],
    ["schema", { schema: true }, "old_malformed"],
    ["errors", { errors: { rate: 1 } }, "service_failed"],
  ] as const)("%s is seen by who reads, and gone when it is switched off", async (_, faults, code) => {
    const { put, read, system } = await started();
    await system.write(EVENTS);
    await put(faults);
    await expect(read()).rejects.toMatchObject({ code });
    await put({});
    expect(await read()).toHaveLength(200);
  });

  it("schema: its health says another one", async () => {
    const { put, system } = await started();
    const { schema } = await system.describe();
    await put({ schema: true });
    expect((await system.describe()).schema).not.toBe(schema);
  });

  it("slow: an answer waits", async () => {
    const { legacy, put, clock } = await started();
    await put({ slow: { ms: 5_000 } });
    let isDone = false;
    const asked = fetch(`${legacy.url}/health`).then(() => {
      isDone = true;
    });
    while (clock.sleeping() === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(isDone).toBe(false);
    await clock.advance(5_000);
    await asked;
  });

  // In a process of its own: what others leave for the collector would count against the growth.
  it("leak: memory grows with every request, until it is switched off", async () => {
    const { url, describe: memory } = await alone();
    const put = (faults: Faults) => fetch(`${url}/faults`, { method: "PUT", body: JSON.stringify(faults) });
    const before = await memory();
    await put({ leak: { bytes: 16_777_216 } });
    let after = 0;
    for (let n = 0; n < 12; n++) after = await memory();
    expect(after - before).toBeGreaterThan(100_000_000);
    await put({});
    for (let n = 0; n < 12; n++) await memory();
    expect((await memory()) - after).toBeLessThan(50_000_000);
  });
});
