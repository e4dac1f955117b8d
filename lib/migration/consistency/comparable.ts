import { pythonFloat } from "../../base/python-float.ts";
import type { Microseconds } from "../../base/time.ts";
import { type HomeEvent, SECRET_STATE } from "../../event/index.ts";
import { canonicalJson } from "../../series/canonical.ts";
import type { OldLimits, OldRow } from "../ports.ts";

/** What of a row both sides hold alike: equal rows have equal members, and only they. */
export interface ComparableRow {
  readonly entityId: string;
  /** Cut to what OLD's stamps can say. */
  readonly atUs: Microseconds;
  readonly text: string;
  /** OLD may have it and then must have it so; that it has it not is no difference: a state of a start of Home Assistant, of a snapshot, or what only NEW was given. */
  readonly mayLack?: true;
  /** NEW was told `[secret]` in place of the state: whatever OLD holds at that moment is no difference, and is nobody's to show. */
  readonly isSecret?: true;
}

export interface ComparableLimits extends OldLimits {
  /** Whoever feeds OLD listens from the first state of a start of Home Assistant on. (Its own integration is set up in the middle of one.) */
  readonly isStartWhole?: boolean;
}

/** A row of either side. */
export type SideRow = HomeEvent | OldRow;

export const isEvent = (row: SideRow): row is HomeEvent => "kind" in row;

/** No state begins so: those that do get a mark before it. */
const REMOVED = "\u0000";
const MARK = "\u0001";
const FIRST_PLAIN_CODE = 0x20;
// What Python's splitlines() splits at; what it makes one line of is joined by spaces, a last line end is dropped. Older exporters (Home Assistant 2026.2) write a line feed as the two characters \n.
const LINE_ENDS = new RegExp(
  `\\r(?:\\n|\\\\n)|\\\\n|[${String.fromCharCode(10, 11, 12, 13, 28, 29, 30, 0x85, 0x2028, 0x2029)}]`,
);

/** undefined: OLD cannot hold such a row, by design. Pure. */
export function comparable(row: SideRow, limits: ComparableLimits): ComparableRow | undefined {
  const isOurs = isEvent(row);
  const state = isOurs && row.kind === "removed" ? null : row.state;
  const text = textOf(row, state, limits);
  if (text === undefined) return undefined;
  const { precisionUs } = limits;
  const atUs = precisionUs === 1 ? row.atUs : Math.floor(row.atUs / precisionUs) * precisionUs;
  const plain = { entityId: row.entityId, atUs, text };
  if (!isOurs) return plain;
  const said = mayLack(row, limits) ? { ...plain, mayLack: true as const } : plain;
  return row.state === SECRET_STATE ? { ...said, isSecret: true } : said;
}

/** What was given to NEW's API alone, what was read as a snapshot, and hours of statistics are states too, but nobody has told OLD of them. */
const mayLack = ({ kind, source }: HomeEvent, { isStartWhole }: ComparableLimits): boolean =>
  kind === "snapshot" || source === "api" || (kind === "restore" && isStartWhole !== true);

function textOf(row: SideRow, state: string | null, limits: ComparableLimits): string | undefined {
  if (state === null) return limits.hasRemovals ? REMOVED : undefined;
  const own = stateText(state, limits);
  if (own === undefined) return undefined;
  const isMore = limits.attributes === "full" || limits.hasLastChanged === true;
  // JSON values one after the other can be read in one way only.
  if (isMore) return moreOf(row, own, limits);
  return own !== "" && own.charCodeAt(0) < FIRST_PLAIN_CODE ? MARK + own : own;
}

function moreOf(row: SideRow, state: string, { attributes, hasLastChanged, precisionUs }: ComparableLimits): string {
  const { lastChangedUs } = row;
  const changed = lastChangedUs === undefined ? "null" : Math.floor(lastChangedUs / precisionUs) * precisionUs;
  const parts = [JSON.stringify(state)];
  if (hasLastChanged === true) parts.push(String(changed));
  if (attributes === "full") parts.push(canonicalJson(row.attributes ?? {}));
  return parts.join(" ");
}

function stateText(state: string, limits: OldLimits): string | undefined {
  if (limits.statesLeftOut.includes(state)) return undefined;
  if ((limits.isNumberTextLost || limits.isFiniteOnly) && !isPlainNumber(state)) {
    const number = numberOf(state);
    if (number !== undefined) {
      if (limits.isFiniteOnly && !Number.isFinite(number)) return undefined;
      if (limits.isNumberTextLost) return String(number);
    }
  }
  return limits.isLineEndLost === true ? oneLine(state) : state;
}

/** At most 15 digits, none too many: a double gives back the same text. */
const PLAIN_NUMBER = /^-?(?:0|[1-9]\d{0,8})(?:\.\d{0,5}[1-9])?$/;
const isPlainNumber = (state: string): boolean => PLAIN_NUMBER.test(state) && state !== "-0";

/** As Home Assistant's exporters read a state. Nearly every state that is none begins with a letter, and only two letters begin a number. */
function numberOf(state: string): number | undefined {
  const code = state.charCodeAt(0) | 0x20;
  if (code >= 0x61 && code <= 0x7a && code !== 0x69 && code !== 0x6e) return undefined;
  return pythonFloat(state);
}

function oneLine(state: string): string {
  if (!LINE_ENDS.test(state)) return state;
  const lines = state.split(LINE_ENDS);
  if (lines.at(-1) === "") lines.pop();
  return lines.join(" ");
}
