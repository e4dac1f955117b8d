/** What YAML 1.1 and 1.2 both take for text as it stands: services, entity ids, kinds of triggers. */
const PLAIN = /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?$/;
/** Of these, what one of the two takes for something else. */
const RESERVED: ReadonlySet<string> = new Set(["y", "n", "yes", "no", "on", "off", "true", "false", "null"]);
/** Characters that must not stand in YAML as they are, though they may in JSON. */
const UNPRINTABLE = /[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/g;

type Members = Readonly<Record<string, unknown>>;

/** An automation as people put it into their files: block style; every text that YAML could read as a number, a time or a truth is in quotes, so that `on` stays a word. */
export function toYaml(automation: Members): string {
  return `${blockOf(JSON.parse(JSON.stringify(automation)), "")}\n`;
}

/** The lines of a value that is not empty, all but the first with their indent. */
function blockOf(value: unknown, indent: string): string {
  const lines = Array.isArray(value)
    ? value.map((item: unknown) => `- ${isNested(item) ? blockOf(item, `${indent}  `) : scalarOf(item)}`)
    : Object.entries(value as Members).map(([key, member]) => `${textOf(key)}:${memberOf(member, `${indent}  `)}`);
  return lines.join(`\n${indent}`);
}

const memberOf = (value: unknown, indent: string): string =>
  isNested(value) ? `\n${indent}${blockOf(value, indent)}` : ` ${scalarOf(value)}`;

const isNested = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Object.keys(value).length > 0;

function scalarOf(value: unknown): string {
  if (typeof value === "string") return textOf(value);
  // PyYAML takes 1e+21 for text: it wants a point before the exponent.
  if (typeof value === "number") return String(value).replace(/^(-?\d+)e/, "$1.0e");
  return JSON.stringify(value);
}

/** Escapes are those of JSON, which YAML has too; half a character, which it has not, becomes U+FFFD. */
const textOf = (text: string): string =>
  PLAIN.test(text) && !RESERVED.has(text)
    ? text
    : JSON.stringify(text.toWellFormed()).replaceAll(
        UNPRINTABLE,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
      );
