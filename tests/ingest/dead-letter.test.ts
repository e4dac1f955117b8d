import { describe, expect, it } from "vitest";
import { toSqsEntry } from "../../lib/adapters/sqs/message.ts";
import { type ErrorCode, HearthlineError } from "../../lib/base/errors.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { openEnvelope, readEnvelope } from "../../lib/event/index.ts";
import { deadMessage, deadRecords } from "../../lib/ingest/index.ts";
import { randomKey, sealed, stateRecord } from "../support/records.ts";

const key = randomKey();
const codeAt = (at: number): ErrorCode =>
  at < 5_000 ? "event_time_invalid" : at < 5_010 ? "event_state_invalid" : "event_malformed";
const home = { homeId: "home", relayId: "relay", key, sentAt: "2026-11-22T06:00:00Z" };

describe("dead letters", () => {
  it("carry a record as it came, in an envelope that can be read again", () => {
    for (const line of ['{"n":17,"t":"state","entity_id":null}', "no JSON", '{"text":"a\\u0000b"}']) {
      const [letter] = deadRecords([{ line, code: "event_malformed", detail: "why", n: 17 }], home);
      const { body = "", attributes } = letter ?? {};
      expect(attributes).toEqual({
        reason_code: "event_malformed",
        reason_detail: "why",
        sequence: "17",
        home_id: "home",
      });
      const envelope = readEnvelope(body);
      expect(envelope).toMatchObject({ home_id: "home", relay_id: "relay", first: 0, last: 0, count: 1 });
      expect(openEnvelope(envelope, key)).toEqual([line]);
    }
  });

  it("carry a few records each by itself, and many of one code together, none of them lost", () => {
    const rejected = Array.from({ length: 5_030 }, (_, at) => ({
      line: `{"n":${at + 1}}`,
      code: codeAt(at),
      detail: `why ${at + 1}`,
      n: at + 1,
    }));
    const letters = deadRecords(rejected, home);
    expect(letters).toHaveLength(1 + 10 + 20);
    expect(letters[0]?.attributes).toMatchObject({
      reason_code: "event_time_invalid",
      reason_detail: "5000 records; the first: why 1",
      sequence: "1-5000",
    });
    const lines = letters.flatMap(({ body }) => openEnvelope(readEnvelope(body), key));
    expect(lines).toEqual(rejected.map(({ line }) => line));
  });

  it("fit the queue also when many large records are together", () => {
    const random = seededRandom(5);
    const text = () => Array.from({ length: 60_000 }, () => Math.floor(random() * 36).toString(36)).join("");
    const rejected = Array.from({ length: 30 }, () => ({
      line: text(),
      code: "record_malformed" as const,
      detail: "why",
    }));
    const letters = deadRecords(rejected, home);
    expect(letters.length).toBeGreaterThan(1);
    for (const letter of letters) expect(() => toSqsEntry(letter)).not.toThrow();
    const lines = letters.flatMap(({ body }) => openEnvelope(readEnvelope(body), key));
    expect(lines).toEqual(rejected.map(({ line }) => line));
    expect(letters[0]?.attributes?.sequence).toBe("none");
  });

  it("carry a message that cannot be opened as it came", () => {
    const body = sealed([stateRecord(), stateRecord()], { key, first: 5 });
    const error = new HearthlineError("envelope_signature_wrong", "Not signed by its key.");
    expect(deadMessage(body, error, readEnvelope(body))).toEqual({
      body,
      attributes: {
        reason_code: "envelope_signature_wrong",
        reason_detail: "Not signed by its key.",
        sequence: "5-6",
        home_id: "home",
      },
    });
    expect(deadMessage("no JSON", error).attributes).toMatchObject({ sequence: "none", home_id: "unknown" });
  });

  it("have attributes that SQS takes, whatever stood in the event", () => {
    const detail = `The state "\0\u0007\uD800${"é".repeat(600)}" is none.`;
    const [dead = { body: "" }] = deadRecords([{ line: "{}", code: "event_state_invalid", detail }], home);
    expect(toSqsEntry(dead).bytes).toBeLessThan(3_000);
    expect(dead?.attributes?.sequence).toBe("none");
    expect(() => toSqsEntry(deadMessage("x", new HearthlineError("envelope_malformed", "")))).not.toThrow();
  });
});
