import { floatSecondsToUs, formatIsoUs, type Microseconds } from "../../base/time.ts";
import type { HaSession, HistoryQuery, HistoryRow, RecorderInfo, StatisticsRow } from "../../relay/ports.ts";
import { unusable } from "./answers.ts";
import { HaCommandError } from "./commands.ts";
import { logbookMessage, readLogbookAnswer } from "./logbook.ts";
import { isObject } from "./wire.ts";

type Ask = (message: Readonly<Record<string, unknown> & { type: string }>, deadlineMs?: number) => Promise<unknown>;

/** A small computer reads days of history from a slow card: such a question may take longer than others. */
const RECORDER_DEADLINE_MS = 120_000;

const HISTORY = "history/history_during_period";
const STATISTICS = "recorder/statistics_during_period";
const INFO = "recorder/info";
const LOG = "system_log/list";
/** What the recorder warns of when it starts and finds a run without an end; the same words in all releases that were tried. */
const RECORDER_LOGGER = "homeassistant.components.recorder";
const CUT_OFF = "Ended unfinished session";

/** The questions that the recorder answers. Internal to Home Assistant's frontend: they stand here alone. */
export function recorderQuestions(
  ask: Ask,
): Pick<HaSession, "getHistory" | "getStatistics" | "getLogbook" | "getRecorder" | "getCutOff"> {
  return {
    getHistory: async (query) => {
      if (isNothing(query)) return new Map();
      return readHistoryAnswer(await ask(historyMessage(query), RECORDER_DEADLINE_MS), query);
    },
    getStatistics: async (query) => {
      if (isNothing(query)) return new Map();
      return readStatisticsAnswer(await ask(statisticsMessage(query), RECORDER_DEADLINE_MS), query);
    },
    getLogbook: async (query) => {
      if (isNothing(query)) return [];
      try {
        return readLogbookAnswer(await ask(logbookMessage(query), RECORDER_DEADLINE_MS), query);
      } catch (thrown) {
        if (thrown instanceof HaCommandError && thrown.haCode === "unknown_command") return undefined;
        throw thrown;
      }
    },
    getRecorder: async () => {
      try {
        return readRecorderAnswer(await ask({ type: INFO }));
      } catch (thrown) {
        if (thrown instanceof HaCommandError) return undefined;
        throw thrown;
      }
    },
    getCutOff: async () => {
      try {
        return readCutOff(await ask({ type: LOG }));
      } catch (thrown) {
        if (thrown instanceof HaCommandError) return undefined;
        throw thrown;
      }
    },
  };
}

const isNothing = ({ entityIds, fromUs, toUs }: HistoryQuery): boolean => entityIds.length === 0 || fromUs >= toUs;

/**
 * Asked for with every flag that its defaults would leave something out by, and a microsecond wider on each side: Home Assistant compares
 * its floats, which are finer than a microsecond, and leaves out what is equal to the start.
 */
const historyMessage = ({ entityIds, fromUs, toUs }: HistoryQuery) => ({
  type: HISTORY,
  start_time: formatIsoUs(fromUs - 1),
  end_time: formatIsoUs(toUs + 1),
  entity_ids: entityIds,
  include_start_time_state: false,
  significant_changes_only: false,
  minimal_response: false,
  no_attributes: false,
});

const statisticsMessage = ({ entityIds, fromUs, toUs }: HistoryQuery) => ({
  type: STATISTICS,
  start_time: formatIsoUs(fromUs),
  end_time: formatIsoUs(toUs),
  statistic_ids: entityIds,
  period: "hour",
  types: ["mean", "min", "max", "state", "sum"],
});

/** Rows `{s, a, lu, lc?}`; `lc` where it differs from `lu`. One that is no row is left out. @throws HearthlineError `home_assistant_command_failed` */
export function readHistoryAnswer(
  answer: unknown,
  { fromUs, toUs }: Pick<HistoryQuery, "fromUs" | "toUs">,
): ReadonlyMap<string, readonly HistoryRow[]> {
  const isAsked = (atUs: Microseconds) => atUs >= fromUs && atUs < toUs;
  return byEntity(HISTORY, answer, (row) => {
    const { s, a, lu, lc } = row;
    if ((typeof s !== "string" && s !== null) || typeof lu !== "number" || !Number.isFinite(lu)) return undefined;
    const lastUpdatedUs = floatSecondsToUs(lu);
    if (!isAsked(lastUpdatedUs)) return undefined;
    const lastChangedUs = typeof lc === "number" && Number.isFinite(lc) ? floatSecondsToUs(lc) : lastUpdatedUs;
    return { state: s, attributes: isObject(a) ? a : {}, lastChangedUs, lastUpdatedUs };
  });
}

const NUMBERS = ["mean", "min", "max", "state", "sum"] as const;

/** Rows with `start` and `end` in milliseconds. @throws HearthlineError `home_assistant_command_failed` */
export function readStatisticsAnswer(
  answer: unknown,
  { fromUs, toUs }: Pick<HistoryQuery, "fromUs" | "toUs">,
): ReadonlyMap<string, readonly StatisticsRow[]> {
  return byEntity(STATISTICS, answer, (row) => {
    const { start, end } = row;
    if (typeof start !== "number" || typeof end !== "number") return undefined;
    const [startUs, endUs] = [Math.round(start * 1000), Math.round(end * 1000)];
    if (startUs < fromUs || startUs >= toUs) return undefined;
    const numbers = NUMBERS.filter((name) => typeof row[name] === "number").map((name) => [name, row[name]]);
    return { startUs, endUs, ...(Object.fromEntries(numbers) as Partial<Record<(typeof NUMBERS)[number], number>>) };
  });
}

/** @throws HearthlineError `home_assistant_command_failed` */
function byEntity<T>(
  command: string,
  answer: unknown,
  rowOf: (row: Record<string, unknown>) => T | undefined,
): ReadonlyMap<string, readonly T[]> {
  if (!isObject(answer)) throw unusable(command, "it is no object");
  const found = new Map<string, readonly T[]>();
  for (const [entityId, rows] of Object.entries(answer)) {
    if (!Array.isArray(rows)) throw unusable(command, "an entity has no list of rows");
    const read = rows
      .map((row: unknown) => (isObject(row) ? rowOf(row) : undefined))
      .filter((row) => row !== undefined);
    if (read.length > 0) found.set(entityId, read);
  }
  return found;
}

/** A recorder whose thread has ended, or that moves its database to a new schema, writes nothing down. */
function readRecorderAnswer(answer: unknown): RecorderInfo {
  const { backlog, recording, thread_running } = isObject(answer) ? answer : {};
  return {
    isRecording: recording === true && thread_running !== false,
    backlog: typeof backlog === "number" ? backlog : 0,
  };
}

/** Rows `{name, message: [text], timestamp}`, one for each different warning since it started. Anything else says nothing. */
function readCutOff(answer: unknown): Microseconds | undefined {
  const rows: readonly unknown[] = Array.isArray(answer) ? answer : [];
  for (const row of rows) {
    const { name, message, timestamp } = isObject(row) ? row : {};
    const isRecorders = typeof name === "string" && name.startsWith(RECORDER_LOGGER);
    const says = (Array.isArray(message) ? message : [message]).some((text) => String(text).startsWith(CUT_OFF));
    if (isRecorders && says && typeof timestamp === "number" && Number.isFinite(timestamp))
      return floatSecondsToUs(timestamp);
  }
  return undefined;
}
