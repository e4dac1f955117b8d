import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { recordCut } from "../../../lib/adapters/legacy/cut-record.ts";
import { createHttpSink } from "../../../lib/adapters/legacy/http-sink.ts";
import { createInfluxSink } from "../../../lib/adapters/legacy/influx-sink.ts";
import { createOldSystem } from "../../../lib/adapters/legacy/old-system.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import type { EventRecord } from "../../../lib/event/index.ts";
import { planSchema } from "../../../lib/migration/plan.ts";
import { buildEvent } from "../../support/events.ts";

const AT_US = 1_790_000_000_123_456;
const EVENT = buildEvent({ entityId: "sensor.a", atUs: AT_US, lastChangedUs: AT_US, state: "1.5" });
const RECORD: EventRecord = {
  ...{ t: "state", n: 1, source: "live", kind: "change", entity_id: "sensor.a", state: "1.5", attributes: {} },
  ...{ last_changed: "2026-09-21T13:33:20.123456+00:00", last_updated: "2026-09-21T13:33:20.123456+00:00" },
  ...{ origin: "LOCAL", context: { id: "c", parent_id: null, user_id: null } },
} as const;

let stop: (() => void) | undefined;
afterEach(() => stop?.());

/** Takes everything, and keeps what was posted. */
async function taker(status: number) {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece) => {
      body += piece;
    });
    request.on("end", () => {
      bodies.push(body);
      response.writeHead(status, { "content-type": "application/json" }).end(status === 204 ? undefined : "{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stop = () => server.close();
  return { bodies, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const planOf = (kind: "influxdb" | "http", url: string, precision: "us" | "ms" | "s") =>
  planSchema.parse({ old: { kind, url, precision } }).old;

describe("the precision of OLD", () => {
  it("is that of its limits, with a sentence for people, and 1 without one", () => {
    for (const kind of ["influxdb", "http"] as const) {
      const limitsOf = (precision: "us" | "ms" | "s") =>
        createOldSystem(planOf(kind, "http://old.test", precision), {}, { clock: systemClock }).limits;
      expect(limitsOf("us")).toMatchObject({ precisionUs: 1 });
      expect(limitsOf("us").words).not.toHaveProperty("one-stamp");
      expect(limitsOf("ms")).toMatchObject({ precisionUs: 1_000 });
      expect(limitsOf("s")).toMatchObject({ precisionUs: 1_000_000 });
      expect(limitsOf("s").words["one-stamp"]).toContain("whole seconds");
    }
  });

  it.each([
    ["us", "1790000000123456000"],
    ["ms", "1790000000123000000"],
    ["s", "1790000000000000000"],
  ] as const)("what is written to an InfluxDB of %s is cut as the integration cuts it", async (precision, stamp) => {
    const { bodies, url } = await taker(204);
    await createOldSystem(planOf("influxdb", url, precision), {}, { clock: systemClock }).write([EVENT]);
    expect(bodies).toEqual([expect.stringMatching(new RegExp(`value=1.5.* ${stamp}\n$`))]);
  });

  it("what is written to an HTTP pipeline is cut too", async () => {
    const { bodies, url } = await taker(200);
    await createOldSystem(planOf("http", url, "ms"), {}, { clock: systemClock }).write([EVENT]);
    const [{ data, time_fired }] = JSON.parse(bodies[0] ?? "[]");
    expect([data.new_state.last_updated, data.new_state.last_changed, time_fired]).toEqual(
      Array.from({ length: 3 }, () => expect.stringMatching(/\.123000/)),
    );
  });

  it("is the relay's sinks' too", () => {
    const shared = { name: "old", url: "http://old.test", flushMs: 0, clock: systemClock, precisionUs: 1_000_000 };
    const spooled = [{ n: 1, line: JSON.stringify(RECORD), appendedAtMs: 0 }];
    const textOf = ({ packer }: ReturnType<typeof createHttpSink>) => {
      const packed = packer.pack(spooled);
      return packed.fits ? (packed.message.pieces[0]?.text ?? "") : "";
    };
    expect(textOf(createInfluxSink({ ...shared, database: "home" }))).toMatch(/ 1789997600000000000$/);
    expect(textOf(createHttpSink(shared))).toContain('"last_updated":"2026-09-21T13:33:20.000000+00:00"');
  });

  it("cuts and never rounds, a removal's moment as well", () => {
    const late = { ...RECORD, last_updated: "2026-09-21T13:33:20.999999+00:00" } as EventRecord;
    expect(recordCut(late, 1_000_000)).toMatchObject({ last_updated: "2026-09-21T13:33:20.000000+00:00" });
    expect(recordCut(late, 1)).toBe(late);
    const removed: EventRecord = {
      ...{ t: "removed", n: 1, source: "live", entity_id: "sensor.a", time_fired: "2026-09-21T13:33:20.999999+00:00" },
      ...{ origin: "LOCAL", context: { id: "c", parent_id: null, user_id: null } },
    } as const;
    expect(recordCut(removed, 1_000)).toMatchObject({ time_fired: "2026-09-21T13:33:20.999000+00:00" });
  });
});
