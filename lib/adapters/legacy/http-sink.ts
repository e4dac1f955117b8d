import type { Clock } from "../../base/clock.ts";
import type { EventRecord } from "../../event/index.ts";
import type { RelaySink, SinkAnswer, SinkLoss, SinkMessage } from "../../relay/ports.ts";
import { recordCut } from "./cut-record.ts";
import { createEventPacker, joined } from "./packer.ts";
import { answerOf, isTaken, type Posted, post } from "./post.ts";

export interface HttpSinkOptions {
  readonly name: string;
  readonly url: string;
  /** Sent as a bearer token. */
  readonly token?: string;
  /** Stamps are cut to whole multiples. Default 1. */
  readonly precisionUs?: number;
  readonly flushMs: number;
  readonly clock: Clock;
}

const MAX_RECORDS = 500;
/** Half of what servers commonly take as one body. */
const MAX_BYTES = 524_288;
const TIMEOUT_MS = 30_000;

/**
 * An old pipeline that takes events over HTTP: a JSON array of Home Assistant's `state_changed` events, oldest first, one request at a time, so that their order stays.
 * 2xx: taken, except what the answer names in `rejected` (`[{index, code}]`). 400, 413, 422: the shipper finds the event. Everything else is tried again.
 */
export function createHttpSink(options: HttpSinkOptions): RelaySink {
  const { name, url, token, precisionUs = 1, flushMs } = options;
  const headers = {
    "content-type": "application/json",
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };

  async function sendOne(message: SinkMessage): Promise<SinkAnswer> {
    const body = `[${message.pieces.map(({ text }) => text).join(",")}]`;
    const posted = await post({ url, headers, body, timeoutMs: TIMEOUT_MS });
    return isTaken(posted) ? { outcome: "taken", lost: rejectedOf(posted, message) } : answerOf(posted, options);
  }

  return {
    name,
    packer: createEventPacker({
      encode: (record) => encodeEvent(recordCut(record, precisionUs)),
      ...{ maxRecords: MAX_RECORDS, maxBytes: MAX_BYTES },
    }),
    flushMs,
    batchMax: 1,
    inFlightMax: 1,
    send: (messages) => Promise.all(messages.map(sendOne)),
  };
}

/** An event as Home Assistant's event stream gives it; of the old state what the relay keeps. Source of the shape: contract.md, section 3. */
export function encodeEvent(record: EventRecord): string {
  const { entity_id, old, origin = "LOCAL", context } = record;
  const old_state = old ? { entity_id, ...old } : null;
  const event = (new_state: object | null, time_fired: string) =>
    JSON.stringify({
      event_type: "state_changed",
      data: { entity_id, old_state, new_state },
      origin,
      time_fired,
      context,
    });
  if (record.t === "removed") return event(null, record.time_fired);
  const { state, attributes, last_changed, last_updated } = record;
  return event({ entity_id, state, attributes, last_changed, last_updated, context }, last_updated);
}

/** The events that the answer names as not taken. */
function rejectedOf({ text }: Posted, { pieces }: SinkMessage): readonly SinkLoss[] {
  let rejected: unknown;
  try {
    rejected = (JSON.parse(text) as { rejected?: unknown } | null)?.rejected;
  } catch {
    // An answer without JSON names none.
  }
  if (!Array.isArray(rejected)) return [];
  return joined(
    rejected.flatMap(({ index, code }: { index?: unknown; code?: unknown }) => {
      const piece = typeof index === "number" ? pieces[index] : undefined;
      if (!piece) return [];
      const reason = `the old pipeline rejected it${typeof code === "string" ? ` (${code.slice(0, 64)})` : ""}`;
      return [{ first: piece.first, last: piece.last, count: 1, reason }];
    }),
  );
}
