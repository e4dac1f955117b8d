import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PACKED_MAX_BYTES, pack } from "../../lib/adapters/dynamodb/packed.ts";
import type { Draft } from "../../lib/suggestions/draft.ts";
import { draftOfPattern, rankDrafts, SUGGESTIONS_TOLD } from "../../lib/suggestions/index.ts";
import type { Suggestion } from "../../lib/suggestions/ports.ts";
import { settle, withOutcome } from "../../lib/suggestions/settle.ts";
import { SUGGESTIONS_KEPT, suggestionsOfTonight } from "../../lib/suggestions/tonight.ts";
import { names, pattern } from "./samples.ts";

const NOW = "2026-11-22T02:00:00.000Z";
const none = () => false;
const free = { there: [], now: NOW, excluded: none };
const draftAt = (id: string, more: Parameters<typeof pattern>[0] = {}): Draft => {
  const draft = draftOfPattern(pattern({ id, ...more }), names);
  if (!draft) throw new Error("no draft");
  return draft;
};
const lamp = (at: number, more: Partial<Draft> = {}): Draft => ({
  ...draftAt(`lamp-${at}`, { target: { entityId: `light.lamp_${at}`, state: "on" } }),
  score: 1 - at / 100,
  ...more,
});
const tonight = (there: readonly Suggestion[], drafts: readonly Draft[], now = NOW) =>
  suggestionsOfTonight(there, rankDrafts(drafts, { there, now, excluded: none }), { homeId: "home", now });
const ids = (drafts: readonly { readonly id: string }[]) => drafts.map(({ id }) => id);

const token = (entityId: string, state: string) => ({ entityId, state });

