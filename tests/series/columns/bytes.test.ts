import { describe, expect, it } from "vitest";
import { ByteReader, ByteWriter, IntColumn } from "../../../lib/series/columns/bytes.ts";

interface Piece {
  write(writer: ByteWriter): void;
  read(reader: ByteReader): unknown;
  readonly value: unknown;
}

const columnOf = (values: readonly number[]): IntColumn => {
  const column = new IntColumn(values.length);
  for (const value of values) column.push(value);
  return column;
};
const piece = (value: unknown, write: Piece["write"], read: Piece["read"]): Piece => ({ value, write, read });
const ints = (values: readonly number[]): Piece =>
  piece(
    values,
    (writer) => writer.ints(columnOf(values)),
    (reader) => [...reader.ints()],
  );

const PIECES: Readonly<Record<string, Piece>> = {
  u8: piece(
    0xa5,
    (writer) => writer.u8(0xa5),
    (reader) => reader.u8(),
  ),
  u32: piece(
    0xdeadbeef,
    (writer) => writer.u32(0xdeadbeef),
    (reader) => reader.u32(),
  ),
  f64: piece(
    Math.PI,
    (writer) => writer.f64(Math.PI),
    (reader) => reader.f64(),
  ),
  raw: piece(
    [1, 2, 3],
    (writer) => writer.raw(Uint8Array.of(1, 2, 3)),
    (reader) => [...reader.raw(3)],
  ),
  text: piece(
    "größer als zuvor",
    (writer) => writer.text("größer als zuvor"),
    (reader) => reader.text(),
  ),
  "text with half a character": piece(
    "a\ud83c",
    (writer) => writer.text("a\ud83c"),
    (reader) => reader.text(),
  ),
  ints: ints([3, -70_000, 5]),
  "ints that are doubles": ints([2 ** 53, -1]),
  doubles: piece(
    [0.1, -0, 1e308],
    (writer) => writer.doubles([0.1, -0, 1e308]),
    (reader) => [...reader.doubles()],
  ),
};

describe("bytes that grow as they are written", () => {
  it.each(Object.entries(PIECES))("gives back %s, wherever the room ends", (_, { write, read, value }) => {
    for (let before = 0; before <= 70; before++) {
      const writer = new ByteWriter(0);
      for (let count = 0; count < before; count++) writer.u8(count);
      for (let count = 0; count < 20; count++) write(writer);
      const reader = new ByteReader(writer.written());
      for (let count = 0; count < before; count++) expect(reader.u8()).toBe(count);
      for (let count = 0; count < 20; count++) expect(read(reader)).toStrictEqual(value);
      expect(() => reader.u8()).toThrow(expect.objectContaining({ code: "store_damaged" }));
    }
  });

  it("gives back whole numbers at the ends of every number of bytes", () => {
    for (let bits = 0; bits <= 53; bits++) {
      const around = [-1, 0, 1].flatMap((more) => [2 ** bits + more, -(2 ** bits) - more]);
      for (const value of around.filter(Number.isSafeInteger)) {
        const writer = new ByteWriter(0);
        writer.ints(columnOf([0, value, 1]));
        expect([...new ByteReader(writer.written()).ints()]).toEqual([0, value, 1]);
      }
    }
  });
});
