import { describe, expect, it } from "vitest";
import type { HearthlineError } from "../../lib/base/errors.ts";
import { keyIdOf } from "../../lib/event/index.ts";
import { checksumOf } from "../../lib/migration/report.ts";
import { readSignedReport, requireSignature, signed } from "../../lib/migration/report-signature.ts";

const keyOf = (fill: number) => {
  const secret = Buffer.alloc(32, fill);
  return { id: keyIdOf(secret), secret };
};
const KEY = keyOf(7);
type Body = Parameters<typeof signed>[0];
const bodyOf = (members: object = { state: "complete" }) => {
  const body = { home_id: "home", id: "m", ...members };
  return { ...body, checksum: checksumOf(body) } as unknown as Body;
};
function errorOf(work: () => unknown): Pick<HearthlineError, "code"> | undefined {
  try {
    work();
    return undefined;
  } catch (thrown) {
    return thrown as HearthlineError;
  }
}
const kept = (report: object): unknown => JSON.parse(JSON.stringify(report));

describe("the signature of a report", () => {
  it("is good for the report that it was made for, over JSON and in any order of members", () => {
    const report = signed(bodyOf(), KEY);
    expect(report.signature).toMatchObject({ algorithm: "HMAC-SHA256", key_id: KEY.id });
    const turned = Object.fromEntries(Object.entries(kept(report) as object).reverse());
    for (const one of [kept(report), turned]) requireSignature(readSignedReport(one), KEY);
    expect(JSON.stringify(report)).not.toContain(KEY.secret.toString("base64"));
    expect(signed(bodyOf(), KEY).signature).toEqual(report.signature);
  });

  it("is no other home's, no other key's, no other report's, and no envelope's", () => {
    const report = signed(bodyOf(), KEY);
    const other = keyOf(8);
    const wrong = [
      { ...report, signature: signed(bodyOf(), other).signature },
      { ...report, signature: signed(bodyOf({ state: "rolled_back" }), KEY).signature },
      { ...report, signature: { ...signed(bodyOf(), other).signature, key_id: KEY.id } },
      { ...report, signature: { ...report.signature, mac: "0".repeat(64) } },
    ];
    for (const one of wrong)
      expect(errorOf(() => requireSignature(readSignedReport(kept(one)), KEY))).toMatchObject({
        code: "report_signature_wrong",
      });
    expect(errorOf(() => requireSignature(readSignedReport(kept(report)), other))).toMatchObject({
      code: "report_signature_wrong",
    });
  });

  it("is of every member: none can be changed, added, left out or moved; and of every letter", () => {
    const members = {
      figures: { reads: 7, error_percent: null },
      history: [{ reason: "Größe, 日本, \u{1f600}, \ud800" }, {}],
    };
    const report = kept(signed(bodyOf(members), KEY)) as Record<string, unknown>;
    requireSignature(readSignedReport(report), KEY);
    const changed = [
      ...Object.keys(report)
        .filter((name) => name !== "signature")
        .flatMap((name) => [
          { ...report, [name]: undefined },
          { ...report, [name]: "0".repeat(64) },
        ]),
      { ...report, more: 1 },
      { ...report, figures: { reads: 7 } },
      { ...report, history: (report.history as unknown[]).toReversed() },
      { ...report, history: [{ reason: "Gro\u0308ße, 日本, \u{1f600}, \ud800" }, {}] },
    ];
    for (const one of changed)
      expect(errorOf(() => requireSignature(readSignedReport(kept(one)), KEY))?.code).toMatch(/^report_/);
    const deep = `${"[".repeat(60_000)}${"]".repeat(60_000)}`;
    const nested = JSON.parse(`${JSON.stringify(report).slice(0, -1)},"more":${deep}}`);
    expect(errorOf(() => readSignedReport(nested))).toMatchObject({ code: "report_changed" });
  });

  it("is told apart: changed, unsigned, no report at all", () => {
    const report = signed(bodyOf(), KEY);
    // With a checksum of its own: whoever can count a checksum has no key yet.
    const forged = { ...bodyOf({ state: "rolled_back" }), signature: report.signature };
    const codeOf = (given: unknown) => errorOf(() => readSignedReport(given))?.code;
    expect(codeOf({ ...report, state: "rolled_back" })).toBe("report_changed");
    expect(codeOf({ ...report, more: 1 })).toBe("report_changed");
    expect(errorOf(() => requireSignature(readSignedReport(kept(forged)), KEY))).toMatchObject({
      code: "report_signature_wrong",
    });
    expect(codeOf(bodyOf())).toBe("report_unsigned");
    expect(codeOf({ ...bodyOf(), signature: null })).toBe("report_unsigned");
    for (const none of [{}, null, "x", { ...report, signature: { algorithm: "none" } }, { ...report, checksum: 1 }])
      expect(codeOf(none)).toBe("report_malformed");
  });
});
