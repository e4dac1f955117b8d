import { type Command, InvalidArgumentError } from "commander";
import { isHearthlineError } from "../../lib/base/errors.ts";
import { type Microseconds, parseIsoUs } from "../../lib/base/time.ts";
import { type HistoryImported, type HistoryOrigin, importHistory } from "../../lib/wiring/history.ts";
import { importJson, importText } from "./history-summary.ts";
import { needReachable } from "./operator.ts";
import { CommandFailure } from "./outcome.ts";
import { createProgressBar } from "./progress.ts";
import type { Tools } from "./tools.ts";

interface ImportFlags {
  readonly file?: string;
  readonly recorder?: string;
  readonly influxdb?: string;
  readonly database: string;
  readonly user?: string;
  readonly passwordEnv?: string;
  readonly from?: Microseconds;
  readonly to?: Microseconds;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly home?: string;
  readonly restart?: boolean;
  readonly force?: boolean;
}

const HELP = `
Without --file, --recorder or --influxdb the history comes from the connected Home Assistant (HEARTHLINE_HA_URL, HEARTHLINE_HA_TOKEN): what its recorder still has of the entities there are now.

It can be stopped at any moment and run again: it goes on where it was, and what was imported before is neither lost nor doubled. A history that has grown is gone on with.
A live event stays as it is where a history knows the same moment. Of two histories the one imported last stays: import an old InfluxDB first and the recorder after it, because InfluxDB
has lost the text of numbers (13.0 has become 13), lists and objects (Python's text of them), unknown and unavailable states, removals and contexts.
The store keeps raw events for HEARTHLINE_RAW_DAYS days (7 unless set): the nightly job (HEARTHLINE_ANALYSIS_TIME) deletes what is older, imported events too. To keep an older history set it
higher in the cloud's settings before you import; the summary says how many of the imported events are older, by the value that is set here.
Of the recorder the table of states is read, in SQLite; long-term statistics are not, nor are MariaDB and PostgreSQL (use the connected Home Assistant for these).`;

const timeOf = (text: string): Microseconds => {
  try {
    return parseIsoUs(text);
  } catch {
    throw new InvalidArgumentError("wanted is ISO 8601 with an offset, such as 2026-11-22T00:00:00+01:00");
  }
};
const listOf = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** `history import` */
export function addHistoryCommand(program: Command, tools: Tools): void {
  const history = program.command("history").description("what happened before Hearthline was there");
  history
    .command("import")
    .description(
      "takes a history into the home: from a file, Home Assistant's database, an InfluxDB, or the connected Home Assistant",
    )
    .option("--file <path>", 'lines of {"entity_id","state","last_updated","attributes"?,"context"?}, or of an export')
    .option("--recorder <path>", "Home Assistant's home-assistant_v2.db, or a copy of it (only read, never changed)")
    .option("--influxdb <url>", "what Home Assistant's InfluxDB integration wrote (InfluxQL)")
    .option("--database <name>", "of that InfluxDB", "home_assistant")
    .option("--user <name>", "of that InfluxDB")
    .option("--password-env <name>", "the environment variable that holds its password; without --user a token")
    .option("--from <time>", "ISO 8601 with offset, included", timeOf)
    .option("--to <time>", "ISO 8601 with offset, not included", timeOf)
    .option("--include <patterns>", "only these entities or domains: light,sensor.power_*", listOf)
    .option("--exclude <patterns>", "not these", listOf)
    .option("--home <id>", "into which home; default: HEARTHLINE_HOME_ID")
    .option("--restart", "all of it again, from its start")
    .option("--force", "also what looks like another home's")
    .addHelpText("after", HELP)
    .action((flags: ImportFlags) => runHistoryImport(flags, tools));
}

async function runHistoryImport(flags: ImportFlags, tools: Tools): Promise<void> {
  const { context, output, clock, signal } = tools();
  const origin = originOf(flags, context.env);
  needReachable(context);
  const bar = output.draw ? createProgressBar(output.draw, clock) : undefined;
  let imported: HistoryImported;
  try {
    const { from, to, include, exclude, home, restart, force } = flags;
    imported = await importHistory(
      { ...context.env, HEARTHLINE_DATA: context.dataFolder },
      {
        ...{ origin, signal, homeId: home, fromUs: from, toUs: to },
        ...(include && { include }),
        ...(exclude && { exclude }),
        isRestart: restart ?? false,
        isForced: force ?? false,
        onProgress: ({ counts, fraction, waiting }) =>
          bar?.show({
            rows: counts.read,
            fraction,
            ...(waiting !== undefined && { note: `waiting for the cloud (${waiting} messages)` }),
          }),
      },
    );
  } catch (thrown) {
    bar?.end();
    throw failureOf(thrown);
  }
  bar?.end();
  output.data(importJson(imported), () => importText(imported));
  for (const remark of imported.remarks) output.remark(remark);
  if (!imported.isFinished) throw new CommandFailure(1, "Stopped. The same command goes on where it was.");
}

function originOf(flags: ImportFlags, env: Readonly<Record<string, string | undefined>>): HistoryOrigin {
  const { file, recorder, influxdb, database, user, passwordEnv } = flags;
  if ([file, recorder, influxdb].filter((each) => each !== undefined).length > 1)
    throw new CommandFailure(2, "Wanted is one of --file, --recorder and --influxdb.");
  if (file !== undefined) return { kind: "jsonl", path: file };
  if (recorder !== undefined) return { kind: "recorder", path: recorder };
  if (influxdb === undefined) return { kind: "home-assistant" };
  if (!URL.canParse(influxdb) || !/^https?:$/.test(new URL(influxdb).protocol) || new URL(influxdb).username !== "")
    throw new CommandFailure(
      2,
      "The value of --influxdb is no address such as http://influxdb.local:8086, without user and password in it (see --user and --password-env).",
    );
  const password = passwordEnv === undefined ? undefined : env[passwordEnv];
  if (passwordEnv !== undefined && !password)
    throw new CommandFailure(2, `--password-env names "${passwordEnv}", which is not set.`);
  return { kind: "influxdb", url: influxdb, database, user, password };
}

/** Something did not answer: the queues, InfluxDB, Home Assistant, a database that stayed locked. */
const UNREACHED =
  /^(service_|queue_|conflict$|command_timeout$|history_busy$|home_assistant_(disconnected|not_ready|tls_failed|token_refused|command_failed|not_home_assistant)$)/;

function failureOf(thrown: unknown): unknown {
  if (!isHearthlineError(thrown)) return thrown;
  if (UNREACHED.test(thrown.code)) return new CommandFailure(3, thrown.message);
  return thrown;
}
