import { describe, expect, it } from "vitest";
import type { GapNote, LedgerEntry } from "../../lib/ingest/index.ts";
import { createTestApi, tokenText } from "../support/api.ts";
import { furnish } from "../support/api-requests.ts";
import { manualClock } from "../support/manual-clock.ts";

interface Page {
  readonly ledgers: readonly Record<string, unknown>[];
  readonly next: string | null;
}

async function setUp() {
  const api = await createTestApi({ clock: manualClock() });
  await furnish(api);
  const page = async (query = "", token = tokenText("home")) =>
    (await (await api.ask(`/api/v1/ledger${query}`, { token })).json()) as Page;
  return { ...api, page };
}

const gap = (n: number): GapNote => ({
  ...{ n, from: "2026-11-22T05:00:00Z", to: "2026-11-22T05:10:00Z", cause: "relay_stopped" },
  ...{ entities: 3, recovered: 12, statistics: 2, complete: false },
  missing: [{ reason: "purged", entities: 1, examples: ["light.a"] }],
});

describe("GET /api/v1/ledger", () => {
  it("says of each relay what arrived, what is missing, what was given up and what was interrupted", async () => {
    const { page, ledger } = await setUp();
    const lost = [{ first: 125, last: 129, count: 5, reason: "spool full" }];
    await ledger.record("home", "relay-1", [
      { range: [130, 140], rejected: [131], lost, gaps: [gap(132)], sentAt: "2026-11-22T05:58:00Z" },
      {
        range: [141, 150],
        gaps: [gap(150)],
        otherSinksLost: [{ n: 141, sink: "old", first: 7, last: 9, count: 3, reason: "full" }],
      },
      { range: [121, 122], unnumberedLost: [{ n: 122, first: 122, last: 122, count: 8, reason: "no disk" }] },
    ]);
    await ledger.record("home", "import-1", [{ range: [1, 4] }]);
    const { ledgers, next } = await page();
    expect(next).toBeNull();
    expect(ledgers.map(({ relay_id, kind }) => [relay_id, kind])).toEqual([
      ["import-1", "import"],
      ["relay-1", "relay"],
    ]);
    const { n: _, ...wire } = gap(0);
    expect(ledgers[1]).toEqual({
      relay_id: "relay-1",
      kind: "relay",
      first_at: "2026-11-22T06:00:00.000Z",
      last_sent_at: "2026-11-22T05:58:00.000Z",
      complete_up_to: 122,
      last_sequence: 150,
      gaps: [{ first: 123, last: 124 }],
      missing: 2,
      lost: [
        { first: 122, last: 122, count: 8, reason: "no disk" },
        { first: 125, last: 129, count: 5, reason: "spool full" },
      ],
      lost_records: 13,
      interruptions: {
        ...{ count: 2, recovered: 24, statistics: 4, incomplete: 2 },
        recent: [
          { ...wire, sequence: 150 },
          { ...wire, sequence: 132 },
        ],
      },
      other_sinks_lost: {
        events: 3,
        recent: [{ sequence: 141, sink: "old", first: 7, last: 9, count: 3, reason: "full" }],
      },
      records: 143,
      rejected: 1,
      duplicates: 0,
      updated_at: "2026-11-22T06:00:00.000Z",
    });
  });

  it("gives pages of at most 10", async () => {
    const { page, ask, ledger } = await setUp();
    for (let relay = 10; relay < 35; relay++) await ledger.record("home", `r${relay}`, [{ range: [1, 1] }]);
    const ids: unknown[] = [];
    for (let next: string | null = ""; next !== null; ) {
      const got: Page = await page(next && `?cursor=${next}`);
      expect(got.ledgers.length).toBeLessThanOrEqual(10);
      ids.push(...got.ledgers.map(({ relay_id }) => relay_id));
      next = got.next;
    }
    expect(ids).toEqual([...Array.from({ length: 25 }, (_, at) => `r${at + 10}`), "relay-1"].sort());
    expect((await page("?limit=3")).ledgers).toHaveLength(3);
    expect((await ask("/api/v1/ledger?limit=11")).status).toBe(400);
  });

  it("names what the health only counts", async () => {
    const { page, ask, ledger } = await setUp();
    const entries = Array.from({ length: 60 }, (_, at): LedgerEntry => {
      const n = 200 + at * 2;
      return { range: [n, n], gaps: [gap(n)] };
    });
    await ledger.record("home", "relay-1", entries);
    const [whole] = (await page()).ledgers as [
      { gaps: unknown[]; interruptions: { recent: unknown[]; count: number } },
    ];
    expect([whole.gaps.length, whole.interruptions.recent.length, whole.interruptions.count]).toEqual([60, 50, 60]);
    const health = (await (await ask("/health")).json()) as { parts: { name: string; ledger: { gaps: unknown[] } }[] };
    expect(health.parts.find(({ name }) => name === "ledger:relay-1")?.ledger.gaps).toHaveLength(20);
  });

  it("shows nothing of another home, and nothing without a token", async () => {
    const { page, ask } = await setUp();
    expect((await page("", tokenText("other"))).ledgers).toEqual([]);
    expect((await ask("/api/v1/ledger", { token: null })).status).toBe(401);
  });
});
