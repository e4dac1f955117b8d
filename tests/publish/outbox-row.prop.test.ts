import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { OutboxOutcome } from "../../lib/event/index.ts";
import {
  addToRow,
  emptyOutboxRow,
  OUTBOX_ENTRIES_MAX,
  OUTBOX_PENDING_MAX,
  OUTBOX_ROW_MAX_BYTES,
  type OutboxRow,
  pageOfRow,
  settleInRow,
} from "../../lib/publish/ports.ts";
import { runs } from "../support/depth.ts";

const add = (row: OutboxRow, at: number, seconds = 1_000) =>
  addToRow(row, {
    homeId: "home",
    kind: "mqtt",
    unique: `u${at}`,
    createdAtMs: at,
    expiresAtMs: at + seconds,
    message: { topic: `hearthline/${at}`, payload: "x".repeat(at % 7), qos: 1, retain: false },
  });

const outcome: fc.Arbitrary<OutboxOutcome> = fc.record({
  status: fc.constantFrom("delivered" as const, "failed" as const),
  attempts: fc.nat(9),
});

describe("a row of the outbox", () => {
  it("comes to the same status in whatever order, and however often, it is told", () => {
    fc.assert(
      fc.property(fc.array(outcome, { minLength: 1, maxLength: 6 }), fc.nat(2_000), (outcomes, nowMs) => {
        const { row, entry } = add(emptyOutboxRow, 1);
        const told = (order: readonly OutboxOutcome[]) =>
          order.reduce((now, one) => settleInRow(now, entry.id, { ...one, nowMs }).row, row).entries[0]?.status;
        const expected = outcomes.some(({ status }) => status === "delivered") ? "delivered" : "failed";
        expect(told(outcomes)).toBe(expected);
        expect(told(outcomes.toReversed())).toBe(expected);
        expect(told([...outcomes, ...outcomes])).toBe(expected);
      }),
    );
  });

  it("takes no more questions for the recorder than leave room for what the house is to be told, and each once while it waits", () => {
    const ask = (row: OutboxRow, at: number, entityIds: readonly string[]) =>
      addToRow(row, {
        ...{ homeId: "home", kind: "refetch", unique: `u${at}`, createdAtMs: at, expiresAtMs: at + 1_000_000 },
        refetch: { entity_ids: [...entityIds], from: "2026-11-22T06:00:00Z", to: "2026-11-22T07:00:00Z" },
      });
    const fill = (entityIds: (at: number) => string[]) => {
      let row = emptyOutboxRow;
      for (let at = 0; at < 1_000; at++) {
        try {
          row = ask(row, at, entityIds(at)).row;
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: "outbox_full" });
          break;
        }
      }
      expect(add(row, 5_000).added).toBe(true);
      expect(Buffer.byteLength(JSON.stringify(row.entries))).toBeLessThanOrEqual(OUTBOX_ROW_MAX_BYTES / 2);
      return row.entries.length;
    };
    expect(fill((at) => [`light.l${at}`])).toBe(OUTBOX_PENDING_MAX / 2);
    expect(fill((at) => Array.from({ length: 50 }, (_, n) => `light.${"x".repeat(240)}${at}_${n}`))).toBeLessThan(20);
    const { row, entry } = ask(emptyOutboxRow, 1, ["light.a"]);
    expect(ask(row, 2, ["light.a"])).toMatchObject({ row, entry: { id: entry.id }, added: false });
    expect(ask(row, 2, ["light.b"]).added).toBe(true);
  });

  it("never passes its bounds, never drops what waits, and never gives a number twice", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { minLength: 700, maxLength: 900 }), (steps) => {
        let row = emptyOutboxRow;
        const ids = new Set<string>();
        for (const [at, step] of steps.entries()) {
          const waiting = row.entries.filter(({ status }) => status === "pending");
          const oldest = waiting[0];
          if (waiting.length >= OUTBOX_PENDING_MAX || (step < 2 && oldest)) {
            if (oldest) row = settleInRow(row, oldest.id, { status: "delivered", attempts: 1, nowMs: at }).row;
          } else {
            const before = waiting.map(({ id }) => id);
            const made = add(row, at, 1_000_000);
            expect(ids.has(made.entry.id)).toBe(false);
            ids.add(made.entry.id);
            row = made.row;
            const kept = new Set(row.entries.map(({ id }) => id));
            expect(before.every((id) => kept.has(id))).toBe(true);
          }
          expect(row.entries.length).toBeLessThanOrEqual(OUTBOX_ENTRIES_MAX);
        }
        expect(row.entries.map(({ id }) => id)).toEqual(row.entries.map(({ id }) => id).toSorted());
      }),
      { numRuns: runs(4) },
    );
  });

  it("fits an item of the table whatever it is filled with, and goes on", () => {
    const bytesOf = (row: OutboxRow) => Buffer.byteLength(JSON.stringify(row.entries));
    // 4 bytes each in UTF-8, and different everywhere: nothing packs them.
    const topicOf = (at: number) =>
      `hearthline/${Array.from({ length: 122 }, (_, place) => String.fromCodePoint(0x1f300 + ((at * 7919 + place * 104_729) % 700))).join("")}`;
    const message = (at: number) => ({ topic: topicOf(at), payload: "", qos: 1 as const, retain: false });
    // A control character takes six bytes in JSON.
    const error = "\u0001".repeat(400);
    let row = emptyOutboxRow;
    let at = 0;
    for (let round = 0; round < 2; round++) {
      const ids: string[] = [];
      while (ids.length < OUTBOX_PENDING_MAX) {
        at += 1;
        const item = { homeId: "home", createdAtMs: at, expiresAtMs: at + 1e9, unique: `u${at}` };
        const made = addToRow(row, { ...item, kind: "mqtt", message: message(at) });
        row = made.row;
        ids.push(made.entry.id);
        expect(row.entries.filter(({ status }) => status === "pending")).toHaveLength(ids.length);
      }
      expect(bytesOf(row)).toBeLessThanOrEqual(OUTBOX_ROW_MAX_BYTES);
      for (const id of ids) row = settleInRow(row, id, { status: "failed", attempts: 1, error, nowMs: at }).row;
      expect(bytesOf(row)).toBeLessThanOrEqual(OUTBOX_ROW_MAX_BYTES);
    }
    expect(row.made).toBe(2 * OUTBOX_PENDING_MAX);
  });

  it("pages to the whole list, whatever the size of a page", () => {
    fc.assert(
      fc.property(fc.nat(40), fc.integer({ min: 1, max: 12 }), (count, limit) => {
        let row = emptyOutboxRow;
        for (let at = 0; at < count; at++) row = add(row, at).row;
        const paged: string[] = [];
        for (let after: string | undefined; ; ) {
          const page = pageOfRow(row, { nowMs: 0, limit, ...(after && { after }) });
          paged.push(...page.entries.map(({ id }) => id));
          if (page.next === undefined) break;
          after = page.next;
        }
        expect(paged).toEqual(row.entries.map(({ id }) => id));
      }),
    );
  });
});
