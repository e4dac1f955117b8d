import type { Command } from "commander";
import { migrationUnderWay } from "./migrate-client.ts";
import { migrationLine } from "./migrate-text.ts";
import { CommandFailure } from "./outcome.ts";
import { printable, table } from "./output.ts";
import type { Tools } from "./tools.ts";

export interface HealthPart {
  readonly name: string;
  readonly kind: string;
  readonly state: "ok" | "degraded" | "down";
  readonly since: string;
  readonly detail: string;
  readonly ledger?: {
    readonly relay_id: string;
    readonly complete_up_to: number;
    readonly last_sequence: number;
    readonly missing: number;
    readonly lost_records: number;
    readonly records: number;
    /** Absent in the answers of older programs, as are interruptions. */
    readonly kind?: "relay" | "import";
    readonly interruptions?: { readonly count: number; readonly recovered: number; readonly incomplete: number };
  };
}
export interface Health {
  readonly status: "ok" | "degraded" | "down";
  readonly parts?: readonly HealthPart[];
}

const counted = (count: number): string => count.toLocaleString("en");
const plural = (count: number, word: string): string => `${counted(count)} ${word}${count === 1 ? "" : "s"}`;

function ledgerLine({ interruptions, ...ledger }: NonNullable<HealthPart["ledger"]>): string {
  if (ledger.kind === "import") return `import ${ledger.relay_id}: ${plural(ledger.records, "record")}`;
  const says = [
    `complete up to ${counted(ledger.complete_up_to)} of ${counted(ledger.last_sequence)}`,
    `${counted(ledger.missing)} missing`,
    `${counted(ledger.lost_records)} lost`,
  ];
  if (interruptions && interruptions.count > 0) {
    says.push(plural(interruptions.count, "interruption"), `${plural(interruptions.recovered, "event")} recovered`);
    if (interruptions.incomplete > 0) says.push(`${counted(interruptions.incomplete)} not filled whole`);
  }
  return `ledger of relay ${ledger.relay_id}: ${says.join(", ")}`;
}

/** `status` */
export function addStatusCommand(program: Command, tools: Tools): void {
  program
    .command("status")
    .description("health of every part, the ledger, the queues; 1 when something is down")
    .action(async () => {
      const { api, context, output } = tools();
      const { body } = await api.ask<Health>("GET", "/health");
      if (!body?.status)
        throw new CommandFailure(3, `"${context.url}" answered, but not as Hearthline does: is HEARTHLINE_URL right?`);
      const migration = body.parts && (await migrationUnderWay(api));
      const rows = (body.parts ?? []).map((part) => [part.state, part.name, part.since, part.detail]);
      const whole = { ...body, ...(context.run && { run: context.run }), ...(migration && { migration }) };
      output.data(whole, () => {
        const ledgers = (body.parts ?? []).flatMap(({ ledger }) => (ledger ? [printable(ledgerLine(ledger))] : []));
        return [
          `${body.status}  ${context.url}`,
          "",
          table(
            ["STATE", "PART", "SINCE", "DETAIL"],
            rows,
            context.token ? "the token is not valid: no details" : "a token is needed for details",
          ),
          ...ledgers,
          ...(migration ? [migrationLine(migration)] : []),
        ].join("\n");
      });
      if (body.status === "down") throw new CommandFailure(1, "Something is down.");
    });
}
