import { describe, expect, it } from "vitest";
import { createHomeAssistantSource, type HistoryChunk } from "../../lib/history/index.ts";
import type { HaSession, HistoryQuery, HistoryRow, LogbookEntry, RecorderInfo } from "../../lib/relay/ports.ts";
import { second } from "../support/imports.ts";
import { manualClock } from "../support/manual-clock.ts";

const DAY = 86_400;
/** The day on which these tests play is the twentieth after the first row. */
const NOW_S = 20 * DAY;

function recorderOf(rows: Readonly<Record<string, readonly (readonly [seconds: number, state: string | null])[]>>) {
  const asked: HistoryQuery[] = [];
  const logbook: { asked: HistoryQuery[]; entries: readonly LogbookEntry[] | undefined } = { asked: [], entries: [] };
  let info: RecorderInfo | undefined = { isRecording: true, backlog: 0 };
  const session: Pick<HaSession, "getStates" | "getHistory" | "getLogbook" | "getRecorder" | "close"> = {
    getStates: async () => Object.keys(rows).map((entity_id) => ({ entity_id })),
    getHistory: async (query) => {
      asked.push(query);
      // As Home Assistant does.
      if (query.entityIds.length === 0) throw new Error("entity_ids must be provided");
      const found = new Map<string, HistoryRow[]>();
      for (const entityId of query.entityIds) {
        const inside = (rows[entityId] ?? [])
          .map(([seconds, state]) => ({
            state,
            attributes: {},
            lastChangedUs: second(seconds),
            lastUpdatedUs: second(seconds),
          }))
          .filter(({ lastUpdatedUs }) => lastUpdatedUs >= query.fromUs && lastUpdatedUs < query.toUs);
        if (inside.length > 0) found.set(entityId, inside);
      }
      return found;
    },
    getLogbook: async (query) => {
      logbook.asked.push(query);
      return logbook.entries?.filter(
        ({ entityId, atUs }) => query.entityIds.includes(entityId) && atUs >= query.fromUs && atUs < query.toUs,
      );
    },
    getRecorder: async () => info,
    close: async () => {},
  };
  return {
    asked,
    logbook,
    homeAssistant: { connect: async () => session as HaSession },
    set info(next: RecorderInfo | undefined) {
      info = next;
    },
  };
}

async function all(
  recorder: ReturnType<typeof recorderOf>,
  { nowS = NOW_S, position, ...more }: { nowS?: number; position?: unknown; fromUs?: number; toUs?: number } = {},
) {
  const clock = manualClock(second(nowS) / 1000);
  const source = createHomeAssistantSource({
    ...recorder,
    url: "http://ha:8123",
    clock,
    isIncluded: () => true,
    ...more,
  });
  const chunks: HistoryChunk[] = [];
  for await (const chunk of source.read(position, new AbortController().signal)) chunks.push(chunk);
  return {
    rows: chunks.flatMap(({ rows }) => rows.map(({ entityId, state }) => `${entityId} ${state}`)),
    contexts: chunks.flatMap(({ rows }) => rows.map(({ context }) => context)),
    position: chunks.at(-1)?.position,
    positions: chunks.map((chunk) => chunk.position),
    fraction: chunks.at(-1)?.fraction,
  };
}