describe("the ranking", () => {
  it("tells the ten best, best first", () => {
    const drafts = Array.from({ length: 14 }, (_, at) => lamp(at));
    expect(ids(rankDrafts(drafts.toReversed(), free))).toEqual(ids(drafts.slice(0, SUGGESTIONS_TOLD)));
  });

  it("tells nothing of what is excluded", () => {
    const excluded = (entityId: string) => entityId.startsWith("light.");
    expect(rankDrafts([lamp(1), draftAt("coffee")], { ...free, excluded })).toMatchObject([{ id: "p-coffee" }]);
  });

  it("tells of what comes to the same only the best", () => {
    const early = draftAt("early", { at: "07:02" });
    const late = draftAt("late", { at: "07:40", reliability: 0.5 });
    const evening = draftAt("evening", { at: "19:00", reliability: 0.5 });
    const weekend = draftAt("weekend", { at: "07:10", days: ["sat", "sun"], reliability: 0.5 });
    expect(ids(rankDrafts([late, early, evening, weekend], free)).toSorted()).toEqual([
      "p-early",
      "p-evening",
      "p-weekend",
    ]);
    const wrap = [draftAt("a", { at: "23:50" }), draftAt("b", { at: "00:05", reliability: 0.3 })];
    expect(ids(rankDrafts(wrap, free))).toEqual(["p-a"]);
  });

  it("takes a pair within a chain for the chain", () => {
    const steps = [token("media_player.tv", "off"), token("light.floor", "off"), token("lock.door", "locked")];
    const chain = draftAt("chain", { kind: "sequence", steps, reliability: 0.9, days: [] });
    const pair = draftAt("pair", {
      kind: "co-occurrence",
      trigger: token("light.floor", "off"),
      target: token("lock.door", "locked"),
      days: [],
      reliability: 0.5,
    });
    expect(ids(rankDrafts([pair, chain], free))).toEqual(["p-chain"]);
  });

  it("takes a length that ends at a known time for that time, whichever way round", () => {
    const off = { target: token("light.garden", "off"), days: [] };
    const clock = draftAt("clock", { ...off, at: "23:00" });
    const lasts = draftAt("lasts", {
      ...{ ...off, kind: "duration", trigger: token("light.garden", "on"), details: { finding: "fixed" } },
      durationSeconds: { median: 7_200, p90: 7_500 },
    });
    for (const [better, worse] of [
      [clock, lasts],
      [lasts, clock],
    ] as const)
      expect(
        ids(
          rankDrafts(
            [
              { ...better, score: 0.9 },
              { ...worse, score: 0.5 },
            ],
            free,
          ),
        ),
      ).toEqual([better.id]);
  });

  it("takes sunset and the clock of an evening for one habit, and those of other hours for two", () => {
    const sunset = draftAt("sunset", { anchor: "sunset", offsetMinutes: 0, days: [] });
    const evening = draftAt("evening", { at: "18:05", days: ["sun"], reliability: 0.5 });
    const morning = draftAt("morning", { at: "07:00", days: [], reliability: 0.4 });
    expect(ids(rankDrafts([sunset, evening, morning], free))).toEqual(["p-sunset", "p-morning"]);
  });

  it("tells of one lamp three times at most", () => {
    const often = ["06:00", "09:00", "12:00", "15:00", "18:00"].map((at, index) => draftAt(`at${index}`, { at }));
    expect(rankDrafts([...often, lamp(99, { score: 0.01 })], free)).toHaveLength(4);
  });

  it("tells what causes something, and not at which times it happens then; unless the cause was dismissed", () => {
    const pair = { kind: "co-occurrence" as const, days: undefined as never, at: undefined as never };
    const cause = draftAt("cause", {
      ...{ ...pair, trigger: token("binary_sensor.hall_motion", "on"), details: { coverage: 0.95 } },
    });
    const times = [draftAt("at7", { at: "07:00", reliability: 0.9 }), draftAt("at9", { at: "21:00" })];
    expect(ids(rankDrafts([...times, cause], free))).toEqual(["p-cause"]);
    const [told] = tonight([], [cause]);
    if (!told) throw new Error("not told");
    const there = [settle(told, { what: "dismiss" }, { at: NOW, by: "api" })];
    expect(rankDrafts([...times, cause], { ...free, there })).toHaveLength(2);
    expect(rankDrafts([...times, { ...cause, score: 0.01 }], free)).toHaveLength(3);
  });

  it("tells no two that set off each other, nor one that an accepted one would fight", () => {
    const of = (id: string, trigger: ReturnType<typeof token>, target: ReturnType<typeof token>) =>
      draftAt(id, {
        ...{ kind: "co-occurrence", trigger, target, days: undefined as never, at: undefined as never },
        delaySeconds: { median: 3, p90: 5 },
      });
    const [a, b] = ["light.a", "light.b"] as const;
    const ab = of("ab", token(a, "on"), token(b, "off"));
    const ba = of("ba", token(b, "off"), token(a, "on"));
    const fight = of("fight", token(b, "off"), token(a, "off"));
    const other = of("other", token(b, "on"), token(a, "off"));
    // b on: a on: b off.
    const round = of("round", token(b, "on"), token(a, "on"));
    expect(ids(rankDrafts([ab, round], free))).toEqual(["p-ab"]);
    expect(ids(rankDrafts([ab, ba, other], free))).toEqual(["p-ab", "p-other"]);
    expect(ids(rankDrafts([ab, fight], free))).toEqual(["p-ab"]);
    const [told] = tonight([], [ab]);
    if (!told) throw new Error("not told");
    const there = [settle(told, { what: "accept" }, { at: NOW, by: "api" })];
    expect(ids(rankDrafts([ba, fight, other], { ...free, there }))).toEqual(["p-other"]);
  });

  it("suggests nothing again that a person has settled, nor what comes to the same; a snoozed one in its time", () => {
    const drafts = [draftAt("early"), lamp(1)];
    const [first] = tonight([], drafts).filter(({ id }) => id === "p-early");
    if (!first) throw new Error("not told");
    const by = { at: NOW, by: "api" };
    const dismissed = settle(first, { what: "dismiss" }, by);
    const moved = draftAt("moved", { at: "07:20" });
    const there = [dismissed];
    expect(ids(rankDrafts([...drafts, moved], { ...free, there }))).toEqual(["p-lamp-1"]);
    const snoozed = settle(first, { what: "snooze", days: 7 }, by);
    expect(snoozed.snoozedUntil).toBe("2026-11-29T02:00:00.000Z");
    const at = (now: string) => ids(rankDrafts(drafts, { there: [snoozed], now, excluded: none }));
    expect(at("2026-11-29T01:59:59.000Z")).toEqual(["p-lamp-1"]);
    expect(at("2026-11-29T02:00:00.000Z").toSorted()).toEqual(["p-early", "p-lamp-1"]);
  });

  it("does not let two that are nearly equal change places every night", () => {
    const [a, b] = [lamp(1, { score: 0.5 }), lamp(2, { score: 0.51 })];
    const yesterday = tonight([], [a]);
    expect(ids(rankDrafts([a, b], { ...free, there: yesterday }))).toEqual([a.id, b.id]);
    expect(ids(rankDrafts([a, { ...b, score: 0.6 }], { ...free, there: yesterday }))).toEqual([b.id, a.id]);
  });

  it("is the same whatever the order of the drafts", () => {
    const drafts = Array.from({ length: 12 }, (_, at) => lamp(at, { score: (at % 4) / 4 }));
    const wanted = ids(rankDrafts(drafts, free));
    fc.assert(
      fc.property(fc.shuffledSubarray(drafts, { minLength: 12 }), (shuffled) => {
        expect(ids(rankDrafts(shuffled, free))).toEqual(wanted);
      }),
    );
  });
});

