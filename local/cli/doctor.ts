import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import { askBroker, askHomeAssistant, askOldPipeline } from "../../lib/wiring/doctor.ts";
import { reach } from "./doctor-api.ts";
import { journey } from "./doctor-journey.ts";
import { disk, homeAssistant, settings } from "./doctor-machine.ts";
import { migration } from "./doctor-migration.ts";
import { broker, oldPipeline, outbox, spoolFolder } from "./doctor-relay.ts";
import type { DoctorOptions, Finding } from "./finding.ts";
import { CommandFailure } from "./outcome.ts";
import { printable, table } from "./output.ts";
import type { Tools } from "./tools.ts";

/** Every setting, address, token, clock, permission and disk; then a test event through every hop, read back. Each finding as it is found. */
export async function* examine(options: DoctorOptions): AsyncGenerator<Finding> {
  const { context } = options;
  const config = settings(context);
  yield config.finding;
  yield disk(context.dataFolder);
  if (config.value) {
    yield spoolFolder(config.value, context.dataFolder);
    yield await homeAssistant(config.value, options);
    yield* broker(config.value, options);
    yield* oldPipeline(config.value, options);
  }
  const api = await reach(options);
  yield* api.findings;
  if (config.value && api.works) yield* outbox(config.value, options);
  if (api.works) yield* migration(options);
  if (api.works) yield* await journey(options);
}

const MARKS = { ok: "ok     ", warning: "WARNING", failed: "FAILED " } as const;

/** `doctor` */
export function addDoctorCommand(program: Command, tools: Tools): void {
  program
    .command("doctor")
    .description(
      "checks every setting, address, token, clock, permission and disk, and sends a test event through every hop",
    )
    .action(async () => {
      const { context, api, output, clock } = tools();
      const findings: Finding[] = [];
      for await (const finding of examine({
        context,
        api,
        clock,
        askHome: askHomeAssistant,
        askBroker,
        askOldPipeline,
        newId: randomUUID,
      })) {
        findings.push(finding);
        if (!output.isJson)
          output.line(
            finding,
            () =>
              `${MARKS[finding.result]}  ${printable(`${finding.check}: ${finding.detail}`)}${finding.advice ? `\n         -> ${printable(finding.advice)}` : ""}`,
          );
      }
      const bad = findings.filter(({ result }) => result === "failed");
      output.data({ findings, failed: bad.length }, () =>
        table(["", ""], [], bad.length === 0 ? "Everything works." : `${bad.length} of ${findings.length} failed.`),
      );
      if (bad.some(({ check }) => check === "address")) throw new CommandFailure(3, "Hearthline could not be reached.");
      if (bad.length > 0) throw new CommandFailure(1, "Something needs you.");
    });
}
