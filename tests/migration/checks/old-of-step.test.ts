import { describe, expect, it } from "vitest";
import { oldOfStep } from "../../../lib/migration/checks/old-of-step.ts";
import { rigOf } from "./rig.ts";

async function rowsOf(old: ReturnType<typeof oldOfStep>["old"]): Promise<number> {
  let count = 0;
  for await (const rows of old.scan({ fromUs: 0, toUs: Number.MAX_SAFE_INTEGER })) count += rows.length;
  return count;
}

describe("OLD in one step", () => {
  it("is asked as it is, until it was found away: then nobody asks it again, whatever is wanted of it", async () => {
    const rig = rigOf();
    const { old, found } = oldOfStep(rig.old);
    expect((await old.describe()).product).toContain("InfluxDB");
    expect(await rowsOf(old)).toBe(await rowsOf(rig.old));
    const { calls } = rig.old;
    found("no answer within 10 s");
    const query = { homeId: "home", order: "desc", limit: 1 } as const;
    const span = { fromUs: 0, toUs: 1, widthUs: 1 };
    for (const ask of [
      () => old.describe(),
      () => old.range(query),
      () => old.counts(span),
      () => old.write([]),
      () => rowsOf(old),
    ])
      await expect(ask()).rejects.toMatchObject({
        code: "service_unreachable",
        message: expect.stringContaining("not asked again in it; it was: no answer within 10 s"),
      });
    expect(rig.old.calls).toBe(calls);
    found(undefined);
    expect((await old.describe()).product).toContain("InfluxDB");
  });
});
