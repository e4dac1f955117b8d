import type { Clock } from "../../base/clock.ts";
import type { RelaySink, SinkAnswer, SinkLoss, SinkMessage, SinkPiece } from "../../relay/ports.ts";
import { recordCut } from "./cut-record.ts";
import { lineShape, toLine } from "./line-protocol.ts";
import { createEventPacker, joined } from "./packer.ts";
import { answerOf, isTaken, type Posted, post } from "./post.ts";

export interface InfluxSinkOptions {
  readonly name: string;
  /** The server's address; `/write` is added to its path, `db` and `precision` to its query. */
  readonly url: string;
  readonly database: string;
  readonly user?: string;
  readonly password?: string;
  /** Instead of user and password (InfluxDB 1.8 and later). */
  readonly token?: string;
  /** The integration's `default_measurement`. */
  readonly defaultMeasurement?: string;
  /** Stamps are cut to whole multiples, as the integration cuts them by its `precision`. Default 1. */
  readonly precisionUs?: number;
  readonly flushMs: number;
  readonly clock: Clock;
}

/** InfluxDB's advice for one write. Source: docs.influxdata.com, "Optimize writes to InfluxDB"; read 2026-09. */
const MAX_LINES = 5_000;
const MAX_BYTES = 1_048_576;
const TIMEOUT_MS = 30_000;
/** So many kinds of wrong lines are looked for in one message; then it is divided. */
const ROUNDS_MAX = 8;

/**
 * An old pipeline that is an InfluxDB of Home Assistant's integration (1.x, or a later one with its `/write`). Points are told apart by measurement, tags and time, so a message that is sent
 * again changes nothing. A "partial write" has stored all lines but those it names or describes; these are set aside, and the rest is sent again, because the server names one kind of error only.
 */
export function createInfluxSink(options: InfluxSinkOptions): RelaySink {
  const { name, database, user, password = "", token, defaultMeasurement, precisionUs = 1, flushMs, clock } = options;
  const url = new URL(options.url);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/write`;
  // What else the address asks for stays: a retention policy (`?rp=week`).
  url.searchParams.set("db", database);
  url.searchParams.set("precision", "ns");
  const basic = user && `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const authorization = token ? `Token ${token}` : basic;
  const headers = { "content-type": "text/plain; charset=utf-8", ...(authorization && { authorization }) };

  async function sendOne(message: SinkMessage): Promise<SinkAnswer> {
    const lost: SinkLoss[] = [];
    let pieces = message.pieces;
    for (let round = 1; pieces.length > 0; round++) {
      const body = `${pieces.map(({ text }) => text).join("\n")}\n`;
      const posted = await post({ url: url.href, headers, body, timeoutMs: TIMEOUT_MS });
      if (isWritten(posted)) break;
      const error = posted.status === 400 ? errorOf(posted) : "";
      const beyond = /points beyond retention policy dropped=(\d+)/.exec(error)?.[1];
      if (beyond !== undefined) {
        const reason = "InfluxDB keeps no points so old";
        lost.push({ first: message.first, last: message.last, count: Number(beyond), reason });
        break;
      }
      const wrong = wrongLines(error, pieces);
      if (wrong.size === 0 || round > ROUNDS_MAX)
        return isNamed(error) ? refused(error) : answerOf(posted, { url: url.href, clock });
      for (const [{ first, last }, reason] of wrong) lost.push({ first, last, count: 1, reason });
      pieces = pieces.filter((piece) => !wrong.has(piece));
    }
    return { outcome: "taken", lost: joined(lost) };
  }

  return {
    name,
    packer: createEventPacker({
      encode: (record) =>
        record.t === "state" ? toLine(recordCut(record, precisionUs), defaultMeasurement) : undefined,
      maxRecords: MAX_LINES,
      maxBytes: MAX_BYTES,
    }),
    flushMs,
    batchMax: 1,
    inFlightMax: 2,
    send: (messages) => Promise.all(messages.map(sendOne)),
  };
}

/** 204, or nothing said: every server of this protocol answers so. 200 with a text is another service, or a write that was not completed (InfluxDB 0.9 to 1.x). */
const isWritten = (posted: Posted): boolean => isTaken(posted) && (posted.status === 204 || posted.text.trim() === "");

function errorOf({ text }: Posted): string {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === "string" ? error : "";
  } catch {
    return "";
  }
}

/** The server has read the lines and says what is wrong with some. */
const isNamed = (error: string): boolean => /^(partial write|unable to parse)/.test(error);

/** The reason without what the server quotes: a loss record names no entity. */
const kindOf = (error: string): string =>
  error
    .replace(/^partial write: /, "")
    .replace(/\bunable to parse .*': /, "")
    .split(/[:\n]/)[0]
    ?.slice(0, 60) ?? "";

const refused = (error: string): SinkAnswer => ({
  outcome: "refused",
  reason: `InfluxDB refuses the point (${kindOf(error)})`,
  isCertain: true,
});

/** The lines that an error means: quoted, or described by measurement, field and type. */
function wrongLines(error: string, pieces: readonly SinkPiece[]): ReadonlyMap<SinkPiece, string> {
  const [, field, measurement, type] =
    /field type conflict: input field "(.*)" on measurement "(.*)" is type (\w+), already exists/s.exec(error) ?? [];
  if (field !== undefined && measurement !== undefined) {
    const isMeant = ({ text }: SinkPiece): boolean => {
      const shape = lineShape(text);
      return shape.measurement === measurement && shape.types.get(field) === type;
    };
    return new Map(pieces.filter(isMeant).map((piece) => [piece, "InfluxDB refuses the point (field type conflict)"]));
  }
  const byText = new Map(pieces.map((piece) => [piece.text, piece]));
  const wrong = new Map<SinkPiece, string>();
  for (const [, line = "", why = ""] of error.matchAll(/unable to parse '(.*)': ([a-z ]+)/g)) {
    const piece = byText.get(line);
    if (piece) wrong.set(piece, `InfluxDB refuses the point (${why.trim().replace(/ dropped$/, "")})`);
  }
  return wrong;
}
