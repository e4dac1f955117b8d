import type { Clock } from "../../base/clock.ts";
import { HearthlineError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { JournalFiles } from "./files.ts";
import { decodeHeader, FORMAT_VERSION, firstOf, HEADER_MAX_BYTES, type HeaderRead } from "./format.ts";
import { isReadError } from "./lenient-file.ts";
import type { JournalOptions } from "./options.ts";
import type { Segment } from "./segment.ts";

/** So many headers are read at once. */
const AT_ONCE = 16;

/**
 * All segments that are there, ascending, by their headers alone; `relayId` of the newest whole header.
 * @throws HearthlineError `data_folder_unusable`
 */
export async function readSegments(
  options: JournalOptions,
  relayIdOfState: string | undefined,
): Promise<{ readonly segments: readonly Segment[]; readonly relayId: string | undefined }> {
  const listed = (await options.files.list())
    .flatMap(({ name, bytes }) => {
      const first = firstOf(name);
      return first === undefined || bytes === 0 ? [] : [{ name, bytes, first }];
    })
    .sort((a, b) => a.first - b.first);
  const segments: Segment[] = [];
  let relayId = relayIdOfState;
  let readError: unknown;
  for (let from = 0; from < listed.length; from += AT_ONCE) {
    const part = listed.slice(from, from + AT_ONCE);
    const headers = await Promise.all(part.map(({ name }) => readHeader(options, name)));
    readError ??= headers.find(({ error }) => error !== undefined)?.error;
    for (const [index, file] of part.entries()) {
      const read = headers[index] ?? { is: "damaged" };
      relayId ??= read.is === "good" ? read.header.relay_id : undefined;
      refuseForeign(read, { name: file.name, relayId, options });
      const isGood = read.is === "good" && read.header.first === file.first;
      if (!isGood)
        options.log.error("The header of a segment is damaged: its records are looked for.", { name: file.name });
      segments.push({
        ...file,
        createdMs: isGood ? read.header.created_ms : options.clock.nowMs(),
        headerBytes: isGood ? read.bytes : 0,
        ...(isGood && { header: read.header }),
        isDamaged: !isGood,
        isGone: false,
      });
    }
  }
  // Not one file can be read: that is no damage, but a disk that is away.
  if (relayId === undefined && readError !== undefined) throw readError;
  return { segments, relayId };
}

/** What the disk cannot read counts as damaged: its records are looked for when it is read. */
async function readHeader(
  { files, log }: JournalOptions,
  name: string,
): Promise<HeaderRead & { readonly error?: unknown }> {
  try {
    const file = await files.open(name, "read");
    try {
      const bytes = Buffer.alloc(HEADER_MAX_BYTES);
      return decodeHeader(bytes.subarray(0, await file.read(bytes, 0, bytes.length)));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!isReadError(error)) throw error;
    log.error("The disk cannot read the header of a segment.", { name, error });
    return { is: "damaged", error };
  }
}

function refuseForeign(
  read: HeaderRead,
  { name, relayId, options }: { name: string; relayId: string | undefined; options: JournalOptions },
): void {
  const { homeId, files } = options;
  const refuse = (state: string) => {
    throw new HearthlineError(
      "data_folder_unusable",
      `Opening the spool "${files.path}": its file "${name}" ${state}.`,
    );
  };
  if (read.is === "newer") {
    refuse(
      `has format version "${read.version}", this program knows ${FORMAT_VERSION}; wanted is the newer Hearthline that wrote it`,
    );
  }
  if (read.is !== "good") return;
  if (read.header.home_id !== homeId) {
    refuse(
      `belongs to the home "${read.header.home_id}", the setting HEARTHLINE_HOME_ID is "${homeId}"; wanted is that home's id, or another data folder`,
    );
  }
  if (read.header.relay_id !== relayId) {
    refuse(
      `belongs to the relay "${read.header.relay_id}", the others to "${relayId}"; wanted are the files of one relay: move this one elsewhere`,
    );
  }
}

/** Gives a file a name that the spool does not read. What fails is logged: the next start tries again. */
export async function setAside(
  files: JournalFiles,
  name: string,
  { clock, log }: { clock: Clock; log: Logger },
): Promise<void> {
  const stamp = new Date(clock.nowMs()).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const aside = `${name}.damaged-${stamp}`;
  try {
    await files.rename(name, aside);
    await files.syncFolder();
    log.error("A damaged file of the spool was set aside.", { name, aside });
  } catch (thrown) {
    log.error("A damaged file of the spool could not be set aside.", { name, error: thrown });
  }
}
