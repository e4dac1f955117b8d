import type { Row } from "../generate/past.ts";
import type { HomeCore } from "../live/home-core.ts";
import { CommandError } from "./answers.ts";
import { secondsOf } from "./history.ts";

const HOUR_SECONDS = 3_600;

/** Rows whatever their age: long-term statistics are not purged. */
function* allRows(core: HomeCore, entityId: string, from: number, to: number): Generator<Row> {
  const entity = core.house.byId.get(entityId);
  if (entity && entity.spec.disabledBy === undefined && from < core.liveSince)
    yield* core.past.rows(entity, from, Math.min(to, core.liveSince));
  yield* core.recorder.rows(entityId, from, to);
}

const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;

/** One hour: of a measurement its mean (of the readings, not weighted by time), minimum and maximum; of a total its state and the sum. */
function hourOf(start: number, readings: readonly number[], isTotal: boolean): Record<string, unknown> {
  const [times, last] = [{ start: start * 1000, end: (start + HOUR_SECONDS) * 1000 }, readings.at(-1)];
  if (isTotal) return { ...times, last_reset: null, state: last, sum: last };
  const mean = rounded(readings.reduce((sum, reading) => sum + reading, 0) / readings.length);
  return { ...times, mean, min: Math.min(...readings), max: Math.max(...readings) };
}

/** `recorder/statistics_during_period`, hours only: the answer's JSON, times in milliseconds. Only entities with a `state_class` have any. @throws CommandError */
export function statisticsDuringPeriod(core: HomeCore, message: Readonly<Record<string, unknown>>): string {
  const from = secondsOf(message.start_time, "invalid_start_time", "Invalid start_time");
  const end = message.end_time;
  const to = end === undefined ? core.now() : secondsOf(end, "invalid_end_time", "Invalid end_time");
  const ids = message.statistic_ids;
  if (message.period !== "hour" || !Array.isArray(ids))
    throw new CommandError("invalid_format", "expected period 'hour' and a list at 'statistic_ids'");
  const answer: Record<string, unknown[]> = {};
  // An hour is compiled when it is over.
  const last = Math.floor(Math.min(to, core.now()) / HOUR_SECONDS) * HOUR_SECONDS;
  for (const id of ids.filter((each): each is string => typeof each === "string")) {
    const stateClass = core.house.byId.get(id)?.spec.stateClass;
    if (stateClass === undefined) continue;
    const first = Math.ceil(from / HOUR_SECONDS) * HOUR_SECONDS;
    const readings = [...allRows(core, id, first, last)].flatMap(({ at, state }) => {
      const value = Number(state);
      return state !== null && state !== "" && Number.isFinite(value) ? [{ at, value }] : [];
    });
    const hours = Map.groupBy(readings, ({ at }) => Math.floor(at / HOUR_SECONDS) * HOUR_SECONDS);
    const isTotal = stateClass !== "measurement";
    const rows = [...hours].map(([start, some]) =>
      hourOf(
        start,
        some.map(({ value }) => value),
        isTotal,
      ),
    );
    if (rows.length > 0) answer[id] = rows;
  }
  return JSON.stringify(answer);
}
