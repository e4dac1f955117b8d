import { formatIsoUs } from "../../lib/base/time.ts";
import type { HistoryImported } from "../../lib/wiring/history.ts";
import { printable } from "./output.ts";
import { durationText } from "./progress.ts";

/** So many rejected rows are shown to people; `--json` names more. */
const LISTED_MAX = 20;

const rangeOf = ({ firstUs, lastUs }: HistoryImported) =>
  firstUs === undefined || lastUs === undefined ? undefined : { from: formatIsoUs(firstUs), to: formatIsoUs(lastUs) };

/** As `--json` prints it. `rejected.rows` names the first hundred; `count` is of all. */
export function importJson(imported: HistoryImported) {
  const { source, rejected, skipped, secrets } = imported;
  const range = rangeOf(imported);
  return {
    home_id: imported.homeId,
    source: { kind: source.kind, name: source.name },
    finished: imported.isFinished,
    read: imported.read,
    imported: imported.imported,
    resent: imported.resent,
    skipped,
    rejected: {
      count: rejected.count,
      by_code: rejected.byCode,
      rows: rejected.shown.map(({ place, code, detail }) => ({
        ...(place !== undefined && { [source.placeName]: place }),
        code,
        detail,
      })),
    },
    out_of_order: imported.outOfOrder,
    ...(range && { range }),
    past_raw_retention: { days: imported.rawDays, count: imported.pastRaw },
    secrets: { attributes_left_out: secrets.stripped, texts_replaced: secrets.redacted },
    relay_id: imported.relayId,
    sequence: imported.sequence,
    messages: imported.messages,
    remarks: imported.remarks,
    duration_ms: Math.round(imported.durationMs),
  };
}

const count = (number: number): string => number.toLocaleString("en");

/** For people. */
export function importText(imported: HistoryImported): string {
  const { source, rejected, skipped, read, outOfOrder, resent, durationMs, pastRaw, rawDays } = imported;
  const range = rangeOf(imported);
  const name = printable(source.name);
  if (read === 0 && resent === 0) return `nothing new in "${name}"`;
  const skips = Object.entries(skipped).filter(([, number]) => number > 0);
  const rate = durationMs > 0 ? ` (${count(Math.round((read * 1000) / durationMs))} rows/s)` : "";
  const lines = [
    `imported   ${count(imported.imported)} of ${count(read)} rows of "${name}" into home "${imported.homeId}" in ${durationText(durationMs)}${rate}`,
    ...(range ? [`range      ${range.from} to ${range.to}`] : []),
    ...(pastRaw > 0
      ? [
          `old        ${count(pastRaw)} are older than ${rawDays} days (HEARTHLINE_RAW_DAYS): the next nightly job deletes them from the store; to keep them, set it higher there before it runs`,
        ]
      : []),
    ...(resent > 0 ? [`of these   ${count(resent)} that an interrupted import had not finished`] : []),
    ...(skips.length > 0 ? [`skipped    ${skips.map(([why, number]) => `${why} ${count(number)}`).join(", ")}`] : []),
    ...(outOfOrder > 0
      ? [
          `unordered  ${count(outOfOrder)} older than the row before of their entity: they count as no change (sort the file by last_updated for that)`,
        ]
      : []),
  ];
  if (rejected.count > 0) {
    const codes = Object.entries(rejected.byCode).map(([code, number]) => `${code} ${count(number)}`);
    lines.push(`rejected   ${count(rejected.count)}: ${codes.join(", ")}`);
    for (const { place, code, detail } of rejected.shown.slice(0, LISTED_MAX))
      lines.push(`  ${place === undefined ? "" : `${source.placeName} ${place}: `}${code}: ${printable(detail)}`);
    if (rejected.count > LISTED_MAX) lines.push(`  and ${count(rejected.count - LISTED_MAX)} more`);
  }
  return lines.join("\n");
}
