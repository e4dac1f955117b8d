import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketOf, isNew, otherOf, sideOf } from "../../../lib/migration/reads/authority.ts";
import { pointer } from "./fakes.ts";

const text = fc.string({ minLength: 1, maxLength: 30, unit: "binary" });
const basisPoints = fc.integer({ min: 0, max: 10_000 });
const split = (given: { salt: string; basisPoints: number }) => pointer({ authority: "split", ...given });

describe("bucketOf", () => {
  it("never changes: entities would move in the middle of a migration", () => {
    const entities = ["light.kitchen", "sensor.power", "binary_sensor.tür", "switch.𝛼"];
    expect(entities.map((entityId) => bucketOf("home", entityId, "a1b2"))).toEqual([5163, 3688, 9273, 9947]);
  });

  it("is a bucket", () => {
    fc.assert(
      fc.property(text, text, text, (homeId, entityId, salt) => {
        const bucket = bucketOf(homeId, entityId, salt);
        expect(Number.isInteger(bucket) && bucket >= 0 && bucket < 10_000).toBe(true);
        expect(bucketOf(homeId, entityId, salt)).toBe(bucket);
      }),
    );
  });

  it("spreads entities evenly, and otherwise for each salt (chi-square of 100 classes)", () => {
    for (const salt of ["", "a", "b", "2f0c9a"]) {
      const classes = new Array<number>(100).fill(0);
      const count = 50_000;
      for (let i = 0; i < count; i++) {
        const at = Math.floor(bucketOf("home", `sensor.room_${i}_power`, salt) / 100);
        classes[at] = (classes[at] ?? 0) + 1;
      }
      const chiSquare = classes.reduce((sum, seen) => sum + (seen - count / 100) ** 2 / (count / 100), 0);
      // 99.99 % of 99 degrees of freedom.
      expect(chiSquare).toBeLessThan(161);
    }
    const both = Array.from({ length: 10_000 }, (_, i) => `light.l${i}`).filter(
      (id) => bucketOf("home", id, "a") < 5_000 && bucketOf("home", id, "b") < 5_000,
    );
    expect(Math.abs(both.length - 2_500)).toBeLessThan(250);
  });
});

describe("sideOf", () => {
  it("is monotone: whoever is NEW's at some percentage is at every higher one", () => {
    fc.assert(
      fc.property(
        text,
        fc.array(text, { maxLength: 5 }),
        text,
        basisPoints,
        basisPoints,
        (homeId, entityIds, salt, a, b) => {
          const [low, high] = [Math.min(a, b), Math.max(a, b)];
          if (sideOf(split({ salt, basisPoints: low }), { homeId, entityIds }) === "new")
            expect(sideOf(split({ salt, basisPoints: high }), { homeId, entityIds })).toBe("new");
        },
      ),
    );
  });

  it("is NEW's only where all entities are", () => {
    fc.assert(
      fc.property(
        text,
        fc.array(text, { minLength: 1, maxLength: 6 }),
        text,
        basisPoints,
        (homeId, entityIds, salt, at) => {
          const now = split({ salt, basisPoints: at });
          const all = entityIds.every((entityId) => isNew(now, homeId, entityId));
          expect(sideOf(now, { homeId, entityIds })).toBe(all ? "new" : "old");
        },
      ),
    );
  });

  it("is OLD's for the whole home until all of it is NEW's", () => {
    expect(sideOf(split({ salt: "s", basisPoints: 9_999 }), { homeId: "home" })).toBe("old");
    expect(sideOf(split({ salt: "s", basisPoints: 10_000 }), { homeId: "home" })).toBe("new");
  });

  it("at 0 nobody is NEW's, at 10,000 everybody", () => {
    fc.assert(
      fc.property(text, text, text, (homeId, entityId, salt) => {
        expect(isNew(split({ salt, basisPoints: 0 }), homeId, entityId)).toBe(false);
        expect(isNew(split({ salt, basisPoints: 10_000 }), homeId, entityId)).toBe(true);
      }),
    );
  });

  it("follows the authority where it is one side's", () => {
    for (const authority of ["old", "new"] as const)
      expect(sideOf(pointer({ authority }), { homeId: "home", entityIds: ["a.b"] })).toBe(authority);
  });

  it("is a moved reader's own side, whatever the percentage, and nobody else's", () => {
    fc.assert(
      fc.property(text, fc.constantFrom("old", "new"), basisPoints, text, (reader, side, at, entityId) => {
        const now = { ...split({ salt: "s", basisPoints: at }), readers: { [reader]: side } as const };
        const query = { homeId: "home", entityIds: [entityId] };
        expect(sideOf(now, query, reader)).toBe(side);
        expect(sideOf(now, query, `${reader}!`)).toBe(sideOf(now, query));
        expect(sideOf({ ...now, authority: otherOf(side) }, query, reader)).toBe(side);
      }),
    );
  });

  it("takes no token's name for a property of every object", () => {
    for (const name of ["constructor", "__proto__", "toString"])
      expect(sideOf(pointer({ authority: "new" }), { homeId: "home" }, name)).toBe("new");
  });

  it("leaves nobody with a NEW that lacks the past", () => {
    const now = pointer({ readers: { tablet: "new" }, isNewComplete: false });
    expect(sideOf(now, { homeId: "home" }, "tablet")).toBe("old");
    expect(sideOf({ ...now, isNewComplete: true }, { homeId: "home" }, "tablet")).toBe("new");
  });
});
