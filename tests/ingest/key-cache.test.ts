import { describe, expect, it } from "vitest";
import type { HomeKey } from "../../lib/event/index.ts";
import { cachedHomeKeys } from "../../lib/ingest/index.ts";
import { manualClock } from "../support/manual-clock.ts";
import { randomKey } from "../support/records.ts";

function setUp(maxEntries = 1_000) {
  const clock = manualClock();
  const key = randomKey();
  const asked: string[] = [];
  const known = new Map<string, HomeKey>([["home", key]]);
  let error: Error | undefined;
  const answer = async (homeId: string) => {
    asked.push(homeId);
    if (error) throw error;
    return known.get(homeId);
  };
  const keys = cachedHomeKeys({ find: answer, current: answer }, { clock, maxEntries });
  const fail = (next: Error | undefined) => {
    error = next;
  };
  return { clock, key, asked, known, keys, fail };
}

describe("keys", () => {
  it("are asked for once a minute", async () => {
    const { clock, key, asked, keys } = setUp();
    expect([await keys.find("home", "k"), await keys.find("home", "k")]).toEqual([key, key]);
    expect(asked).toHaveLength(1);
    await clock.advance(59_999);
    await keys.find("home", "k");
    expect(asked).toHaveLength(1);
    await clock.advance(1);
    await keys.find("home", "k");
    expect(asked).toHaveLength(2);
  });

  it("that are not there are asked for again soon, so a new home is heard", async () => {
    const { clock, key, asked, known, keys } = setUp();
    expect(await keys.find("new", "k")).toBeUndefined();
    expect(await keys.find("new", "k")).toBeUndefined();
    expect(asked).toHaveLength(1);
    known.set("new", key);
    await clock.advance(5_000);
    expect(await keys.find("new", "k")).toBe(key);
  });

  it("tell the present key and a named one apart", async () => {
    const { asked, keys } = setUp();
    await keys.find("home", "k");
    await keys.find("home", "other");
    await keys.current("home");
    expect(asked).toHaveLength(3);
  });

  it("do not remember an error", async () => {
    const { key, keys, fail } = setUp();
    fail(new Error("away"));
    await expect(keys.find("home", "k")).rejects.toThrow("away");
    fail(undefined);
    expect(await keys.find("home", "k")).toBe(key);
  });

  it("are forgotten, the oldest first, when too many homes are named", async () => {
    const { asked, keys } = setUp(3);
    for (const home of ["a", "b", "c", "d"]) await keys.find(home, "k");
    await keys.find("d", "k");
    await keys.find("b", "k");
    expect(asked).toHaveLength(4);
    await keys.find("a", "k");
    expect(asked).toHaveLength(5);
  });
});
