import { describe, expect, it } from "vitest";
import { checkSameHome, type ImportStates } from "../../lib/history/index.ts";
import { listSource } from "../support/imports.ts";

const statesOf = (...homes: string[]): ImportStates => ({
  open: () => {
    throw new Error("not asked for");
  },
  known: () => homes.map((homeId) => ({ homeId, source: { kind: "jsonl", identity: "a list", name: "a list" } })),
});
const named = (prefix: string, count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => `sensor.${prefix}_${from + n}`);
const EVERYWHERE = ["sun.sun", "zone.home", "person.me", "sensor.sun_next_dawn", "conversation.home_assistant"];

const check = (theirs: readonly string[] | undefined, ours: readonly string[], states = statesOf()) =>
  checkSameHome({
    homeId: "home",
    source: listSource([], theirs ? { entityIds: theirs } : {}),
    states,
    knownEntities: async () => new Set(ours),
  });

describe("a history", () => {
  it("of this home passes: most of its entities are known here, or enough of them after years", async () => {
    await check(named("a", 50), named("a", 50));
    await check(named("a", 200), [...named("a", 20), ...named("b", 100)]);
  });

  it("of another home is refused, whatever every home has in common", async () => {
    const refused = check([...named("a", 30), ...EVERYWHERE], [...named("b", 30), ...EVERYWHERE]);
    await expect(refused).rejects.toMatchObject({ code: "history_of_another_home" });
    await expect(refused).rejects.toThrow(/Of its 30 entities 0 are known in the home "home", which has 30.*--force/);
  });

  it("that went into another home before is refused, into this one not", async () => {
    await expect(check(undefined, [], statesOf("cabin"))).rejects.toThrow(/home "cabin" before/);
    await check(undefined, [], statesOf("home"));
  });

  it("passes where nothing can be told: a new home, few entities, a file", async () => {
    await check(named("a", 50), []);
    await check(named("a", 9), named("b", 50));
    await check(undefined, named("b", 50));
  });
});
