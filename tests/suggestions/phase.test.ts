import { beforeEach, describe, expect, it } from "vitest";
import { createMemorySuggestionStore } from "../../lib/adapters/memory/suggestions.ts";
import { newJob } from "../../lib/analysis/index.ts";
import {
  type SuggestionStore,
  type SuggestionsPhaseOptions,
  settle,
  suggestionsPhase,
} from "../../lib/suggestions/index.ts";
import { pattern } from "./samples.ts";

const NIGHT_MS = Date.UTC(2026, 10, 22, 2);
const job = newJob("home", { kind: "daily", date: "2026-11-21" }, NIGHT_MS);
const by = { at: "2026-11-22T01:00:00.000Z", by: "api" };

describe("the phase suggestions", () => {
  let suggestions: SuggestionStore;
  let learned = [pattern()];
  beforeEach(() => {
    suggestions = createMemorySuggestionStore();
    learned = [pattern()];
  });
  const night = (more: Partial<SuggestionsPhaseOptions> = {}, signal = new AbortController().signal) =>
    suggestionsPhase({
      patterns: { list: async () => learned },
      suggestions,
      index: { list: async () => [] },
      excluded: () => false,
      clock: { nowMs: () => NIGHT_MS },
      log: { warn: () => {} },
      ...more,
    }).run(job, "UTC", { signal, remainingMs: () => 1_000 });
  const decide = (what: "accept" | "dismiss") =>
    suggestions.change("home", (there) => there.map((one) => settle(one, { what }, by)));

  it("leaves a person's decision as it is that comes while it works", async () => {
    await night();
    expect(await suggestions.list("home")).toMatchObject([{ id: "p-abc", status: "new", rank: 1 }]);
    for (const [what, status] of [
      ["dismiss", "dismissed"],
      ["accept", "accepted"],
    ] as const) {
      const rephrase = async () => {
        await decide(what);
        return undefined;
      };
      expect(await night({ writer: { rephrase } })).toMatchObject({ drafts: 1, told: 0 });
      expect(await suggestions.list("home")).toMatchObject([{ status }]);
      if (what === "dismiss")
        await suggestions.change("home", (there) => there.map((one) => ({ ...one, status: "new" })));
    }
  });

  it("writes nothing when its time is over", async () => {
    const stop = new AbortController();
    const rephrase = async () => {
      stop.abort();
      return undefined;
    };
    await expect(night({ writer: { rephrase } }, stop.signal)).rejects.toThrow(/abort/i);
    expect(await suggestions.list("home")).toEqual([]);
  });

  it("keeps an accepted one whose pattern has ended or was renamed, and tells the new one only if it is another habit", async () => {
    await night();
    await decide("accept");
    learned = [pattern({ status: "ended" })];
    expect(await night()).toMatchObject({ drafts: 0, told: 0 });
    expect(await suggestions.list("home")).toMatchObject([{ id: "p-abc", status: "accepted", outcome: "waiting" }]);
    learned = [pattern({ id: "new", at: "07:10" }), pattern({ id: "evening", at: "19:10" })];
    await night();
    expect((await suggestions.list("home")).map(({ id }) => id)).toEqual(["p-evening", "p-abc"]);
  });
});