describe("a night's suggestions", () => {
  it("are the same when the night is run twice", () => {
    const once = tonight([], [lamp(1), lamp(2)]);
    expect(tonight(once, [lamp(1), lamp(2)])).toEqual(once);
    expect(once.map(({ rank }) => rank)).toEqual([1, 2]);
  });

  it("keep their history when they fall out and come back", () => {
    const first = tonight([], [lamp(1), lamp(2)]);
    const second = tonight(first, [lamp(2)], "2026-11-23T02:00:00.000Z");
    const third = tonight(second, [lamp(1), lamp(2)], "2026-11-24T02:00:00.000Z");
    const fallen = second.find(({ id }) => id === "p-lamp-1");
    expect([fallen?.rank, fallen?.status]).toEqual([undefined, "new"]);
    expect(third.find(({ id }) => id === "p-lamp-1")).toMatchObject({
      createdAt: NOW,
      history: [{ what: "suggested" }, { what: "no longer among the best" }, { what: "among the best again" }],
    });
  });

  it("keep what is settled when there are too many", () => {
    const [one] = tonight([], [lamp(1)]);
    if (!one) throw new Error("not told");
    const old = { ...one, updatedAt: "2020-01-01T00:00:00.000Z" };
    const many = Array.from({ length: SUGGESTIONS_KEPT + 5 }, (_, at) => ({
      ...old,
      id: `x${at}`,
      rank: undefined as never,
    }));
    const kept = tonight([{ ...old, id: "no", status: "dismissed" }, ...many], [lamp(2)]);
    expect(kept).toHaveLength(SUGGESTIONS_KEPT);
    expect(ids(kept)).toEqual(expect.arrayContaining(["no", "p-lamp-2"]));
    const dismissed = many.map((row) => ({ ...row, status: "dismissed" as const, updatedAt: NOW }));
    const watched = tonight([...dismissed, { ...old, id: "yes", status: "accepted" }], [lamp(2)]);
    expect(watched).toHaveLength(SUGGESTIONS_KEPT);
    expect(ids(watched)).toEqual(expect.arrayContaining(["yes", "p-lamp-2"]));
  });
});

describe("the row of a home", () => {
  it("fits an item of DynamoDB, however long its history, and is the same after the same night", () => {
    const [one] = tonight([], [lamp(1)]);
    if (!one) throw new Error("not told");
    const noise = createHash("shake256", { outputLength: 200_000 }).update("times").digest();
    const text = (at: number, length: number) =>
      createHash("shake256", { outputLength: length }).update(String(at)).digest("base64url").slice(0, length);
    const there = Array.from({ length: SUGGESTIONS_KEPT + 100 }, (_row, at): Suggestion => {
      const { rank: _, ...rest } = one;
      return {
        ...rest,
        ...{
          id: `p-${text(7 * at, 16)}`,
          title: text(7 * at + 1, 60),
          description: text(7 * at + 2, 200),
          status: "accepted",
        },
        wording: { of: text(7 * at + 3, 43), title: text(7 * at + 4, 60), description: text(7 * at + 5, 200) },
        history: Array.from({ length: 50 }, (_, line) => ({
          ...{ at: new Date(Date.parse(NOW) + noise.readUInt32LE(4 * ((at * 50 + line) % 50_000))).toISOString() },
          ...{ what: "no longer among the best", by: "night" },
        })),
      };
    });
    const kept = tonight(there, [lamp(2)]);
    expect(pack(kept).length).toBeLessThan(PACKED_MAX_BYTES);
    expect(tonight(kept, [lamp(2)])).toEqual(kept);
    expect(ids(kept)).toContain("p-lamp-2");
  });
});

