import { describe, expect, it } from "vitest";
import { isHearthlineError } from "../../../lib/base/errors.ts";
import { emptyLedgerRow } from "../../../lib/ingest/ports.ts";
import { classify, type LossAccount } from "../../../lib/migration/consistency/classify.ts";
import { compare, countedOf } from "../../../lib/migration/consistency/compare.ts";
import type { Finding } from "../../../lib/migration/consistency/join.ts";
import { createLedgerFacts } from "../../../lib/migration/consistency/ledger-facts.ts";
import { Stopped } from "../../../lib/migration/consistency/sides.ts";
import { buildEvent, manyEvents, SOME_TIME_US } from "../../support/events.ts";
import { INFLUX_LIMITS, NO_LIMITS, rowOf, sidesOf } from "./support.ts";

const TILE_US = 4_096_000_000;
const OPTIONS = { tileUs: TILE_US, examplesMax: 20 };
const ROWS = 200_000;
/** 200,000 rows of 200 entities in eight days. */
const EVENTS = manyEvents(ROWS, { entities: 200, stepUs: 3_500_000 });
const SPAN = { fromUs: SOME_TIME_US, toUs: SOME_TIME_US + ROWS * 3_500_000 };

describe("the comparison of 200,000 rows", () => {
  it("reads each row once, and of one that differs only its entity's neighbours again", async () => {
    const rows = EVENTS.map(rowOf);
    const at = 123_456;
    rows[at] = { ...rowOf(buildEvent(EVENTS[at])), state: "another" };
    const sides = sidesOf({ old: rows, new: EVENTS });
    const found = await compare(sides, SPAN, OPTIONS);
    expect(found.findings).toMatchObject([
      { kind: "different", entityId: EVENTS[at]?.entityId, atUs: EVENTS[at]?.atUs },
    ]);
    expect(found.compared).toBe(ROWS);
    // 128 s hold 37 rows of 37 entities on each side.
    expect(found.read.again.rows).toBeLessThanOrEqual(4);
    expect(sides.reads.old + sides.reads.new).toBe(2 * ROWS + found.read.again.rows);
  });

  it("reads little for many differences of few entities: an entity that OLD has lost", async () => {
    const lost = EVENTS[7]?.entityId;
    const sides = sidesOf({ old: EVENTS.filter(({ entityId }) => entityId !== lost).map(rowOf), new: EVENTS });
    const found = await compare(sides, SPAN, OPTIONS);
    expect(found.counts["missing-in-old"]).toBe(ROWS / 200);
    expect(found.findings.length).toBe(20);
    expect(found.read.again.rows).toBe(ROWS / 200);
  });

  it("counts all exactly when everything differs, and reads it twice at most", async () => {
    const sides = sidesOf({
      old: EVENTS.map((row) => ({ ...rowOf(row), atUs: row.atUs + 3_600_000_000 })),
      new: EVENTS,
    });
    const found = await compare(sides, { ...SPAN, toUs: SPAN.toUs + 3_600_000_000 }, OPTIONS);
    const { counts } = found;
    expect(counts["missing-in-new"] + counts["missing-in-old"] + 2 * counts.different).toBe(2 * ROWS);
    expect(sides.reads.old + sides.reads.new).toBeLessThanOrEqual(4 * ROWS);
  });
});

