import { describe, expect, it } from "vitest";
import { parentGone } from "../../../local/start/parent.ts";
import { manualClock } from "../../support/manual-clock.ts";

describe("parentGone", () => {
  it("resolves once the parent is another than at the start", async () => {
    const clock = manualClock();
    let parent = 4711;
    let isGone = false;
    const gone = parentGone({ parentId: () => parent, clock }).then(() => {
      isGone = true;
    });
    await clock.advance(60_000);
    expect(isGone).toBe(false);
    parent = 1;
    await clock.advance(500);
    await gone;
    expect(isGone).toBe(true);
  });
});
