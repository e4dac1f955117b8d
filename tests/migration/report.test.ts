import { describe, expect, it } from "vitest";
import { planSchema } from "../../lib/migration/plan.ts";
import { downtimeSeconds, readsOver } from "../../lib/migration/read-figures.ts";
import { checksumOf, isReportWhole, type ReportParts, reportOf } from "../../lib/migration/report.ts";
import { changed, newMigration } from "../../lib/migration/row.ts";
import type { AuditEntry, CheckResult, Difference, ReadPair } from "../../lib/migration/types.ts";
import { reportPage } from "../../lib/web/report-page.ts";

const NOW_US = 1_764_000_000_000_000;
const SECOND_US = 1_000_000;
const PLAN = planSchema.parse({ old: { kind: "http", url: "http://old.local/<x>" } });
const check = (given: Partial<CheckResult> = {}): CheckResult => ({
  ...{ name: "consistency", verdict: "pass", observed: 0, limit: 0, sampleSize: 1_000, explanation: "All equal." },
  ...given,
});
const difference = (given: Partial<Difference> = {}): Difference => ({
  ...{ class: "missing-in-new", entityId: "light.a", atUs: NOW_US, foundUs: NOW_US, explanation: "Not there." },
  ...given,
});
const pair = (second: number, given: Partial<ReadPair> = {}): ReadPair => ({
  ...{ atUs: NOW_US + second * SECOND_US, by: "probe", query: "range", oldMs: 10, newMs: 9, rows: 1, isEqual: true },
  ...given,
});

/** Prepared for 10 s, dual write for 20 s, and then it came back. */
function parts(given: Partial<ReportParts> = {}): ReportParts {
  const by = { actor: "validate-migration", reason: "As the checks say." };
  const begun = newMigration(PLAN, { homeId: "home", id: "m", salt: "s", nowUs: NOW_US, actor: "anna" });
  const audit: AuditEntry[] = [];
  const step = (from: typeof begun, change: object) => {
    const next = changed(from, { ...by, nowUs: NOW_US, ...change });
    if (next.lastChange) audit.push(next.lastChange);
    return next;
  };
  if (begun.lastChange) audit.push(begun.lastChange);
  const one = step(begun, { state: "dual_write", nowUs: NOW_US + 10 * SECOND_US, evidence: [check()] });
  const two = step(one, { row: { readers: { grafana: "old" } }, nowUs: NOW_US + 15 * SECOND_US });
  const failed = check({ verdict: "fail", sampleSize: 4_000, explanation: "One differs.", trigger: "inconsistency" });
  const last = step(two, { state: "rolled_back", nowUs: NOW_US + 30 * SECOND_US, evidence: [failed] });
  return {
    migration: last,
    audit,
    differences: {
      count: { "missing-in-new": 3, "missing-in-old": 1, different: 0, late: 0, "known-limit": 2 },
      examples: [
        difference(),
        difference({ atUs: NOW_US + 1, isRepaired: true }),
        ...[2, 3].map((us) => difference({ class: "known-limit", atUs: NOW_US + us, explanation: "nan is refused" })),
      ],
    },
    pairs: [],
    ledger: { first_sequence: 1, last_sequence: 9, gaps: [], lost_records: 0 },
    nowUs: NOW_US + 60 * SECOND_US,
    ...given,
  };
}

