import { readFileSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import { isHearthlineError, messageOf } from "../../lib/base/errors.ts";
import { isReportWhole } from "../../lib/wiring/migration-plan.ts";
import { verifyReport } from "../../lib/wiring/migration-report.ts";
import { addIdOption, type Counts, findMigration, MIGRATIONS } from "./migrate-client.ts";
import { countsText, figure } from "./migrate-text.ts";
import { CommandFailure } from "./outcome.ts";
import { printable, table } from "./output.ts";
import type { Tools } from "./tools.ts";

interface ReportAnswer {
  readonly id: string;
  readonly state: string;
  readonly verdict: string;
  readonly checksum: string;
  readonly signature: { readonly key_id: string; readonly algorithm: string } | null;
  readonly figures: {
    readonly downtime_seconds: number;
    readonly lost_events: number;
    readonly reads: number;
    readonly error_percent: number | null;
    readonly rows_compared: number;
    readonly consistent_percent: number | null;
  };
  readonly differences: Counts;
  readonly stages: readonly {
    readonly state: string;
    readonly percent: number;
    readonly from: string;
    readonly seconds: number;
    readonly verdict: string;
  }[];
}

interface Flags {
  readonly id?: string;
  readonly html?: string;
  readonly check?: string;
  readonly verify?: string;
}

/** `migrate report` */
export function addReportCommand(migrate: Command, tools: Tools): void {
  addIdOption(migrate.command("report"))
    .description(
      "the whole of it: figures, stages, differences, decisions; --json gives all of it, with its checksum and signature",
    )
    .option("--html <file>", "as one page that needs nothing else")
    .option("--check <file>", "whether a report that was kept as JSON is as it was made")
    .option(
      "--verify <file>",
      "the same, and by which key of the home it is signed; asks the cloud for the key, or HEARTHLINE_HOME_KEY",
    )
    .action((flags: Flags) => {
      if (flags.verify !== undefined) return verify(flags.verify, tools);
      return flags.check === undefined ? report(flags, tools) : check(flags.check, tools);
    });
}

async function report({ id, html }: Flags, tools: Tools): Promise<void> {
  const { api, output } = tools();
  const migration = await findMigration(api, id);
  const path = `${MIGRATIONS}/${encodeURIComponent(migration.id)}/report`;
  if (html !== undefined) {
    const page = await api.get<string>(`${path}.html`);
    write(html, page);
    output.remark(`The report is in "${html}".`);
    return;
  }
  const found = await api.get<ReportAnswer>(path);
  if (!isReportWhole(found)) throw new CommandFailure(1, "The report is not as it was made: its checksum is another.");
  output.data(found, () => textOf(found));
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (thrown) {
    throw new CommandFailure(2, `The report cannot be written to "${path}": ${messageOf(thrown)}`);
  }
}

function textOf({ id, state, verdict, figures: of, differences, stages, checksum, signature }: ReportAnswer): string {
  const rows = stages.map((stage) => [
    stage.state,
    `${stage.percent} %`,
    stage.from,
    `${figure(stage.seconds)} s`,
    stage.verdict,
  ]);
  return [
    printable(`migration ${id}: ${state}, ${verdict}`),
    `downtime        ${figure(of.downtime_seconds)} s`,
    `events lost     ${of.lost_events}`,
    `read errors     ${figure(of.error_percent)} % of ${of.reads} reads`,
    `consistent      ${of.consistent_percent === null ? "-" : of.consistent_percent} % of ${of.rows_compared} rows`,
    `differences     ${countsText(differences)}`,
    `checksum        ${checksum}`,
    `signed          ${signature ? `with the home's key ${printable(signature.key_id)} (${signature.algorithm})` : "no: the home has no key"}`,
    "",
    table(["STAGE", "NEW", "FROM", "LASTED", "VERDICT"], rows, ""),
  ].join("\n");
}

function read(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (thrown) {
    throw new CommandFailure(2, `The report "${path}" cannot be read: ${messageOf(thrown)}`);
  }
}

async function verify(path: string, tools: Tools): Promise<void> {
  const { output, context } = tools();
  const found = await verifyReport(read(path), context.env).catch((thrown: unknown) => {
    // What is away is no answer about the report.
    if (!isHearthlineError(thrown) || thrown.fate !== "dead-letter") throw thrown;
    throw new CommandFailure(1, `${thrown.code}: ${thrown.message}`);
  });
  const { homeId, keyId, checksum, keyFrom } = found;
  output.data({ verified: true, home_id: homeId, key_id: keyId, checksum, key_from: keyFrom }, () =>
    printable(`"${path}" is as it was made, and signed with the key ${keyId} of the home "${homeId}".`),
  );
}

function check(path: string, tools: Tools): void {
  const isWhole = isReportWhole(read(path));
  if (!isWhole) throw new CommandFailure(1, `"${path}" is not as it was made: its checksum is another.`);
  tools().output.data({ whole: true }, () => `"${path}" is as it was made.`);
}
