import fc from "fast-check";
import { expect, it } from "vitest";
import { refetchSpans, SPANS_MAX } from "../../../lib/migration/consistency/refetch-spans.ts";
import type { Difference } from "../../../lib/migration/types.ts";

const one = (atUs: number, entityId = "light.a", given: Partial<Difference> = {}): Difference => ({
  ...{ class: "missing-in-new", entityId, atUs, foundUs: 0, explanation: "" },
  ...given,
});
const MINUTE_US = 60_000_000;

it("asks once for what lies together, and only for what NEW lacks", () => {
  const found = [one(20 * MINUTE_US), one(0), one(MINUTE_US, "light.b"), one(0, "light.c", { class: "different" })];
  expect(refetchSpans(found)).toEqual([
    { entityIds: ["light.a", "light.b"], fromUs: -1_000_000, toUs: MINUTE_US + 1_000_000 },
    { entityIds: ["light.a"], fromUs: 20 * MINUTE_US - 1_000_000, toUs: 20 * MINUTE_US + 1_000_000 },
  ]);
  expect(refetchSpans([])).toEqual([]);
});

it("asks for every row, in questions of bounded size, and not for more than the outbox may hold", () => {
  const rows = fc.array(fc.tuple(fc.nat(3_000), fc.nat(120)), { maxLength: 300 });
  fc.assert(
    fc.property(rows, (given) => {
      const found = given.map(([minute, entity]) => one(minute * MINUTE_US, `light.l${entity}`));
      const spans = refetchSpans(found);
      expect(spans.length).toBeLessThanOrEqual(SPANS_MAX);
      for (const { entityIds, fromUs, toUs } of spans) {
        expect(entityIds.length).toBeLessThanOrEqual(50);
        expect(toUs - fromUs).toBeLessThanOrEqual(86_400_000_000 + 600_000_000 + 2_000_000);
      }
      if (spans.length < SPANS_MAX)
        for (const { entityId, atUs } of found)
          expect(
            spans.some((span) => span.entityIds.includes(entityId) && span.fromUs <= atUs && atUs < span.toUs),
          ).toBe(true);
    }),
  );
});