describe("a report", () => {
  it("has each stage with its time and what was found when it was left, readers' moves being none", () => {
    const { stages, history } = reportOf(parts());
    expect(stages.map(({ state, seconds, verdict }) => [state, seconds, verdict])).toEqual([
      ["prepared", 10, "pass"],
      ["dual_write", 20, "fail"],
      ["rolled_back", 0, "inconclusive"],
    ]);
    expect(history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
  });

  it("counts a loss once, repaired ones not, and rows by the largest comparison", () => {
    const { figures, differences, known_limits: limits } = reportOf(parts());
    expect(figures).toMatchObject({ lost_events: 2, rows_compared: 4_000, consistent_percent: 99.925 });
    expect(differences).toMatchObject({ repaired: 1, known_limit: 2 });
    expect(differences.examples).toHaveLength(2);
    expect(limits).toEqual([{ explanation: "nan is refused", count: 2 }]);
    const found = parts();
    const loss = check({ name: "loss", verdict: "fail", observed: 7, sampleSize: 9 });
    expect(reportOf({ ...found, migration: { ...found.migration, checks: [loss] } }).figures.lost_events).toBe(7);
    const nothing = { "missing-in-new": 0, "missing-in-old": 0, different: 0, late: 0, "known-limit": 0 };
    expect(reportOf({ ...found, differences: { count: nothing, examples: [] } }).figures).toMatchObject({
      lost_events: 0,
      consistent_percent: 100,
    });
  });

  it("has a checksum that any change breaks, and the order of members does not", () => {
    const report = reportOf(parts());
    expect(isReportWhole(report)).toBe(true);
    const turned = Object.fromEntries(Object.entries(JSON.parse(JSON.stringify(report))).reverse());
    expect(isReportWhole(turned)).toBe(true);
    expect(isReportWhole({ ...report, figures: { ...report.figures, lost_events: 0 } })).toBe(false);
    for (const wrong of [{ ...report, more: 1 }, { ...report, checksum: "" }, {}, null, "x"])
      expect(isReportWhole(wrong)).toBe(false);
    expect(checksumOf({ b: [1, { d: 2, c: undefined }], a: null })).toBe(checksumOf({ a: null, b: [1, { d: 2 }] }));
    expect(checksumOf({ a: [] })).not.toBe(checksumOf({ a: {} }));
  });

  it("is a page that loads and runs nothing, with every text of a home as text", () => {
    const evil = `"><img src=x onerror=alert(1)><script>'&`;
    const found = parts({ pairs: [1, 2, 3, 4, 5, 6].map((second) => pair(second, { query: evil })) });
    const report = {
      signature: null,
      ...reportOf({
        ...found,
        migration: { ...found.migration, homeId: evil, checks: [check({ name: evil, explanation: evil })] },
        audit: found.audit.map((entry) => ({ ...entry, actor: evil, reason: evil })),
        differences: {
          ...found.differences,
          examples: [difference({ entityId: evil, old: evil, new: evil, field: evil })],
        },
        ledger: { ...found.ledger, gaps: [{ relay_id: evil, first: 2, last: 3 }] },
      }),
    };
    const { html, policy } = reportPage(report);
    expect(html).not.toContain("<img");
    expect(html).not.toContain("<script");
    expect(html).not.toMatch(/\s(?:src|srcset|action|on\w+)=["']/);
    expect([...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href?.slice(0, 5))).toEqual(["data:"]);
    expect(policy).not.toContain("script-src");
    expect([...html.matchAll(/<svg[^>]*role="img"/g)].length).toBe(3);
    expect(html).toContain(report.checksum);
  });
});

describe("reads over time", () => {
  it("are figures of each span, each kind of read by itself", () => {
    const pairs = [
      ...[0, 1, 2, 3, 4].map((second) => pair(second, { newMs: second % 2 ? 20 : 5 })),
      pair(52, { query: "latest", newMs: 30 }),
      pair(53, { query: "latest", isEqual: false, newMs: 30 }),
      pair(500),
    ];
    const spans = readsOver(pairs, { fromUs: NOW_US, toUs: NOW_US + 100 * SECOND_US, spans: 10 });
    expect(spans.map(({ query, pairs: count, unequal }) => [query, count, unequal])).toEqual([
      ["latest", 2, 1],
      ["range", 5, 0],
    ]);
    expect(spans[0]).toMatchObject({ low: null, high: null, new_p95_ms: 30 });
    expect(spans[0]?.ratio).toBeCloseTo(3, 9);
    // Two twice as slow, three twice as fast: ln 2 times -1/5; its interval by Student's t of 4 degrees, 2.776.
    const sd = Math.log(2) * Math.sqrt((2 * 1.2 ** 2 + 3 * 0.8 ** 2) / 4);
    expect(spans[1]?.ratio).toBeCloseTo(2 ** -0.2, 9);
    const half = Math.log(spans[1]?.high ?? 0) + 0.2 * Math.log(2);
    expect(Math.abs(half / ((2.776 * sd) / Math.sqrt(5)) - 1)).toBeLessThan(0.02);
  });

  it("of no pair are none, and of pairs without two answers have no ratio", () => {
    const over = { fromUs: NOW_US, toUs: NOW_US, spans: 10 };
    expect(readsOver([], over)).toEqual([]);
    const { newMs: _, ...half } = pair(0);
    expect(readsOver([{ ...half, newError: "x" }], over)).toMatchObject([
      { ratio: null, new_errors: 1, new_p95_ms: null },
    ]);
  });

  it("are down from a read that neither answered to the next that got an answer", () => {
    const none = { oldError: "x", newError: "y" };
    expect(downtimeSeconds([pair(0), pair(10, { newError: "x" }), pair(20, { oldError: "x" })])).toBe(0);
    expect(downtimeSeconds([pair(30), pair(10, none), pair(0), pair(12, none), pair(15), pair(40, none)])).toBe(5);
    expect(downtimeSeconds([pair(40, none), pair(45, none)])).toBe(5);
  });
});