describe("a decision", () => {
  const [one] = tonight([], [draftAt("coffee")]);
  if (!one) throw new Error("not told");
  const by = { at: NOW, by: "mqtt" };

  it("is taken once, however often the button is pressed", () => {
    const accepted = settle(one, { what: "accept" }, by);
    expect(accepted).toMatchObject({ status: "accepted", outcome: "waiting", automationId: "hearthline_p_coffee" });
    expect(accepted.rank).toBeUndefined();
    expect(settle(accepted, { what: "accept" }, by)).toBe(accepted);
    expect(() => settle(accepted, { what: "dismiss" }, by)).toThrow(/Remove the automation/);
    const dismissed = settle(one, { what: "dismiss" }, by);
    expect(settle(dismissed, { what: "dismiss" }, by)).toBe(dismissed);
    expect(settle(dismissed, { what: "accept" }, by).status).toBe("accepted");
  });

  it("can be taken back at once: until the next night it is where it was", () => {
    const there = tonight([], [draftAt("first"), draftAt("coffee", { at: "19:00", reliability: 0.5 })]);
    const second = there.find(({ rank }) => rank === 2);
    if (!second) throw new Error("not told");
    const settled = [
      settle(second, { what: "dismiss" }, by),
      settle(settle(second, { what: "snooze", days: 3 }, by), { what: "snooze", days: 30 }, by),
      settle(settle(second, { what: "snooze", days: 3 }, by), { what: "dismiss" }, by),
      withOutcome(settle(second, { what: "accept" }, by), "refused", by),
    ];
    for (const each of settled) {
      expect(each).not.toHaveProperty("rank");
      const restored = settle(each, { what: "restore" }, by);
      expect(restored).toMatchObject({ status: "new", rank: 2 });
      expect(restored).not.toHaveProperty("rankBefore");
      expect(settle(restored, { what: "restore" }, by)).toBe(restored);
      // A night has ranked the others since.
      const [later] = tonight([each], []);
      expect(later).not.toHaveProperty("rankBefore");
      expect(later && settle(later, { what: "restore" }, by)).not.toHaveProperty("rank");
    }
  });

  it("can be taken back: the next night ranks it as before", () => {
    const accepted = settle(one, { what: "accept" }, by);
    expect(() => settle(accepted, { what: "restore" }, by)).toThrow(/Remove the automation/);
    for (const settled of [
      settle(one, { what: "dismiss" }, by),
      settle(one, { what: "snooze", days: 3 }, by),
      withOutcome(accepted, "removed", by),
    ]) {
      expect(tonight([settled], [draftAt("coffee")]).filter(({ rank }) => rank !== undefined)).toEqual([]);
      const [nightLater = settled] = tonight([settled], []);
      const restored = settle(nightLater, { what: "restore" }, by);
      expect(restored).toMatchObject({
        status: "new",
        history: expect.arrayContaining([expect.objectContaining({ what: "restored" })]),
      });
      for (const name of ["rank", "snoozedUntil", "outcome"]) expect(restored).not.toHaveProperty(name);
      expect(settle(restored, { what: "restore" }, by)).toBe(restored);
      expect(tonight([restored], [draftAt("coffee")])).toMatchObject([{ id: one.id, rank: 1, status: "new" }]);
    }
  });

  it("can be made once more when Home Assistant did not take it", () => {
    const accepted = settle(one, { what: "accept" }, by);
    const refused = withOutcome(accepted, "refused", { ...by, detail: "no include" });
    expect(refused).toMatchObject({ outcome: "refused", outcomeDetail: "no include" });
    expect(withOutcome(refused, "refused", { ...by, detail: "no include" })).toBe(refused);
    expect(settle(refused, { what: "accept" }, by)).toMatchObject({ outcome: "waiting" });
    expect(settle(refused, { what: "accept" }, by)).not.toHaveProperty("outcomeDetail");
    expect(withOutcome(one, "written", by)).toBe(one);
  });

  it("may be another when nothing of it is in the house: refused, removed, or a feature", () => {
    const accepted = settle(one, { what: "accept" }, by);
    const refused = withOutcome(accepted, "refused", { ...by, detail: "no include" });
    for (const gone of [refused, withOutcome(accepted, "removed", by)]) {
      expect(settle(gone, { what: "dismiss" }, by)).toMatchObject({ status: "dismissed" });
      expect(settle(gone, { what: "dismiss" }, by)).not.toHaveProperty("outcome");
      expect(settle(gone, { what: "snooze", days: 3 }, by).status).toBe("snoozed");
    }
    const { automation: _, ...feature } = one;
    expect(settle(settle(feature, { what: "accept" }, by), { what: "dismiss" }, by).status).toBe("dismissed");
    for (const there of ["waiting", "written", "kept", "turned-off", "overridden"] as const)
      expect(() => settle(withOutcome(accepted, there, by), { what: "dismiss" }, by)).toThrow(/was accepted/);
  });

  it("notes at most fifty lines", () => {
    let long = settle(one, { what: "accept" }, by);
    for (let at = 0; at < 80; at++) long = withOutcome(long, at % 2 ? "kept" : "turned-off", by);
    expect(long.history).toHaveLength(50);
  });
});