describe("the history of a connected Home Assistant", () => {
  it("is asked for when there is nothing by which its beginning is found fast, and not at all of no entity", async () => {
    const recorder = recorderOf({ "sensor.a": [[12 * DAY, "1"]] });
    expect((await all(recorder)).rows).toEqual(["sensor.a 1"]);
    expect((await all(recorderOf({}))).rows).toEqual([]);
  });

  it("leaves what is younger than half a minute to the next time: it may not be written down yet", async () => {
    const recorder = recorderOf({
      "sensor.a": [
        [NOW_S - 31, "settled"],
        [NOW_S - 29, "young"],
      ],
    });
    const first = await all(recorder);
    expect(first.rows).toEqual(["sensor.a settled"]);
    expect((await all(recorder, { nowS: NOW_S + 10, position: first.position })).rows).toEqual(["sensor.a young"]);
  });

  it("is asked for day by day, entity by entity, once each, as far back as there is any", async () => {
    const recorder = recorderOf({
      "zone.home": [[5 * DAY, "0"]],
      "sensor.a": [
        [4.5 * DAY, "old"],
        [12 * DAY, "1"],
        [12.5 * DAY, null],
      ],
      "sensor.b": [[19.9 * DAY, "2"]],
    });
    const { rows, fraction } = await all(recorder);
    expect(rows).toEqual(["sensor.a old", "zone.home 0", "sensor.a 1", "sensor.a null", "sensor.b 2"]);
    expect(fraction).toBe(1);
  });

  it("goes on where it ended, and does not ask for what may not be written yet", async () => {
    const recorder = recorderOf({
      "sensor.a": [
        [NOW_S - 100, "1"],
        [NOW_S - 10, "2"],
      ],
    });
    const first = await all(recorder, { fromUs: second(NOW_S - 200) });
    expect(first.rows).toEqual(["sensor.a 1"]);
    expect((await all(recorder, { position: first.position })).rows).toEqual([]);
    expect((await all(recorder, { position: first.position, nowS: NOW_S + 60 })).rows).toEqual(["sensor.a 2"]);
  });

  it("goes on from any chunk with what was not read yet", async () => {
    const entities = Object.fromEntries(
      Array.from({ length: 45 }, (_, n) => [
        `sensor.s${n}`,
        [
          [18.5 * DAY, String(n)],
          [19.5 * DAY, String(n)],
        ] as const,
      ]),
    );
    const recorder = recorderOf(entities);
    const whole = await all(recorder, { fromUs: second(18 * DAY) });
    expect(whole.rows).toHaveLength(90);
    const counts: number[] = [];
    for (const position of whole.positions) counts.push((await all(recorder, { position })).rows.length);
    expect(counts).toEqual([70, 50, 45, 45, 25, 5, 0, 0]);
  });

  it("waits for a recorder that is behind, and says what is wrong with one that is not there", async () => {
    const recorder = recorderOf({ "sensor.a": [[NOW_S - 100, "1"]] });
    const clock = manualClock(second(NOW_S) / 1000);
    const source = createHomeAssistantSource({ ...recorder, url: "http://ha:8123", clock, isIncluded: () => true });
    recorder.info = { isRecording: true, backlog: 5 };
    const next = source.read(undefined, new AbortController().signal)[Symbol.asyncIterator]().next();
    const failed = next.catch((thrown: unknown) => thrown);
    await clock.advance(130_000);
    expect(await failed).toMatchObject({ code: "history_busy" });
    recorder.info = undefined;
    await expect(all(recorder)).rejects.toMatchObject({ code: "history_unreadable" });
  });

  describe("and its logbook", () => {
    const home = () =>
      recorderOf({
        "automation.follow": [[18 * DAY + 10, "on"]],
        "light.a": [
          [18 * DAY + 11, "on"],
          [18 * DAY + 12, "off"],
          [19 * DAY + 5, "on"],
        ],
        "sensor.a": [[18 * DAY + 13, "1"]],
      });
    const USER = "73fde49a6a214809905a1175131dee07";
    const run = { entityId: "automation.follow" };
    const ENTRIES: readonly LogbookEntry[] = [
      { entityId: "automation.follow", atUs: second(18 * DAY + 10), contextId: "RUN" },
      { entityId: "automation.follow", atUs: second(19 * DAY - 20), contextId: "LATE" },
      { entityId: "light.a", atUs: second(18 * DAY + 11), state: "on", run },
      { entityId: "light.a", atUs: second(18 * DAY + 12), state: "off", userId: USER },
      { entityId: "light.a", atUs: second(19 * DAY + 5), state: "on", run },
    ];

    it("say whose doing a change was, also of a run that began the day before", async () => {
      const recorder = home();
      recorder.logbook.entries = ENTRIES;
      const { rows, contexts } = await all(recorder, { fromUs: second(18 * DAY) });
      expect(rows).toEqual(["automation.follow on", "light.a on", "light.a off", "sensor.a 1", "light.a on"]);
      expect(contexts.map((context) => context && [context.id, context.user_id])).toEqual([
        undefined,
        ["RUN", null],
        [expect.any(String), USER],
        undefined,
        ["LATE", null],
      ]);
      // Once a day, and not of what nobody switches.
      expect(recorder.logbook.asked.map(({ entityIds }) => entityIds)).toEqual([
        ["automation.follow", "light.a"],
        ["automation.follow", "light.a"],
      ]);
    });

    it("need not be there: it is asked once, and the rows come without contexts", async () => {
      const recorder = home();
      recorder.logbook.entries = undefined;
      const { rows, contexts } = await all(recorder, { fromUs: second(18 * DAY) });
      expect(rows).toHaveLength(5);
      expect(contexts.every((context) => context === undefined)).toBe(true);
      expect(recorder.logbook.asked).toHaveLength(1);
    });
  });
});
