import { type ByteReader, type ByteWriter, IntColumn } from "./bytes.ts";
import { damaged } from "./damaged.ts";

/** Texts, each kept once, by number. */
export class TextTable {
  readonly #codes = new Map<string, number>();

  codeOf(text: string): number {
    let code = this.#codes.get(text);
    if (code === undefined) {
      code = this.#codes.size;
      this.#codes.set(text, code);
    }
    return code;
  }

  /** All texts in one piece, so that two halves of a surrogate pair that two texts end and begin with come back as they were. */
  write(writer: ByteWriter): void {
    const lengths = new IntColumn(this.#codes.size);
    for (const text of this.#codes.keys()) lengths.push(text.length);
    writer.ints(lengths);
    writer.text([...this.#codes.keys()].join(""));
  }
}

export function readTexts(reader: ByteReader): string[] {
  const lengths = reader.ints();
  const all = reader.text();
  const texts: string[] = [];
  let at = 0;
  for (const length of lengths) {
    texts.push(all.slice(at, at + length));
    at += length;
  }
  if (at !== all.length) throw damaged("its texts are not as long as they should be");
  return texts;
}

/** A JSON value to compare others with: its first level is looked at without making anything. */
export class JsonMemory {
  #value: unknown;
  #names: readonly string[] = [];

  set(value: unknown): void {
    this.#value = value;
    this.#names = typeof value === "object" && value !== null ? Object.keys(value) : [];
  }

  /** True when both would be the same JSON text; members in another order are not the same. */
  isSame(value: object): boolean {
    const known = this.#value as Record<string, unknown>;
    const names = this.#names;
    let at = 0;
    for (const name in value) {
      if (name !== names[at]) return false;
      const member = (value as Record<string, unknown>)[name];
      if (member !== known[name] && !sameJson(member, known[name])) return false;
      at++;
    }
    return at === names.length;
  }
}

function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, at) => sameJson(item, b[at]));
  if (Array.isArray(a) || Array.isArray(b)) return false;
  const names = Object.keys(a);
  const others = Object.keys(b);
  if (names.length !== others.length) return false;
  return names.every((name, at) => {
    const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
    return name === others[at] && sameJson(one[name], other[name]);
  });
}
