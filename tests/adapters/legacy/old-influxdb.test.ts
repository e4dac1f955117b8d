import { describe, expect, it, onTestFinished } from "vitest";
import { createOldSystem } from "../../../lib/adapters/legacy/old-system.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import { planSchema } from "../../../lib/migration/plan.ts";
import { describeOldSystem } from "../../conformance/old-system.ts";
import { startSmallInfluxdb } from "../../support/small-influxdb.ts";

const open = (url: string, measurement?: string) => {
  const { old } = planSchema.parse({
    old: { kind: "influxdb", url, database: "ha", ...(measurement && { measurement }) },
  });
  return createOldSystem(old, {}, { clock: systemClock });
};

for (const measurement of ["state", undefined])
  describeOldSystem(
    `an InfluxDB ${measurement ? "with a default measurement" : "with a measurement an entity"}`,
    async () => {
      const influx = await startSmallInfluxdb();
      return {
        old: open(influx.url, measurement),
        empty: async () => influx.clear(),
        dispose: influx.close,
      };
    },
  );

describe("an InfluxDB that others write to as well", () => {
  async function started(lines: readonly string[]) {
    const influx = await startSmallInfluxdb();
    onTestFinished(influx.close);
    await fetch(`${influx.url}/write`, { method: "POST", body: lines.join("\n") });
    return { influx, old: open(influx.url, "state") };
  }

  it("reads what has Home Assistant's tags, and asks for states and values alone", async () => {
    const { influx, old } = await started([
      'W,domain=sensor,entity_id=power value=1,access_token_str="s",voltage=2 1000000000001000',
      "cpu,host=x value=5 1000000000001000",
      "W,host=x value=5 1000000000001000",
      "W,domain=x value=6 1000000000003000",
      'notes,host=x value="text" 1000000000001000',
      "state,domain=light,entity_id=a brightness=5 1000000000002000",
    ]);
    const rows = [];
    const span = { fromUs: 0, toUs: 2e12 };
    for await (const piece of old.scan(span)) rows.push(...piece);
    expect(rows).toEqual([{ entityId: "sensor.power", atUs: 1_000_000_000_001, state: "1" }]);
    expect(await old.counts({ ...span, widthUs: 1e12 })).toEqual([{ fromUs: 1e12, count: 1 }]);
    expect((await old.range({ homeId: "home", order: "desc", limit: 1 })).events).toHaveLength(1);
    expect(influx.asked.join()).not.toMatch(/access_token|\*|cpu|notes/);
    expect((await old.describe()).memoryBytes).toBe(1_500_000);
  });

  it("has another schema when a type changes that matters, and the same with a new unit or attribute", async () => {
    const { influx, old } = await started(["W,domain=sensor,entity_id=power value=1 1000000000001000"]);
    const write = (line: string) => fetch(`${influx.url}/write`, { method: "POST", body: line });
    const { schema } = await old.describe();
    await write('kW,domain=sensor,entity_id=power value=1,new=2,newer_str="x" 1000000000001000');
    await write("cpu,host=x state=1 1000000000001000");
    expect((await old.describe()).schema).toBe(schema);
    await write('V,domain=sensor,entity_id=u value="12 V" 1000000000001000');
    expect((await old.describe()).schema).toContain('"V" has value as string');
  });

  it("refuses areas and devices, of which it holds nothing", async () => {
    const { old } = await started([]);
    await expect(old.range({ homeId: "home", order: "asc", limit: 1, areaId: "hall" })).rejects.toMatchObject({
      code: "request_invalid",
    });
  });

  it("narrows what it asks for where much lies close together, and loses nothing", async () => {
    const lines = Array.from(
      { length: 11_000 },
      (_, n) => `W,domain=sensor,entity_id=s${n % 7} value=${n} ${1_000_000_000_000 + n}000`,
    );
    const same = Array.from(
      { length: 10_500 },
      (_, n) => `W,domain=sensor,entity_id=t${n} value=${n} 1000000900000000`,
    );
    const { old } = await started([...lines, ...same]);
    let count = 0;
    let lastUs = 0;
    for await (const piece of old.scan({ fromUs: 999_000_000_000, toUs: 1_001_000_000_000 })) {
      for (const { atUs } of piece) {
        expect(atUs).toBeGreaterThanOrEqual(lastUs);
        lastUs = atUs;
      }
      count += piece.length;
    }
    expect(count).toBe(21_500);
  });
});
