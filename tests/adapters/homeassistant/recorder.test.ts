import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HaCommandError } from "../../../lib/adapters/homeassistant/commands.ts";
import { readLogbookAnswer } from "../../../lib/adapters/homeassistant/logbook.ts";
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

  it("ask the logbook, a little wider, and read states, runs, and who made them", async () => {
    const user = "73fde49a6a214809905a1175131dee07";
    const run = "01M82WTM2HYY3CR6EE3XTX8JZK";
    const called = { context_event_type: "call_service", context_user_id: user };
    const automatic = { context_event_type: "automation_triggered", context_domain: "automation", context_name: "LB" };
    // As 2024.3.3 and (with run_id, and the user of what a run did) 2026.11.0 answered.
    const { messages, getLogbook } = asked([
      { when: 9.999999, state: "on", entity_id: "light.before" },
      { when: 10, state: "on", entity_id: "light.touched" },
      { when: 10.5, state: "on", entity_id: "light.a", ...called, context_domain: "light", context_service: "turn_on" },
      {
        when: 11,
        state: "on",
        entity_id: "switch.ac",
        ...automatic,
        context_entity_id: "automation.lb",
        context_user_id: user,
      },
      {
        when: 12,
        entity_id: "automation.lb",
        name: "LB",
        message: "triggered",
        domain: "automation",
        context_id: run,
        run_id: "8",
      },
      {
        when: 13,
        state: "on",
        entity_id: "light.b",
        ...called,
        context_domain: "script",
        context_service: "relay_lights",
      },
      { when: 14, state: "on", entity_id: "light.c", ...called, context_domain: "script", context_service: "turn_on" },
      {
        when: 15,
        state: "off",
        entity_id: "script.s",
        ...called,
        context_domain: "script",
        context_service: "turn_off",
      },
      { when: 16, state: "on", entity_id: "light.d", context_entity_id: "light.member", context_state: "on" },
      { when: 17, entity_id: "light.e", name: "by hand", message: "was seen", domain: "light" },
      { when: "17", state: "on", entity_id: "light.f" },
      { when: 20, state: "on", entity_id: "light.after" },
      null,
    ]);
    const window = { entityIds: ["light.a"], fromUs: 10_000_000, toUs: 20_000_000 };
    expect(await getLogbook(window)).toEqual([
      { entityId: "light.touched", atUs: 10_000_000, state: "on" },
      { entityId: "light.a", atUs: 10_500_000, state: "on", userId: user, call: "light.turn_on" },
      { entityId: "switch.ac", atUs: 11_000_000, state: "on", userId: user, run: { entityId: "automation.lb" } },
      { entityId: "automation.lb", atUs: 12_000_000, contextId: run },
      { entityId: "light.b", atUs: 13_000_000, state: "on", userId: user, run: { entityId: "script.relay_lights" } },
      { entityId: "light.c", atUs: 14_000_000, state: "on", userId: user, run: {} },
      { entityId: "script.s", atUs: 15_000_000, state: "off", userId: user, call: "script.turn_off" },
      { entityId: "light.d", atUs: 16_000_000, state: "on" },
    ]);
    expect(messages).toEqual([
      {
        type: "logbook/get_events",
        start_time: formatIsoUs(9_999_999),
        end_time: formatIsoUs(20_000_001),
        entity_ids: ["light.a"],
      },
    ]);
    expect(await getLogbook({ ...window, entityIds: [] })).toEqual([]);
  });

  it("know a Home Assistant without a logbook from one whose logbook fails", async () => {
    const window = { entityIds: ["light.a"], ...ALWAYS };
    const refused = (code: string) => asked(new HaCommandError("logbook/get_events", code, "no")).getLogbook(window);
    expect(await refused("unknown_command")).toBeUndefined();
    await expect(refused("unknown_error")).rejects.toMatchObject({ code: "home_assistant_command_failed" });
    await expect(asked({}).getLogbook(window)).rejects.toMatchObject({ code: "home_assistant_command_failed" });
  });

  it("never break on what is no answer: they read it, or say that it cannot be used", () => {
    for (const read of [readHistoryAnswer, readStatisticsAnswer, readLogbookAnswer])
      fc.assert(
        fc.property(fc.jsonValue(), (answer) => {
          try {
            expect(read(answer, ALWAYS)).toBeInstanceOf(read === readLogbookAnswer ? Array : Map);
          } catch (thrown) {
            expect(thrown).toMatchObject({ code: "home_assistant_command_failed" });
          }
        }),
      );
  });
});
