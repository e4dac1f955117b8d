import type { ErrorCode } from "../../base/errors.ts";
import { EventsRefused, type HomeEvent, naturalKey, type RefusedEvent } from "../../event/index.ts";
import type { InfluxClient } from "./client.ts";
import type { HttpAnswer } from "./http.ts";
import { errorOf, objectOf } from "./influxql.ts";
import { createLines, rankTag } from "./point.ts";
import { problemOf } from "./problems.ts";

/** InfluxDB's advice for one write. Source: docs.influxdata.com, "Optimize writes to InfluxDB" (2.x); 3.x takes 10 MB, 1.x 25 MB; read 2026-11. */
const MAX_LINES = 5_000;
const MAX_BYTES = 4_194_304;

/** An event and its line. */
interface Line {
  readonly event: HomeEvent;
  readonly text: string;
}

export interface WriteOptions {
  readonly client: InfluxClient;
  /** Empty: the database's default. */
  readonly retentionPolicy: string;
  /** Events before it are not kept, where the server itself does not say so when they are written. */
  readonly oldestUs: number | undefined;
}

/**
 * Writes all events that can be kept, then tells of those that cannot.
 * @throws EventsRefused; HearthlineError of fate `retry` or `stop`: some may be written, and all may be written again
 */
export async function writeEvents(events: readonly HomeEvent[], options: WriteOptions): Promise<void> {
  const refused: RefusedEvent[] = [];
  const lines = linesOf(events, { refused, oldestUs: options.oldestUs });
  for (const batch of batches(lines)) await writeBatch(batch, { ...options, refused });
  if (refused.length > 0) throw new EventsRefused(refused);
}

/** Lines, written as they are. For what is no event: the marks of pruned ones. @throws HearthlineError */
export async function writeLines(lines: readonly string[], options: WriteOptions): Promise<void> {
  for (let from = 0; from < lines.length; from += MAX_LINES) {
    const answer = await post(lines.slice(from, from + MAX_LINES), options);
    if (!isWritten(answer)) throw problemOf(answer, options.client, "write").error;
  }
}

/** Of events that would be one point, the last one: within one request the server does not promise an order. */
function* linesOf(
  events: readonly HomeEvent[],
  { refused, oldestUs = Number.NEGATIVE_INFINITY }: { refused: RefusedEvent[]; oldestUs: number | undefined },
): Generator<Line> {
  const last = new Map(events.map((event) => [`${rankTag(event)} ${naturalKey(event)}`, event]));
  const lineOf = createLines();
  for (const event of last.values()) {
    const reason = reasonAgainst(event);
    if (reason) refused.push({ event, code: "event_malformed", reason });
    else if (event.atUs < oldestUs) refused.push(tooOld(event));
    else yield { event, text: lineOf(event) };
  }
}

/** Line protocol has no infinite numbers, and its times are whole. Nothing that came as JSON has any. */
function reasonAgainst({ atUs, value }: HomeEvent): string | undefined {
  if (!Number.isSafeInteger(atUs)) return "its time is no whole number of microseconds in the years 1684 to 2255";
  return typeof value === "number" && !Number.isFinite(value) ? "its value is no finite number" : undefined;
}

const tooOld = (event: HomeEvent): RefusedEvent => ({
  event,
  code: "event_time_out_of_range",
  reason: "it is older than the time for which InfluxDB's retention policy keeps events",
});

function* batches(lines: Iterable<Line>): Generator<Line[]> {
  let batch: Line[] = [];
  let characters = 0;
  for (const line of lines) {
    if (batch.length > 0 && (batch.length >= MAX_LINES || characters + line.text.length > MAX_BYTES)) {
      yield batch;
      batch = [];
      characters = 0;
    }
    batch.push(line);
    characters += line.text.length;
  }
  if (batch.length > 0) yield batch;
}

