import type { HearthlineError } from "../base/errors.ts";
import { type Envelope, type HomeKey, sealLines } from "../event/index.ts";
import { SQS_MESSAGE_MAX_BYTES } from "../limits.ts";
import type { QueueMessage } from "./ports.ts";
import type { RejectedRecord } from "./records.ts";

/** Names of the attributes of a dead letter. */
export interface DeadLetterAttributes {
  readonly reason_code: string;
  readonly reason_detail: string;
  /** `17`, or `17-42` of a whole envelope, or from the first to the last of several records; `none` when it is not known. */
  readonly sequence: string;
  /** `unknown` when the message does not say it. */
  readonly home_id: string;
}

const DETAIL_MAX_CHARACTERS = 500;
// SQS takes no other control characters, and no halves of surrogate pairs, in attributes.
const NOT_FOR_SQS = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

const plain = (text: string, otherwise: string): string =>
  text.slice(0, DETAIL_MAX_CHARACTERS).replace(NOT_FOR_SQS, "?") || otherwise;

/** A message that cannot be opened, as it came; what it says of itself is not proved. */
export function deadMessage(body: string, error: HearthlineError, envelope?: Envelope): QueueMessage {
  const attributes: DeadLetterAttributes = {
    reason_code: error.code,
    reason_detail: plain(error.message, "none"),
    sequence: envelope ? `${envelope.first}-${envelope.last}` : "none",
    home_id: plain(envelope?.home_id ?? "", "unknown"),
  };
  return { body, attributes: { ...attributes } };
}

export interface SealFor {
  readonly homeId: string;
  readonly relayId: string;
  readonly key: HomeKey;
  readonly sentAt: string;
}

/** More of one code from one envelope go together: five thousand messages would take longer than a function may, and come again for ever. */
const ALONE_MAX_RECORDS = 20;
const ATTRIBUTES_MAX_BYTES = 4_096;

/**
 * Rejected records in envelopes of their own, as they came, without sequence (their numbers are accounted for already): sent back to the events queue, they are
 * read again. Each goes alone; many of one code go together, with the detail of the first.
 */
export function deadRecords(rejected: readonly RejectedRecord[], home: SealFor): QueueMessage[] {
  return [...Map.groupBy(rejected, ({ code }) => code).values()].flatMap((ofCode) =>
    ofCode.length > ALONE_MAX_RECORDS ? together(ofCode, home) : ofCode.map((one) => letterOf([one], home)),
  );
}

/** As few messages as they fit. */
function together(rejected: readonly RejectedRecord[], home: SealFor): QueueMessage[] {
  const letter = letterOf(rejected, home);
  if (letter.body.length <= SQS_MESSAGE_MAX_BYTES - ATTRIBUTES_MAX_BYTES || rejected.length === 1) return [letter];
  const middle = rejected.length >> 1;
  return [...together(rejected.slice(0, middle), home), ...together(rejected.slice(middle), home)];
}

function letterOf(rejected: readonly RejectedRecord[], { homeId, relayId, key, sentAt }: SealFor): QueueMessage {
  const [first] = rejected;
  const numbers = rejected.flatMap(({ n }) => n ?? []);
  const detail = rejected.length === 1 ? "" : `${rejected.length} records; the first: `;
  const attributes: DeadLetterAttributes = {
    reason_code: first?.code ?? "record_malformed",
    reason_detail: plain(`${detail}${first?.detail ?? ""}`, "none"),
    sequence: [...new Set([numbers[0], numbers.at(-1)])].join("-") || "none",
    home_id: homeId,
  };
  const lines = rejected.map(({ line }) => line);
  return {
    body: sealLines(lines, { homeId, relayId, key, first: 0, last: 0, sentAt }),
    attributes: { ...attributes },
  };
}
