import { describe, expect, it } from "vitest";
import { createMemoryAggregateStore } from "../../lib/adapters/memory/aggregates.ts";
import { createMemoryLedger } from "../../lib/adapters/memory/ledger.ts";
import { createMemoryPatternStore } from "../../lib/adapters/memory/patterns.ts";
import type { Job } from "../../lib/analysis/ports.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { publishPhase } from "../../lib/publish/index.ts";
import type { Figures } from "../../lib/publish/ports.ts";
import { pattern } from "../suggestions/samples.ts";
import { manualClock } from "../support/manual-clock.ts";

const job = { homeId: "home", date: "2026-11-21", kind: "daily" } as Job;
const time = { signal: new AbortController().signal, remainingMs: () => 1_000 };

function start(
  show: (homeId: string, news?: { readonly figures?: Figures; readonly again?: boolean }) => number,
  reaches = true,
) {
  const clock = manualClock();
  const parts = {
    patterns: createMemoryPatternStore(),
    aggregates: createMemoryAggregateStore({ clock }),
    ledger: createMemoryLedger(clock),
  };
  const display = {
    reaches: async () => reaches,
    show: async (...news: Parameters<typeof show>) => show(...news),
    refresh: async () => 0,
  };
  return { ...parts, run: () => publishPhase({ ...parts, display, clock }).run(job, "UTC", time) };
}

describe("the phase publish", () => {
  it("tells the house everything, also of an empty home", async () => {
    const told: unknown[] = [];
    const { run } = start((homeId, news) => told.push({ homeId, ...news }));
    expect(await run()).toEqual({ messages: 1 });
    expect(told).toEqual([
      {
        homeId: "home",
        again: true,
        figures: {
          date: "2026-11-21",
          patterns: 0,
          last_run: "2026-11-22T06:00:00.000Z",
          events_day: null,
          events_day_before: null,
          ledger_complete: "yes",
        },
      },
    ]);
  });

  it("counts active patterns, and says that a record is missing", async () => {
    let figures: Figures | undefined;
    const { run, patterns, ledger } = start((_, news) => {
      figures = news?.figures;
      return 3;
    });
    await patterns.change("home", () => [pattern(), pattern({ id: "old", status: "ended" })]);
    await ledger.record("home", "relay", [{ range: [1, 5] }]);
    await ledger.record("home", "relay", [{ range: [8, 9] }]);
    expect(await run()).toEqual({ messages: 3 });
    expect(figures).toMatchObject({ patterns: 1, ledger_complete: "no" });
  });

  it("says that there is no broker, and asks for nothing that only one could do", async () => {
    const told: unknown[] = [];
    const { run } = start((...news) => told.push(news), false);
    expect(await run()).toEqual({ messages: 0, without_broker: 1 });
    expect(told).toEqual([]);
  });

  it("fails alone when the outbox takes nothing", async () => {
    const { run } = start(() => {
      throw new HearthlineError("outbox_full", "300 wait");
    });
    await expect(run()).rejects.toMatchObject({ code: "outbox_full" });
  });
});