describe("the comparison", () => {
  const event = buildEvent();
  const span = { fromUs: SOME_TIME_US, toUs: SOME_TIME_US + 10 };
  const kinds = async (old: Parameters<typeof sidesOf>[0]["old"], ours: typeof EVENTS, limits = NO_LIMITS) =>
    (await compare(sidesOf({ old, new: ours }, limits), span, OPTIONS)).counts;

  it("takes both bounds as half-open", async () => {
    const edges = [0, 9, 10].map((step) => buildEvent({ atUs: SOME_TIME_US + step }));
    expect((await compare(sidesOf({ old: [], new: edges }), span, OPTIONS)).counts["missing-in-old"]).toBe(2);
  });

  it("takes a row that OLD has twice for a limit, and a second one of another value for a difference", async () => {
    const twice = await kinds([rowOf(event), rowOf(event), rowOf(event)], [event]);
    expect(twice).toMatchObject({ duplicate: 2, "missing-in-new": 0, different: 0 });
    const other = await kinds([rowOf(event), { ...rowOf(event), state: "off" }], [event]);
    expect(other).toMatchObject({ duplicate: 0, different: 1 });
  });

  it("takes a missing start for a limit, and a start of another value for a difference", async () => {
    const start = buildEvent({ kind: "restore" });
    expect(await kinds([], [start])).toMatchObject({ start: 1, "missing-in-old": 0 });
    expect(await kinds([{ ...rowOf(start), state: "off" }], [start])).toMatchObject({ different: 1 });
    expect(await kinds([], [start], { ...NO_LIMITS, isStartWhole: true })).toMatchObject({ "missing-in-old": 1 });
    // One entity's start is there, one's is not, and a row that counts is missing beside them.
    const rows = ["light.a", "light.b", "light.c"].map((entityId, at) =>
      buildEvent({ entityId, kind: at < 2 ? "restore" : "change" }),
    );
    expect(await kinds(rows.slice(0, 1).map(rowOf), rows)).toMatchObject({ start: 1, "missing-in-old": 1 });
  });

  it("refuses a side that gives rows of its upper bound or before its lower one", async () => {
    for (const atUs of [span.toUs, span.fromUs - 1]) {
      const read = async function* () {
        yield [rowOf(buildEvent({ atUs }))];
      };
      const given = { ...sidesOf({ old: [], new: [] }), old: { name: "old", read } as const };
      await expect(compare(given, span, OPTIONS)).rejects.toThrow("wanted are rows of that span");
    }
  });

  it("refuses a side whose rows go back in time, and stops when it is told to", async () => {
    const sides = sidesOf({ old: [], new: [] });
    const read = async function* () {
      yield [rowOf(buildEvent({ atUs: SOME_TIME_US + 2 })), rowOf(event)];
    };
    const thrown = await compare({ ...sides, old: { name: "old", read } }, span, OPTIONS).catch(
      (error: unknown) => error,
    );
    expect(isHearthlineError(thrown) && thrown.code).toBe("old_malformed");
    const stopped = compare(sidesOf({ old: [], new: [event] }), span, { ...OPTIONS, signal: AbortSignal.abort() });
    await expect(stopped).rejects.toThrow(Stopped);
  });

  it("asks nothing of entities that are left out", async () => {
    const sides = {
      ...sidesOf({ old: [], new: [event] }),
      isLeftOut: (entityId: string) => entityId.startsWith("light."),
    };
    expect(countedOf((await compare(sides, span, OPTIONS)).counts)).toBe(0);
  });
});

