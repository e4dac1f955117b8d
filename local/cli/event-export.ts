import { randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { type Command, Option } from "commander";
import { messageOf } from "../../lib/base/errors.ts";
import { formatIsoUs, parseIsoUs } from "../../lib/base/time.ts";
import { eventPages, type Filters, queryOf, withFilters } from "./event-pages.ts";
import { EXPORT_FORMATS, type ExportFormat, FORMATS } from "./export-formats.ts";
import { CommandFailure } from "./outcome.ts";
import { createProgressBar } from "./progress.ts";
import type { Tools } from "./tools.ts";

interface ExportFlags extends Filters {
  readonly format: ExportFormat;
  readonly output: string;
  readonly force?: boolean;
}

const HELP = `
Oldest first, until now unless --to says otherwise. The file is there when it is whole, never before: what was written until an error or Ctrl-C is deleted again.

jsonl    one event a line, as the API shows it; "hearthline history import --file" takes it back
csv      for spreadsheets; attributes as JSON in the last column. A text that a spreadsheet would run as a formula (it begins with = + - @ and is no number) gets an apostrophe in front
parquet  typed columns, zstd; for DuckDB, pandas and the like`;

/** `events export` */
export function addExportCommand(events: Command, tools: Tools): void {
  withFilters(events.command("export").description("events as a file: JSONL, CSV or Parquet"))
    .addOption(new Option("--format <format>", "of the file").choices(EXPORT_FORMATS).default("jsonl"))
    .requiredOption("--output <file>", "where to")
    .option("--force", "also over a file that is there")
    .addHelpText("after", HELP)
    .action((flags: ExportFlags) => exportEvents(flags, tools));
}

async function exportEvents(flags: ExportFlags, tools: Tools): Promise<void> {
  const { api, output, clock, signal } = tools();
  const { format, output: path, force = false } = flags;
  const fromUs = timeOf(flags.from, "--from");
  const toUs = timeOf(flags.to, "--to") ?? clock.nowMs() * 1000;
  if (!force && existsSync(path)) {
    throw new CommandFailure(2, `"${path}" is there already; choose another file, or add --force to replace it.`);
  }
  const bar = output.draw ? createProgressBar(output.draw, clock) : undefined;
  const file = await createWholeFile(path);
  let count = 0;
  try {
    const writer = await FORMATS[format](file.write);
    const query = { ...queryOf(flags), to: formatIsoUs(toUs), order: "asc" };
    let firstUs = fromUs;
    for await (const events of eventPages(query, { api, clock, signal })) {
      await writer.write(events);
      count += events.length;
      const [first, last] = [events[0], events.at(-1)];
      if (!first || !last) continue;
      firstUs ??= parseIsoUs(first.last_updated);
      const done = (parseIsoUs(last.last_updated) - firstUs) / Math.max(1, toUs - firstUs);
      bar?.show({ rows: count, fraction: Math.min(1, Math.max(0, done)) });
    }
    if (signal.aborted) throw new CommandFailure(1, `Stopped; "${path}" was not written.`);
    await writer.finish();
    const bytes = await file.finish({ isNew: !force });
    bar?.end();
    const made = { file: path, format, events: count, bytes };
    output.data(made, () => `${path}: ${count.toLocaleString("en")} events, ${bytes.toLocaleString("en")} bytes`);
  } catch (thrown) {
    bar?.end();
    await file.drop();
    throw thrown;
  }
}

/** A file that is there when it is whole: written beside its place, synced, then renamed. */
async function createWholeFile(path: string) {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.part`;
  const failure = (thrown: unknown) =>
    new CommandFailure(1, `"${path}" cannot be written: ${messageOf(thrown)}. Wanted is a folder with free space.`);
  let handle: FileHandle;
  try {
    handle = await open(temporary, "wx", 0o600);
  } catch (thrown) {
    throw failure(thrown);
  }
  let bytes = 0;
  return {
    write: async (piece: Uint8Array): Promise<void> => {
      try {
        for (let at = 0; at < piece.length; ) at += (await handle.write(piece, at)).bytesWritten;
      } catch (thrown) {
        throw failure(thrown);
      }
      bytes += piece.length;
    },
    /** Its length. `isNew`: never over another file. */
    finish: async ({ isNew }: { readonly isNew: boolean }): Promise<number> => {
      try {
        await handle.sync();
        await handle.close();
        if (isNew && existsSync(path)) throw new Error("it is there already");
        await rename(temporary, path);
        await syncFolder(dirname(path));
      } catch (thrown) {
        throw failure(thrown);
      }
      return bytes;
    },
    drop: async (): Promise<void> => {
      await handle.close().catch(() => {});
      rmSync(temporary, { force: true });
    },
  };
}

/** So that the new name outlives a power cut, where the system can. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

function timeOf(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  try {
    return parseIsoUs(text);
  } catch (thrown) {
    throw new CommandFailure(2, `${option}: ${messageOf(thrown)}`);
  }
}
