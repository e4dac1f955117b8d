import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import * as z from "zod";
import type { WireMigrationReport } from "../api/ports.ts";
import { HearthlineError } from "../base/errors.ts";
import type { HomeKey } from "../event/index.ts";
import { isReportWhole, type ReportBody } from "./report.ts";

const ALGORITHM = "HMAC-SHA256";
/** The home's key signs envelopes itself: what is derived for another purpose can never be taken for one of them. */
const PURPOSE = "hearthline migration report 1";
const KEY_BYTES = 32;

/** With whoever holds the home's key: that it is the home's own report of it, and as it was made. */
export const signed = (report: ReportBody, key: HomeKey): WireMigrationReport => ({
  ...report,
  signature: { algorithm: ALGORITHM, key_id: key.id, mac: macOf(report, key).toString("hex") },
});

/** The checksum is of all else; the home and the key are named once more, so that no part can be moved to another. */
function macOf({ home_id: homeId, checksum }: Pick<ReportBody, "home_id" | "checksum">, key: HomeKey): Buffer {
  const derived = Buffer.from(hkdfSync("sha256", key.secret, "", PURPOSE, KEY_BYTES));
  return createHmac("sha256", derived)
    .update(JSON.stringify([homeId, key.id, checksum]))
    .digest();
}

const hex = (characters: number) => z.string().regex(new RegExp(`^[0-9a-f]{${characters}}$`));
const signedSchema = z.looseObject({
  home_id: z.string().min(1).max(64),
  checksum: hex(64),
  signature: z.object({ algorithm: z.literal(ALGORITHM), key_id: z.string().min(1).max(64), mac: hex(64) }),
});

/** What a report says of who has signed it; nothing of it is proved yet. */
export type SignedReport = z.infer<typeof signedSchema>;

/** @throws HearthlineError `report_malformed` (it is none), `report_unsigned`, `report_changed` (its checksum is of something else) */
export function readSignedReport(report: unknown): SignedReport {
  const { signature } = (typeof report === "object" && report !== null ? report : {}) as { signature?: unknown };
  if (isReportWhole(report) && (signature === undefined || signature === null))
    throw new HearthlineError(
      "report_unsigned",
      "The report is as it was made, but nobody has signed it; wanted is one that `hearthline migrate report --json` gives.",
    );
  const parsed = signedSchema.safeParse(report);
  if (!parsed.success)
    throw new HearthlineError(
      "report_malformed",
      `This is no signed report of a migration: ${z.prettifyError(parsed.error).replaceAll("\n", " ").slice(0, 300)}`,
    );
  if (!isReportWhole(report))
    throw new HearthlineError(
      "report_changed",
      `The report is not as it was made: its checksum "${parsed.data.checksum}" is of something else.`,
    );
  return parsed.data;
}

/** @throws HearthlineError `report_signature_wrong` */
export function requireSignature(report: SignedReport, key: HomeKey): void {
  const given = Buffer.from(report.signature.mac, "hex");
  const wanted = macOf(report, key);
  if (key.id === report.signature.key_id && given.length === wanted.length && timingSafeEqual(given, wanted)) return;
  throw new HearthlineError(
    "report_signature_wrong",
    `The report of the home "${report.home_id}" is not signed by its key "${report.signature.key_id}".`,
  );
}