describe("a difference", () => {
  const account: LossAccount = { spans: [], wholeFromUs: 0 };
  const event = buildEvent();
  const row = (given: Parameters<typeof buildEvent>[0] = {}) => {
    const made = buildEvent(given);
    return { row: made, said: { entityId: made.entityId, atUs: made.atUs, text: made.state } };
  };
  const finding = (kind: Finding["kind"], sides: Partial<Finding>): Finding => ({
    kind,
    entityId: event.entityId,
    atUs: event.atUs,
    ...sides,
  });
  const named = (found: Finding, given: Partial<LossAccount> = {}, limits = NO_LIMITS) =>
    classify(found, { limits, account: { ...account, ...given }, foundUs: 5 });

  it("says who lost the row: by a record of it, else by what the ledger knows", () => {
    const missing = finding("missing-in-new", { old: row() });
    const span = {
      by: "relay",
      fromUs: event.atUs,
      toUs: event.atUs + 1,
      reason: "relay_stopped, incomplete",
    } as const;
    expect(named(missing, { spans: [span] })).toMatchObject({ class: "missing-in-new", lostBy: "relay", old: "on" });
    expect(named(missing, { spans: [{ ...span, toUs: event.atUs }] })).toMatchObject({ lostBy: "new" });
    expect(named(missing, { spans: [{ ...span, by: "old" }] })).toMatchObject({ lostBy: "new" });
    const { wholeFromUs: _, ...unsure } = account;
    expect(classify(missing, { limits: NO_LIMITS, account: unsure, foundUs: 5 })).toMatchObject({ lostBy: "unknown" });
    expect(named(missing, { wholeFromUs: event.atUs + 1 })).toMatchObject({ lostBy: "unknown" });
    expect(named(finding("missing-in-old", { new: row() }))).toMatchObject({
      class: "missing-in-old",
      lostBy: "old",
      new: "on",
    });
  });

  it("names the field, and shows both values of it", () => {
    const other = (given: Parameters<typeof buildEvent>[0], limits = NO_LIMITS) =>
      named(finding("different", { old: row(given), new: row() }), {}, limits);
    const full = { ...NO_LIMITS, attributes: "full", hasLastChanged: true } as const;
    expect(other({ state: "off" }, full)).toMatchObject({ field: "state", old: "off", new: "on" });
    expect(other({ attributes: { friendly_name: "Other" } }, full)).toMatchObject({
      ...{ field: "attributes.friendly_name", old: '"Other"', new: '"Bed light"' },
    });
    expect(other({ lastChangedUs: 0 }, full)).toMatchObject({
      field: "last_changed",
      old: "1970-01-01T00:00:00.000000+00:00",
    });
    expect(other({ state: "x".repeat(255) }).old?.length).toBe(120);
  });

  it("that OLD could not help is a known limit, said in words", () => {
    for (const kind of ["duplicate", "one-stamp", "start"] as const)
      expect(named(finding(kind, { new: row() }), {}, INFLUX_LIMITS)).toMatchObject({ class: "known-limit" });
  });
});

describe("what the ledger knows", () => {
  const atUs = (text: string) => Date.parse(text) * 1_000;
  const relay = {
    ...emptyLedgerRow("r1"),
    ranges: [[1, 9]],
    firstAt: "2026-11-01T00:00:00.000Z",
    lastSentAt: "2026-11-22T06:00:00.000Z",
    updatedAt: "2026-11-22T06:00:01.000Z",
  } as const;
  const factsOf = (...rows: readonly (typeof relay)[]) =>
    createLedgerFacts({
      ledger: { rows: async () => rows, arrived: async () => [], record: async () => relay },
      oldLagSeconds: async () => 90,
      nowUs: () => atUs("2026-11-22T06:10:00.000Z"),
    });

  it("is up to when each side was given everything: not behind a hole, and less OLD's lag", async () => {
    expect(await factsOf(relay).settledUs("home")).toEqual({
      new: atUs(relay.lastSentAt),
      old: atUs("2026-11-22T06:08:30.000Z"),
    });
    const holed = { ...relay, gapSince: "2026-11-22T05:00:00.000Z" };
    expect((await factsOf(holed).settledUs("home")).new).toBe(atUs(holed.gapSince));
    expect(await factsOf({ ...relay, relayId: "import-1" as "r1" }).settledUs("home")).not.toHaveProperty("new");
  });

  it("is whole without losses, and names the gaps that were not filled", async () => {
    expect(await factsOf(relay).account("home")).toEqual({ spans: [], wholeFromUs: atUs(relay.firstAt) });
    const lossy = { ...relay, lost: [{ first: 1, last: 1, count: 1, reason: "full" }] } as unknown as typeof relay;
    expect(await factsOf(lossy).account("home")).not.toHaveProperty("wholeFromUs");
    const gap = {
      n: 5,
      from: "2026-11-20T00:00:00.000Z",
      to: "2026-11-20T01:00:00.000Z",
      cause: "relay_stopped",
      entities: 1,
      recovered: 0,
      statistics: 0,
      complete: false,
      missing: [],
    };
    const interruptions = { ...relay.notes.interruptions, recent: [gap, { ...gap, n: 6, complete: true }] };
    const gapped = { ...relay, notes: { ...relay.notes, interruptions } } as unknown as typeof relay;
    expect((await factsOf(gapped).account("home")).spans).toEqual([
      { by: "relay", fromUs: atUs(gap.from), toUs: atUs(gap.to) + 1, reason: "relay_stopped, incomplete" },
    ]);
  });
});
