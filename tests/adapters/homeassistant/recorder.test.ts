import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HaCommandError } from "../../../lib/adapters/homeassistant/commands.ts";
import {
  readHistoryAnswer,
  readStatisticsAnswer,
  recorderQuestions,
} from "../../../lib/adapters/homeassistant/recorder.ts";
import { formatIsoUs } from "../../../lib/base/time.ts";
import { framesOf, RECORDED_VERSIONS } from "./replay.ts";

const ALWAYS = { fromUs: 0, toUs: 4_000_000_000_000_000 };

interface Sample {
  readonly sent?: Record<string, unknown>;
  readonly received?: { readonly result: Record<string, { s: string | null; lu: number; lc?: number }[]> };
}

/** The questions, with a Home Assistant that gives this answer; what it was asked. */
function asked(answer: unknown) {
  const messages: Record<string, unknown>[] = [];
  const ask = async (message: Record<string, unknown>) => {
    messages.push(message);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { messages, ...recorderQuestions(ask) };
}

describe.each(RECORDED_VERSIONS)("the history that Home Assistant %s gave", (version) => {
  const frames = framesOf(version, "18-history-lossless") as readonly Sample[];
  const result = frames.find(({ received }) => received)?.received?.result ?? {};

  it("is read row by row: states, removals, attributes, both times", () => {
    const read = readHistoryAnswer(result, ALWAYS);
    expect([...read.keys()]).toEqual(Object.keys(result).filter((id) => (result[id] ?? []).length > 0));
    const rows = [...read.values()].flat();
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.some(({ state }) => state === null)).toBe(true);
    expect(rows.some(({ lastChangedUs, lastUpdatedUs }) => lastChangedUs < lastUpdatedUs)).toBe(true);
    for (const { lastChangedUs, lastUpdatedUs } of rows) {
      expect(Number.isSafeInteger(lastUpdatedUs) && Number.isSafeInteger(lastChangedUs)).toBe(true);
      expect(lastChangedUs).toBeLessThanOrEqual(lastUpdatedUs);
    }
  });

  it("was asked for as we ask", async () => {
    const { sent } = frames[0] ?? {};
    const { messages, getHistory } = asked({});
    await getHistory({ entityIds: ["a.b"], fromUs: 1_000_000, toUs: 2_000_000 });
    const flags = Object.fromEntries(Object.entries(sent ?? {}).filter(([, value]) => value === false));
    expect(messages[0]).toMatchObject({ type: sent?.type, ...flags });
    expect(Object.keys(flags)).toHaveLength(4);
  });
});

describe("questions to the recorder", () => {
  it("give of a window what is in it: the start included, the end not", async () => {
    const { messages, getHistory } = asked({ "a.b": [0, 1, 2, 3].map((second) => ({ s: "1", a: {}, lu: second })) });
    const rows = await getHistory({ entityIds: ["a.b"], fromUs: 1_000_000, toUs: 3_000_000 });
    expect(rows.get("a.b")?.map(({ lastUpdatedUs }) => lastUpdatedUs)).toEqual([1_000_000, 2_000_000]);
    // Home Assistant leaves out what is equal to the start.
    expect(messages[0]).toMatchObject({ start_time: formatIsoUs(999_999), end_time: formatIsoUs(3_000_001) });
  });

  it("of nobody, or of no time, are not asked", async () => {
    const { messages, getHistory, getStatistics } = asked({});
    expect(await getHistory({ entityIds: [], fromUs: 0, toUs: 1 })).toEqual(new Map());
    expect(await getStatistics({ entityIds: ["a.b"], fromUs: 1, toUs: 1 })).toEqual(new Map());
    expect(messages).toEqual([]);
  });

  it("read hours of statistics", async () => {
    const hour = 1_795_327_200_000;
    const rows = {
      "a.b": [
        { start: hour, end: hour + 3_600_000, mean: 1.5, min: 1, max: 2, state: null, sum: null },
        { start: "x" },
      ],
    };
    const { messages, getStatistics } = asked(rows);
    const read = await getStatistics({ entityIds: ["a.b"], fromUs: hour * 1000, toUs: hour * 1000 + 1 });
    expect(read.get("a.b")).toEqual([
      { startUs: hour * 1000, endUs: (hour + 3_600_000) * 1000, mean: 1.5, min: 1, max: 2 },
    ]);
    expect(messages[0]).toMatchObject({
      type: "recorder/statistics_during_period",
      period: "hour",
      statistic_ids: ["a.b"],
    });
  });

  it.each([
    [
      { backlog: 5, recording: true, thread_running: true },
      { isRecording: true, backlog: 5 },
    ],
    [
      { backlog: 0, recording: false, thread_running: true },
      { isRecording: false, backlog: 0 },
    ],
    [
      { backlog: null, recording: true, thread_running: false },
      { isRecording: false, backlog: 0 },
    ],
    [new HaCommandError("recorder/info", "unknown_command", "Unknown command."), undefined],
  ])("know how the recorder is: %o", async (answer, info) => {
    expect(await asked(answer).getRecorder()).toEqual(info);
  });

  it.each([
    // As 2024.3.3, 2026.2.3 and 2026.11.0 answer after kill -9; after a clean stop there is no such row.
    [
      [
        { name: "homeassistant.components.demo", message: ["Ended unfinished session (id=1)"], timestamp: 1 },
        { name: "homeassistant.components.recorder.util", message: ["The system could not validate"], timestamp: 2 },
        {
          name: "homeassistant.components.recorder.util",
          message: ["Ended unfinished session (id=2 from 2026-11-22 17:45:20.207898)"],
          level: "WARNING",
          timestamp: 1_795_369_529.2716713,
        },
      ],
      1_795_369_529_271_671,
    ],
    [
      [{ name: "homeassistant.components.recorder", message: "Ended unfinished session (id=2)", timestamp: 2 }],
      2_000_000,
    ],
    [[{ name: "homeassistant.components.recorder.util", message: ["Ended unfinished session"] }], undefined],
    [[null, 7, {}], undefined],
    [{}, undefined],
    [new HaCommandError("system_log/list", "unauthorized", "Unauthorized"), undefined],
  ])("know whether the run before was cut off: %o", async (answer, atUs) => {
    expect(await asked(answer).getCutOff()).toBe(atUs);
  });

  it("never break on what is no answer: they read it, or say that it cannot be used", () => {
    for (const read of [readHistoryAnswer, readStatisticsAnswer])
      fc.assert(
        fc.property(fc.jsonValue(), (answer) => {
          try {
            expect(read(answer, ALWAYS)).toBeInstanceOf(Map);
          } catch (thrown) {
            expect(thrown).toMatchObject({ code: "home_assistant_command_failed" });
          }
        }),
      );
  });
});
