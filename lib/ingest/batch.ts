import * as z from "zod";
import { HearthlineError } from "../base/errors.ts";
import {
  capabilitiesRecordSchema,
  homeRecordSchema,
  packTextLines,
  registryRecordSchema,
  relayRecordSchema,
  unpackLines,
} from "../event/index.ts";
import { SQS_BILLING_UNIT_BYTES, SQS_MESSAGE_MAX_BYTES } from "../limits.ts";
import type { BatchOrigin } from "./ports.ts";

/** The body of a message of the store and the index queue: `body` is base64 of zstd of JSON lines. */
const batchSchema = z.object({
  v: z.literal(1),
  home_id: z.string().min(1).max(64),
  /** Under which key of the home its envelopes came: another home of the same name has other keys. */
  key_id: z.string().min(1).max(64).optional(),
  count: z.int().nonnegative(),
  body: z.string(),
});

/** A message stays within one billing unit of SQS; the rest is for its attributes. */
export const BATCH_MAX_BYTES = SQS_BILLING_UNIT_BYTES - 4_096;
/** Before it is packed, a batch is no longer than this, however well it would pack: what unfolds must fit a function's memory. */
const BATCH_MAX_UNPACKED_CHARACTERS = 2 * 1024 * 1024;
/** How much fuller than the average a part may turn out when a batch is cut by length. */
const CUT_MARGIN = 1.15;

/**
 * Values to the bodies of as few messages as needed, in order, each within `maxBytes`. A single value that packs to more goes alone.
 * O(bytes); what does not fit is cut by its measured ratio, so a value is compressed twice as a rule and seldom more.
 * @throws HearthlineError `event_too_large`: a single value does not fit the largest message
 */
export function packBatch(
  origin: BatchOrigin,
  values: readonly unknown[],
  maxBytes: number = BATCH_MAX_BYTES,
): string[] {
  return packParts(
    origin,
    values.map((value) => JSON.stringify(value)),
    maxBytes,
  );
}

function packParts(origin: BatchOrigin, lines: readonly string[], maxBytes: number): string[] {
  if (lines.length === 0) return [];
  const length = lines.reduce((sum, line) => sum + line.length, 0);
  if (length > BATCH_MAX_UNPACKED_CHARACTERS && lines.length > 1) {
    return packCut(origin, lines, maxBytes, length / BATCH_MAX_UNPACKED_CHARACTERS);
  }
  const { homeId: home_id, keyId: key_id } = origin;
  const body = JSON.stringify({ v: 1, home_id, key_id, count: lines.length, body: packTextLines(lines) });
  if (body.length <= maxBytes) return [body];
  return lines.length === 1 ? [alone(body)] : packCut(origin, lines, maxBytes, body.length / maxBytes);
}

/** Cuts into at least two parts of about equal length, at least `ratio` of them, and packs each. */
function packCut(origin: BatchOrigin, lines: readonly string[], maxBytes: number, ratio: number): string[] {
  const length = lines.reduce((sum, line) => sum + line.length, 0);
  const wanted = length / Math.max(2, Math.ceil(ratio * CUT_MARGIN));
  const parts: string[][] = [[]];
  let sum = 0;
  for (const line of lines) {
    const part = parts.at(-1);
    // A new part begins where the line would take this one past its share, so two lines or more never stay one part.
    if (part && (part.length === 0 || sum + line.length <= wanted)) part.push(line);
    else {
      parts.push([line]);
      sum = 0;
    }
    sum += line.length;
  }
  return parts.flatMap((part) => packParts(origin, part, maxBytes));
}

function alone(body: string): string {
  if (body.length <= SQS_MESSAGE_MAX_BYTES) return body;
  throw new HearthlineError(
    "event_too_large",
    `One value packs to ${body.length} bytes; a message takes at most ${SQS_MESSAGE_MAX_BYTES}.`,
  );
}

/**
 * The home and the lines of a body, each line still JSON text.
 * @throws HearthlineError `envelope_malformed` (no such body), `envelope_body_broken`, `envelope_too_large`, `envelope_count_wrong`
 */
export function unpackBatch(body: string): BatchOrigin & { readonly lines: readonly string[] } {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (thrown) {
    throw new HearthlineError("envelope_malformed", `The batch of ${body.length} characters is not JSON.`, {
      cause: thrown,
    });
  }
  const parsed = batchSchema.safeParse(json);
  if (!parsed.success) {
    throw new HearthlineError("envelope_malformed", `The message is no batch: ${z.prettifyError(parsed.error)}`);
  }
  const { home_id: homeId, key_id: keyId, count, body: packed } = parsed.data;
  const lines = unpackLines(packed);
  if (lines.length !== count) {
    throw new HearthlineError("envelope_count_wrong", `The batch says ${count} values and holds ${lines.length}.`);
  }
  return { homeId, ...(keyId !== undefined && { keyId }), lines };
}

const atUs = z.int().nonnegative();

/** What travels in the index queue, one line each. Registry, capabilities, home and relay are the relay's records, `relay` with the id of its relay. */
export const indexEntrySchema = z.discriminatedUnion("t", [
  registryRecordSchema,
  capabilitiesRecordSchema,
  homeRecordSchema,
  relayRecordSchema.extend({ relay_id: z.string().min(1).max(64) }),
  z.object({
    t: z.literal("seen"),
    entityId: z.string(),
    atUs,
    state: z.string(),
    deviceClass: z.string().optional(),
    unit: z.string().optional(),
  }),
  z.object({
    t: z.literal("weather"),
    condition: z.string(),
    temperature: z.number().optional(),
    humidity: z.number().optional(),
    windSpeed: z.number().optional(),
    pressure: z.number().optional(),
    atUs,
  }),
]);
export type IndexEntry = z.infer<typeof indexEntrySchema>;
