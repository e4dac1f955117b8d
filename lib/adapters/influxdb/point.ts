import type { Microseconds } from "../../base/time.ts";
import { type HomeEvent, rankOf } from "../../event/index.ts";
import { LocalTimes } from "../../series/columns/local-time.ts";
import { CODED_STATE, flagsOf, GONE, withSizes } from "./flags.ts";
import { moreOf } from "./more.ts";
import { encodeName } from "./names.ts";

/**
 * How an event lies in InfluxDB: one point of one measurement. Tags: `home_id`, `entity_id`, `rank`. What can change when an event is written again (area, device, domain) is no tag, because
 * another tag is another point. `rank` is one, and so two writers need no look at what is there: each rank has a point of its own, the highest is read (`rankOf`), and a rewrite replaces its own.
 * Every field is written always and has one type for ever: InfluxDB keeps the old value of a field that a rewrite leaves out, and refuses a second type.
 * (`value` is left out where there is none; then `flags` say so, and it is not looked at.)
 */
export const MEASUREMENT = "hearthline_events";

/** InfluxDB documents 64 KB for a string. Source: docs.influxdata.com, "Line protocol reference", 1.x to 3.x; read 2026-11. */
const STRING_MAX_BYTES = 60_000;

/** The tag `rank`: of a removal with an `r` before it, because it is an event beside a state of the same moment. */
export const rankTag = (event: HomeEvent): string => `${event.kind === "removed" ? "r" : ""}${rankOf(event)}`;

const escapeText = (text: string): string => `"${text.replaceAll(/[\\"]/g, "\\$&")}"`;
// Line ends, other controls, and what has to be escaped.
const CODED = /[\p{Cc}\\"]/u;

/** Encodes events to lines; one for each batch, because it remembers the day. */
export function createLines(): (event: HomeEvent) => string {
  const localTimes = new LocalTimes();
  return (event) => {
    const isCoded = CODED.test(event.state) || !event.state.isWellFormed();
    const state = isCoded ? JSON.stringify(event.state) : event.state;
    const [more = "", ...rest] = pieces(moreOf(event, localTimes));
    const value = typeof event.value === "boolean" ? Number(event.value) : event.value;
    const fields = [
      `area=${escapeText(encodeOptional(event.areaId))},device=${escapeText(encodeOptional(event.deviceId))}`,
      `,domain=${escapeText(encodeName(event.domain))},state=${escapeText(state)}`,
      `${value === undefined ? "" : `,value=${Object.is(value, -0) ? "-0" : value}`},more=${escapeText(more)}`,
      ...rest.map((piece, index) => `,more_${index + 2}=${escapeText(piece)}`),
    ].join("");
    const sizes = { extra: rest.length, characters: fields.length };
    const flags = withSizes(flagsOf(event) | (isCoded ? CODED_STATE : 0), sizes);
    return pointOf(event, rankTag(event), `flags=${flags}i,${fields}`);
  };
}

/** What takes the place of a pruned event in the same series, where nothing can be deleted. */
export const goneLine = (place: { homeId: string; entityId: string; atUs: Microseconds }, rank: string): string =>
  pointOf(place, rank, `flags=${GONE}i,area="",device="",domain="",state="",more=""`);

function pointOf(
  { homeId, entityId, atUs }: { homeId: string; entityId: string; atUs: Microseconds },
  rank: string,
  fields: string,
): string {
  return `${MEASUREMENT},entity_id=${encodeName(entityId)},home_id=${encodeName(homeId)},rank=${rank} ${fields} ${nanoseconds(atUs)}`;
}

/** Nanoseconds as text: no double holds them. */
export const nanoseconds = (atUs: Microseconds): string => (atUs === 0 ? "0" : `${atUs}000`);

const encodeOptional = (id: string | undefined): string => (id === undefined ? "" : encodeName(id));

/** Of at most so many bytes each, cut between characters. */
function pieces(text: string): string[] {
  if (text.length * 3 <= STRING_MAX_BYTES) return [text];
  const bytes = Buffer.from(text);
  const cut: string[] = [];
  for (let from = 0; from < bytes.length; ) {
    let to = Math.min(from + STRING_MAX_BYTES, bytes.length);
    while (to < bytes.length && ((bytes[to] ?? 0) & 0xc0) === 0x80) to--;
    cut.push(bytes.toString("utf8", from, to));
    from = to;
  }
  return cut;
}
