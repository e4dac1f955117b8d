/** A part's rows take at most this much as JSON, a single larger row excepted: parts share messages with events. */
const PART_MAX_BYTES = 47_000;

/** Rows in parts that fit messages, in order; of no rows one empty part, so that "none" is something too. */
export function intoParts<Row>(rows: Iterable<Row>): Row[][] {
  const parts: Row[][] = [[]];
  let bytes = 0;
  for (const row of rows) {
    const size = Buffer.byteLength(JSON.stringify(row)) + 1;
    if (bytes > 0 && bytes + size > PART_MAX_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(row);
    bytes += size;
  }
  return parts;
}
