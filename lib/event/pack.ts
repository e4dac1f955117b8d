import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { HearthlineError } from "../base/errors.ts";

/** No packed body may unfold to more: what a relay packs is far below (chosen by us; a zip bomb meets it). */
export const UNPACKED_MAX_BYTES = 8 * 1024 * 1024;

/** Values to base64 of zstd (level 3) of JSON lines: SQS takes text only, so compressed bytes must be base64. */
export const packLines = (values: readonly unknown[]): string =>
  packTextLines(values.map((value) => JSON.stringify(value)));

/** As `packLines`, of lines that are JSON text already. */
export function packTextLines(lines: readonly string[]): string {
  const params = { [constants.ZSTD_c_compressionLevel]: 3 };
  return zstdCompressSync(lines.join("\n"), { params }).toString("base64");
}

/**
 * The lines of a packed body, still as text: each is parsed by itself so that a broken one costs nothing but itself.
 * @throws HearthlineError `envelope_body_broken` (not base64, not zstd, cut short), `envelope_too_large` (unfolds to over UNPACKED_MAX_BYTES).
 */
export function unpackLines(body: string): string[] {
  let text: string;
  try {
    text = zstdDecompressSync(Buffer.from(body, "base64"), { maxOutputLength: UNPACKED_MAX_BYTES }).toString("utf8");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new HearthlineError("envelope_too_large", `The body unfolds to more than ${UNPACKED_MAX_BYTES} bytes.`, {
        cause: thrown,
      });
    }
    throw new HearthlineError(
      "envelope_body_broken",
      `The body of ${body.length} characters is no whole zstd frame in base64.`,
      { cause: thrown },
    );
  }
  return text === "" ? [] : text.split("\n");
}
