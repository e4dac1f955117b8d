import { crc32c } from "./crc32c.ts";
import { RECORD_HEAD_BYTES } from "./format.ts";

const START_BYTES = 65_536;
/** A buffer that had to grow beyond this for one group is not kept. */
const KEPT_MAX_BYTES = 4_194_304;

export interface RecordToWrite {
  readonly n: number;
  readonly atMs: number;
  readonly flags: number;
  /** One JSON object without the member `n`. */
  readonly text: string;
}

/** Records of one group, encoded one behind the other into one buffer that is used again: one write a group, nothing allocated a record. */
export class GroupBuffer {
  #buffer = Buffer.allocUnsafeSlow(START_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was added since `clear`. Valid until then. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    if (this.#buffer.length > KEPT_MAX_BYTES) this.#buffer = Buffer.allocUnsafeSlow(START_BYTES);
  }

  add({ n, atMs, flags, text }: RecordToWrite): void {
    const prefix = `{"n":${n},`;
    // A UTF-16 unit takes three bytes at most.
    this.#reserve(RECORD_HEAD_BYTES + prefix.length + text.length * 3);
    const buffer = this.#buffer;
    const at = this.#length;
    const payload = at + RECORD_HEAD_BYTES;
    // The text's own brace is written over by the comma of the prefix.
    const end = payload + prefix.length - 1 + buffer.write(text, payload + prefix.length - 1, "utf8");
    buffer.write(prefix, payload, "latin1");
    buffer.writeUInt32LE(end - payload, at + 4);
    buffer.writeUIntLE(n, at + 8, 6);
    buffer.writeUInt16LE(flags, at + 14);
    buffer.writeUIntLE(Math.max(0, atMs), at + 16, 6);
    buffer.writeUInt16LE(0, at + 22);
    buffer.writeUInt32LE(crc32c(buffer, at + 4, end), at);
    this.#length = end;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
