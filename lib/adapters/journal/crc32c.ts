/** Castagnoli's polynomial, bits reversed (RFC 3720, appendix B.4): finds every error of up to five bits in a record of our size. */
const POLYNOMIAL = 0x82f63b78;

function makeTables(): Int32Array[] {
  const tables = Array.from({ length: 8 }, () => new Int32Array(256));
  for (const [slice, table] of tables.entries()) {
    const before = tables[slice - 1];
    for (let byte = 0; byte < 256; byte++) table[byte] = before ? shifted(before[byte] ?? 0, tables[0]) : ofByte(byte);
  }
  return tables;
}

function ofByte(byte: number): number {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
}

const shifted = (value: number, first: Int32Array | undefined): number => (value >>> 8) ^ (first?.[value & 0xff] ?? 0);

/** Eight tables, so that eight bytes are taken at once ("slicing by 8"). */
const [T0, T1, T2, T3, T4, T5, T6, T7] = makeTables() as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

/** CRC32C of bytes [from, to), as an unsigned number. Node has only CRC32 with the other polynomial (zlib.crc32). */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = -1;
  let at = from;
  // Indices within [from, to) only, so that no table and no byte is ever missing: `as number` says so to the compiler.
  for (const end = to - 7; at < end; at += 8) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    crc =
      (T7[crc & 0xff] as number) ^
      (T6[(crc >>> 8) & 0xff] as number) ^
      (T5[(crc >>> 16) & 0xff] as number) ^
      (T4[crc >>> 24] as number) ^
      (T3[bytes[at + 4] as number] as number) ^
      (T2[bytes[at + 5] as number] as number) ^
      (T1[bytes[at + 6] as number] as number) ^
      (T0[bytes[at + 7] as number] as number);
  }
  for (; at < to; at++) crc = (crc >>> 8) ^ (T0[(crc ^ (bytes[at] as number)) & 0xff] as number);
  return ~crc >>> 0;
}
