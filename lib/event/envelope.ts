import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import * as z from "zod";
import { HearthlineError } from "../base/errors.ts";
import { packTextLines, unpackLines } from "./pack.ts";

export const ENVELOPE_VERSION = 1;
/** No envelope carries more records: a relay packs fewer, and one batch must fit a function's memory and time. */
export const ENVELOPE_MAX_RECORDS = 5_000;

/**
 * The envelope: the body of one SQS message. `body` is base64 of zstd of JSON lines, one record a line.
 * `mac` is HMAC-SHA256 by the home's key, in hex, over the other members (see `macOf`).
 * `first` and `last` are the sequence numbers of its records, both included; 0 and 0 for records that no relay numbered (the API's).
 */
export const envelopeSchema = z.object({
  v: z.int(),
  home_id: z.string().min(1).max(64),
  relay_id: z.string().min(1).max(64),
  key_id: z.string().min(1).max(64),
  first: z.int().nonnegative(),
  last: z.int().nonnegative(),
  count: z.int().nonnegative(),
  sent_at: z.string().max(40),
  body: z.string(),
  mac: z.string().length(64),
});
export type Envelope = z.infer<typeof envelopeSchema>;

/** A home's key: 32 random bytes, and the name by which envelopes say which key signed them. */
export interface HomeKey {
  readonly id: string;
  readonly secret: Buffer;
}

/** The name of a key: the first 16 hex digits of the SHA-256 of its bytes. */
export const keyIdOf = (secret: Buffer): string => createHash("sha256").update(secret).digest("hex").slice(0, 16);

function macOf(envelope: Omit<Envelope, "mac">, secret: Buffer): Buffer {
  const { v, home_id, relay_id, key_id, first, last, count, sent_at, body } = envelope;
  return createHmac("sha256", secret)
    .update(JSON.stringify([v, home_id, relay_id, key_id, first, last, count, sent_at, body]))
    .digest();
}

export interface SealOptions {
  readonly homeId: string;
  readonly relayId: string;
  readonly key: HomeKey;
  /** Both 0 when no relay numbered the records. */
  readonly first: number;
  readonly last: number;
  readonly sentAt: string;
}

/** Records to the text of one message. O(bytes). */
export const sealEnvelope = (records: readonly unknown[], options: SealOptions): string =>
  sealLines(
    records.map((record) => JSON.stringify(record)),
    options,
  );

/** As `sealEnvelope`, of lines as they are: also of such as could not be read as records. */
export function sealLines(lines: readonly string[], options: SealOptions): string {
  const envelope = {
    v: ENVELOPE_VERSION,
    home_id: options.homeId,
    relay_id: options.relayId,
    key_id: options.key.id,
    first: options.first,
    last: options.last,
    count: lines.length,
    sent_at: options.sentAt,
    body: packTextLines(lines),
  };
  return JSON.stringify({ ...envelope, mac: macOf(envelope, options.key.secret).toString("hex") });
}

/**
 * Reads the outside of a message; nothing in it is trusted yet: find the home's key by `home_id` and `key_id`, then `openEnvelope`.
 * @throws HearthlineError `envelope_malformed`, `envelope_version_unknown`.
 */
export function readEnvelope(text: string): Envelope {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    throw new HearthlineError("envelope_malformed", `The message of ${text.length} characters is not JSON.`, {
      cause: thrown,
    });
  }
  const version = (json as { v?: unknown } | null)?.v;
  if (typeof version === "number" && version !== ENVELOPE_VERSION) {
    throw new HearthlineError(
      "envelope_version_unknown",
      `The envelope has version "${version}"; this program reads version ${ENVELOPE_VERSION}.`,
    );
  }
  const parsed = envelopeSchema.safeParse(json);
  if (!parsed.success) {
    throw new HearthlineError(
      "envelope_malformed",
      `The message is no envelope: ${z.prettifyError(parsed.error).replaceAll("\n", " ").slice(0, 300)}`,
    );
  }
  return parsed.data;
}

/**
 * Checks the signature and unfolds the body: one line of JSON text a record, not yet parsed.
 * @throws HearthlineError `envelope_signature_wrong`, `envelope_body_broken`, `envelope_too_large`, `envelope_too_many_records`, `envelope_empty`,
 * `envelope_count_wrong` (the lines are not as many as `count`, or `first` to `last` is another number of records).
 */
export function openEnvelope(envelope: Envelope, key: HomeKey): string[] {
  const wanted = macOf(envelope, key.secret);
  const given = Buffer.from(envelope.mac, "hex");
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new HearthlineError(
      "envelope_signature_wrong",
      `The envelope of home "${envelope.home_id}" is not signed by its key "${key.id}".`,
    );
  }
  if (envelope.count > ENVELOPE_MAX_RECORDS) {
    throw new HearthlineError(
      "envelope_too_many_records",
      `The envelope holds ${envelope.count} records; at most ${ENVELOPE_MAX_RECORDS} are taken.`,
    );
  }
  const lines = unpackLines(envelope.body);
  if (lines.length === 0)
    throw new HearthlineError("envelope_empty", "The envelope holds no record; wanted is at least one.");
  const isNumbered = envelope.first !== 0 || envelope.last !== 0;
  const ranged = isNumbered ? envelope.last - envelope.first + 1 : envelope.count;
  const beginsBeforeOne = isNumbered && envelope.first === 0;
  if (lines.length !== envelope.count || ranged !== envelope.count || beginsBeforeOne) {
    throw new HearthlineError(
      "envelope_count_wrong",
      `The envelope says ${envelope.count} records, sequence ${envelope.first} to ${envelope.last}, and holds ${lines.length}.`,
    );
  }
  return lines;
}