const post = (lines: readonly string[], { client, retentionPolicy }: WriteOptions): Promise<HttpAnswer> =>
  client.send(
    {
      method: "POST",
      path: "/write",
      query: { db: client.database, precision: "ns", ...(retentionPolicy !== "" && { rp: retentionPolicy }) },
      contentType: "text/plain; charset=utf-8",
      body: `${lines.join("\n")}\n`,
      isPacked: true,
    },
    "write",
  );

/** 204, or nothing said: 200 with a text is another service, or a write that was not completed. */
const isWritten = ({ status, text, isPage }: HttpAnswer): boolean =>
  !isPage && status >= 200 && status < 300 && (status === 204 || text.trim() === "");

interface BatchOptions extends WriteOptions {
  readonly refused: RefusedEvent[];
}

async function writeBatch(batch: readonly Line[], options: BatchOptions): Promise<void> {
  const answer = await post(
    batch.map(({ text }) => text),
    options,
  );
  if (isWritten(answer)) return;
  const refused = refusedBy(answer, batch);
  if (!refused) throw problemOf(answer, options.client, "write").error;
  if (refused !== "some") options.refused.push(...refused);
  else await writeHalves(batch, options);
}

/** By time, because what is too old is mostly on one side. What was stored is stored again, which changes nothing. */
async function writeHalves(batch: readonly Line[], options: BatchOptions): Promise<void> {
  const byTime = batch.toSorted((a, b) => a.event.atUs - b.event.atUs);
  const half = Math.ceil(batch.length / 2);
  await writeBatch(byTime.slice(0, half), options);
  await writeBatch(byTime.slice(half), options);
}

/** Which events an answer refuses, the others being stored: all of the batch, those it names, or `some` that smaller batches will tell; undefined: it is no such answer. */
function refusedBy(answer: HttpAnswer, batch: readonly Line[]): RefusedEvent[] | "some" | undefined {
  const { status, text } = answer;
  if (status === 413) return batch.length > 1 ? "some" : batch.map(tooLarge);
  if (status !== 400 && status !== 422) return undefined;
  const named = linesNamed(text, batch);
  if (named) return named;
  const dropped = droppedIn(errorOf(text) ?? "");
  if (dropped === undefined) return undefined;
  return dropped < batch.length ? "some" : batch.map(({ event }) => tooOld(event));
}

const tooLarge = ({ event, text }: Line): RefusedEvent => ({
  event,
  code: "event_too_large",
  reason: `InfluxDB, or what stands in front of it, takes no line of ${text.length} characters`,
});

/**
 * InfluxDB 1.x and 2.x only count the points that are beyond the retention policy, and these need not be the oldest: a point that is too old is kept where its shard is still there.
 * (1.6: "points beyond retention policy dropped=3"; 2.7: "dropped 3 points outside retention policy of duration ...".)
 */
function droppedIn(error: string): number | undefined {
  if (!/points (beyond|outside) retention policy/.test(error)) return undefined;
  const count = Number(/dropped[= ](\d+)/.exec(error)?.[1]);
  return count > 0 ? count : undefined;
}

interface Named {
  readonly line_number?: unknown;
  readonly error_message?: unknown;
}

/** InfluxDB 3 says which lines it left out, counted from 1. */
function linesNamed(text: string, batch: readonly Line[]): RefusedEvent[] | undefined {
  if (!text.includes('"line_number"')) return undefined;
  const { data } = objectOf(text) ?? {};
  const lines: readonly (object | null)[] = Array.isArray(data) ? data : [];
  const named = lines.flatMap((line) => {
    const { line_number: number, error_message: reason = "" }: Named = line ?? {};
    const event = batch[Number(number) - 1]?.event;
    const code: ErrorCode = "event_malformed";
    return event ? [{ event, code, reason: `InfluxDB refuses it: ${String(reason).slice(0, 200)}` }] : [];
  });
  return named.length > 0 ? named : undefined;
}
