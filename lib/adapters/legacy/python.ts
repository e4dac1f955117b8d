/** What Python makes of values that came as JSON: Home Assistant's exporters write by its rules. */

export { pythonFloat } from "../../base/python-float.ts";

/** str(value) of what was no number: a text as it is, everything else as repr() writes it. */
export const pythonText = (value: unknown): string => (typeof value === "string" ? value : pythonRepr(value));

/** repr(value). Whole floats within lists are written as integers: JSON text does not tell 1.0 from 1 once it was read. */
function pythonRepr(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return reprNumber(value);
  if (typeof value === "string") return reprText(value);
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(", ")}]`;
  return `{${Object.entries(value)
    .map(([name, member]) => `${reprText(name)}: ${pythonRepr(member)}`)
    .join(", ")}}`;
}

/** Python changes to an exponent below 1e-4 and from 1e16 on, and writes it with two digits. */
function reprNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e16) return String(value);
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e16) return String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
// What str.isprintable() denies: control, format, surrogate, unassigned, private use, and every separator but the space.
const UNPRINTABLE = /[\\]|(?! )[\p{C}\p{Z}]/gu;

function reprText(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const hex = (digits: number) => code.toString(16).padStart(digits, "0");
    return ESCAPES[character] ?? (code < 0x100 ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`);
  });
  return `${quote}${quote === "'" ? escaped.replaceAll("'", "\\'") : escaped}${quote}`;
}
