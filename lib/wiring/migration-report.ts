import { createDynamodbHomeKeys } from "../adapters/dynamodb/home-keys.ts";
import { HearthlineError } from "../base/errors.ts";
import { type HomeKey, keyIdOf } from "../event/index.ts";
import type { HomeKeyring } from "../ingest/ports.ts";
import { readSignedReport, requireSignature, type SignedReport } from "../migration/report-signature.ts";
import { type CloudOptions, createCloud } from "./aws.ts";
import { readConfig } from "./config.ts";

/** By whom a kept report is signed. */
export interface VerifiedReport {
  readonly homeId: string;
  readonly keyId: string;
  readonly checksum: string;
  /** Where the key was found. */
  readonly keyFrom: "settings" | "cloud";
}

/**
 * Checks checksum and signature of a report: with the key of the settings (HEARTHLINE_HOME_KEY) when that is the one that it names, else with the home's in the cloud.
 * @throws HearthlineError `report_malformed`, `report_unsigned`, `report_changed`, `report_signature_wrong`, `report_key_unknown`, and fate-`retry` service errors
 */
export async function verifyReport(
  report: unknown,
  env: Readonly<Record<string, string | undefined>>,
  options: CloudOptions = {},
): Promise<VerifiedReport> {
  const read = readSignedReport(report);
  const config = readConfig(env);
  const { key_id: keyId } = read.signature;
  const given = config.HEARTHLINE_HOME_KEY;
  const secret = given === undefined ? undefined : Buffer.from(given, "base64");
  const isGiven = secret !== undefined && keyIdOf(secret) === keyId;
  const key = isGiven
    ? { id: keyId, secret }
    : await keyOf(read, createDynamodbHomeKeys(createCloud(config, { env, ...options }).table));
  requireSignature(read, key);
  return { homeId: read.home_id, keyId, checksum: read.checksum, keyFrom: isGiven ? "settings" : "cloud" };
}

async function keyOf({ home_id: homeId, signature }: SignedReport, keys: HomeKeyring): Promise<HomeKey> {
  const { key_id: keyId } = signature;
  const found = await keys.find(homeId, keyId);
  if (found) return found;
  const retiredAt = (await keys.list(homeId)).find(({ id }) => id === keyId)?.retiredAt;
  const why = retiredAt === undefined ? "the home has no such key" : `that key was retired at ${retiredAt}`;
  throw new HearthlineError(
    "report_key_unknown",
    `The report of the home "${homeId}" names the key "${keyId.slice(0, 64)}" as its signer, but ${why}; wanted is that key in HEARTHLINE_HOME_KEY, or in the cloud that these settings lead to.`,
  );
}
