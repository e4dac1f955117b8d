import { expect, it } from "vitest";
import { DETECTORS } from "../../lib/analysis/detectors/all.ts";
import { loadDetectors } from "../../quality/detectors.ts";

it("measures what the product uses: all of its detectors, the very same", async () => {
  const loaded = await loadDetectors();
  expect(new Set(loaded)).toEqual(new Set(DETECTORS));
  expect(loaded.every((detector) => DETECTORS.includes(detector))).toBe(true);
});
