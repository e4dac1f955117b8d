import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createJsonlSource } from "../../../lib/adapters/jsonl/source.ts";
import { formatIsoUs } from "../../../lib/base/time.ts";
import type { HistoryChunk } from "../../../lib/history/index.ts";
import { second } from "../../support/imports.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-jsonl-"));
  path = join(folder, "events.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const line = (n: number, more: Record<string, unknown> = {}): string =>
  JSON.stringify({ entity_id: "sensor.a", state: String(n), last_updated: formatIsoUs(second(n)), ...more });

async function all(position?: unknown) {
  const chunks: HistoryChunk[] = [];
  for await (const chunk of createJsonlSource(path).read(position, new AbortController().signal)) chunks.push(chunk);
  return {
    states: chunks.flatMap(({ rows }) => rows.map(({ state }) => state)),
    rows: chunks.flatMap(({ rows }) => rows),
    rejected: chunks.flatMap(({ rejected }) => rejected.map(({ place, code }) => [place, code])),
    details: chunks.flatMap(({ rejected }) => rejected.map(({ detail }) => detail)),
    remarks: chunks.flatMap(({ remark }) => remark ?? []),
    position: chunks.at(-1)?.position ?? position,
  };
}

describe("a file of lines", () => {
  it("is read with whatever ends its lines, with a mark at its start, with blank lines, and without an end", async () => {
    writeFileSync(path, `\ufeff${line(1)}\r\n\r\n  \n${line(2)}\n${line(3)}`);
    const { states, rejected, rows } = await all();
    expect(states).toEqual(["1", "2", "3"]);
    expect(rejected).toEqual([]);
    expect(rows.map(({ place }) => place)).toEqual([1, 4, 5]);
  });

  it("names each bad line by its number and code, and gives the rest", async () => {
    const bad = [
      "not JSON",
      "[1]",
      "null",
      '{"state":"1"}',
      line(1, { state: 21.5 }),
      line(1, { last_updated: "yesterday" }),
      line(1, { last_updated: 5 }),
      line(1, { attributes: [] }),
      line(1, { context: "x" }),
      line(1, { context: {} }),
      line(1, { origin: "x".repeat(17) }),
      `{"entity_id":"sensor.a","state":"${"x".repeat(1_100_000)}"}`,
    ];
    const notText = Buffer.concat([Buffer.from('{"state":"'), Buffer.from([0xff]), Buffer.from('"}\n')]);
    writeFileSync(path, Buffer.concat([Buffer.from(`${line(0)}\n${bad.join("\n")}\n`), notText, Buffer.from(line(9))]));
    const { states, rejected } = await all();
    expect(states).toEqual(["0", "9"]);
    expect(rejected).toEqual([
      [2, "record_malformed"],
      [3, "event_malformed"],
      [4, "event_malformed"],
      [5, "event_entity_id_invalid"],
      [6, "event_state_invalid"],
      [7, "event_time_invalid"],
      [8, "event_time_invalid"],
      [9, "event_attributes_invalid"],
      [10, "event_malformed"],
      [11, "event_malformed"],
      [12, "event_malformed"],
      [13, "event_too_large"],
      [14, "record_malformed"],
    ]);
  });

  it("does not quote what may be a secret", async () => {
    writeFileSync(path, `{"access_token": "hunter2hunter2", oops\n`);
    expect((await all()).details.join()).not.toContain("hunter2");
  });

  it("takes removals, contexts and the lines of an export", async () => {
    const context = { id: "c1", user_id: "u1" };
    writeFileSync(
      path,
      [
        line(1, { state: null }),
        line(2, { state: "", kind: "removed" }),
        line(3, { kind: "snapshot", context, origin: "REMOTE", last_changed: formatIsoUs(second(1)), weather: {} }),
      ].join("\n"),
    );
    expect((await all()).rows).toMatchObject([
      { state: null },
      { state: null },
      {
        state: "3",
        kind: "snapshot",
        context: { ...context, parent_id: null },
        origin: "REMOTE",
        lastChangedUs: second(1),
      },
    ]);
  });

  it("is gone on with when it has grown, also in the middle of a line, and begun again when it is another", async () => {
    writeFileSync(path, `${line(1)}\n${line(2)}`);
    const first = await all();
    expect(first.states).toEqual(["1", "2"]);
    expect((await all(first.position)).states).toEqual([]);

    const [begun, rest] = [line(4).slice(0, 20), line(4).slice(20)];
    appendFileSync(path, `\n${line(3)}\n${begun}`);
    const grown = await all(first.position);
    expect(grown.states).toEqual(["3"]);
    expect(grown.rejected).toEqual([[4, "record_malformed"]]);
    expect(grown.details[0]).toContain("ends within this line");

    appendFileSync(path, `${rest}\nbad\n`);
    const whole = await all(grown.position);
    expect(whole.states).toEqual(["4"]);
    expect(whole.rejected).toEqual([[5, "record_malformed"]]);
    expect(whole.remarks).toEqual([]);

    writeFileSync(path, `${line(7)}\n${line(8)}\n`);
    const other = await all(whole.position);
    expect(other.states).toEqual(["7", "8"]);
    expect(other.remarks[0]).toContain("read again from its start");
  });

  it("reads many lines in pieces", async () => {
    const numbers = Array.from({ length: 20_000 }, (_, n) => n);
    writeFileSync(path, numbers.map((n) => line(n)).join("\n"));
    expect((await all()).states).toEqual(numbers.map(String));
  });

  it("is refused where nobody could read it", () => {
    const opened = () => createJsonlSource(path);
    expect(opened).toThrow(/ENOENT/);
    expect(() => createJsonlSource(folder)).toThrow(/it is no file/);
    writeFileSync(path, Buffer.from("1f8b0800", "hex"));
    expect(opened).toThrow(/gzip -d/);
    writeFileSync(path, Buffer.from("28b52ffd", "hex"));
    expect(opened).toThrow(/zstd -d/);
    writeFileSync(path, Buffer.from("\ufeff{}", "utf16le"));
    expect(opened).toThrow(/UTF-16/);
  });

  it("may be empty", async () => {
    writeFileSync(path, "");
    expect(await all()).toMatchObject({ states: [], rejected: [] });
  });
});
