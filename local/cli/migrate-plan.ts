import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { messageOf } from "../../lib/base/errors.ts";
import {
  explainPlan,
  type LookedAtOld,
  lookAtOld,
  type Plan,
  readPlan,
  SIMPLE_COMMAND,
  wirePlan,
} from "../../lib/wiring/migration-plan.ts";
import { refusal } from "./api-client.ts";
import { MIGRATIONS, type MigrationAnswer } from "./migrate-client.ts";
import { CommandFailure } from "./outcome.ts";
import type { Tools } from "./tools.ts";

interface Flags {
  readonly from?: readonly string[];
  readonly plan?: string;
  readonly database?: string;
  readonly measurement?: string;
  readonly fedBy?: string;
  readonly devices?: string;
  readonly precision?: string;
  readonly stages?: readonly number[];
  readonly soak?: number;
  readonly stabilise?: number;
  readonly quiet?: number;
  readonly gates?: readonly string[];
  readonly simple?: boolean;
  readonly dryRun?: boolean;
  readonly look: boolean;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Seconds of `90`, `90s`, `5m`, `1h`, `2d`. */
export function secondsOf(text: string): number {
  const [, digits, unit = "s"] = /^(\d+(?:\.\d+)?)\s*([smhd])?$/.exec(text.trim()) ?? [];
  if (digits === undefined) throw new InvalidArgumentError("wanted is a time such as 90s, 5m, 1h or 2d");
  return Math.round(Number(digits) * (UNITS[unit] ?? 1));
}

function stagesOf(text: string): number[] {
  const stages = text.split(",").map((part) => Number(part.trim().replace(/%$/, "")));
  if (text.trim() === "" || stages.some((stage) => !Number.isFinite(stage)))
    throw new InvalidArgumentError("wanted are percentages with commas between, such as 10,50,100");
  return stages;
}

const gatesOf = (text: string): string[] => (text === "none" ? [] : text.split(",").map((gate) => gate.trim()));

/** `migrate plan` */
export function addPlanCommand(migrate: Command, tools: Tools): void {
  migrate
    .command("plan")
    .description("says what a migration would do, in plain words, and makes it; nothing moves before migrate start")
    .option("--from <kind url...>", "influxdb URL, or http URL: the old pipeline")
    .option("--plan <file>", "the plan as JSON; options change it")
    .option("--database <name>", "of InfluxDB; default home_assistant")
    .option("--measurement <name>", "the integration's default_measurement")
    .option("--fed-by <who>", "who writes to OLD meanwhile: home-assistant (default) or relay")
    .option("--devices <where>", "a list of devices beside OLD's events: an address, or a SQLite file")
    .option("--precision <unit>", "of OLD's time stamps: us, ms or s; default: what its newest rows show")
    .option("--stages <percents>", "such as 10,50,100", stagesOf)
    .option("--soak <time>", "how long each stage must be good, such as 5m", secondsOf)
    .option("--stabilise <time>", "how long everything is watched after the last stage", secondsOf)
    .option("--quiet <time>", "how long nobody may have read OLD before clean-up", secondsOf)
    .option("--gates <states>", "where a person must say so: ramp,stabilise,rampdown,cleanup, or none", gatesOf)
    .option("--simple", "no stages: stop, back up, switch, validate, restore on failure; see migrate simple")
    .option("--dry-run", "only say it")
    .option("--no-look", "do not ask OLD from this machine")
    .addHelpText(
      "after",
      "\nThe address carries no user and no password: OLD's are HEARTHLINE_OLD_USER and HEARTHLINE_OLD_PASSWORD, or HEARTHLINE_OLD_TOKEN, in the settings of whatever does the steps.",
    )
    .action((flags: Flags) => plan(flags, tools));
}

async function plan(flags: Flags, tools: Tools): Promise<void> {
  const { api, context, output } = tools();
  const { body, user } = bodyOf(flags);
  if (user)
    output.remark(
      "The address carried a user or a password. They were taken off: set HEARTHLINE_OLD_USER and HEARTHLINE_OLD_PASSWORD instead, where the steps are done.",
    );
  const asked = planOf(body);
  const old = flags.look ? await look(asked, context.env, user) : undefined;
  const isSaid = (body.old as { precision?: unknown }).precision !== undefined;
  const precision = isSaid ? undefined : old?.shown?.precision;
  const made = precision === undefined ? asked : planOf({ ...body, old: { ...(body.old as object), precision } });
  const words = explainPlan(made, old);
  if (old?.clockSkewMs !== undefined && Math.abs(old.clockSkewMs) > SKEW_TOLD_MS)
    words.push(`OLD's clock differs by ${Math.round(old.clockSkewMs / 1000)} seconds from this machine's.`);
  if (flags.dryRun) {
    output.data({ plan: wirePlan(made), explanation: words }, () => words.join("\n\n"));
    return;
  }
  const answer = await api.ask<MigrationAnswer>("POST", MIGRATIONS, { body: wirePlan(made) });
  if (answer.status !== 201) throw refusal(`POST ${MIGRATIONS}`, answer.status, answer.body);
  output.data({ ...answer.body, explanation: words }, () =>
    [
      ...words,
      `Migration ${answer.body.id} is made. ${
        made.way === "simple" ? `Carry it out with: ${SIMPLE_COMMAND}` : "Begin it with: hearthline migrate start"
      }`,
    ].join("\n\n"),
  );
}

const SKEW_TOLD_MS = 2_000;

/** @throws CommandFailure that names each wrong member */
function planOf(body: Record<string, unknown>): Plan {
  const read = readPlan(body);
  if (!("errors" in read)) return read.plan;
  throw new CommandFailure(
    2,
    `The plan cannot be used:\n${read.errors.map(({ field, detail }) => `  ${field || "plan"}: ${detail}`).join("\n")}`,
  );
}

interface Body {
  readonly body: Record<string, unknown>;
  readonly user: { readonly user: string; readonly password: string } | undefined;
}

/** The plan of the file and the options, and the credentials that were taken off its address. */
function bodyOf(flags: Flags): Body {
  const file = flags.plan === undefined ? {} : readPlanFile(flags.plan);
  const { url, user } = withoutUser((flags.from ? fromOf(flags.from).url : undefined) ?? urlOf(file.old));
  const old = {
    ...(typeof file.old === "object" ? file.old : {}),
    ...(flags.from && { kind: fromOf(flags.from).kind }),
    ...(url !== undefined && { url }),
    ...given({
      database: flags.database,
      measurement: flags.measurement,
      fed_by: flags.fedBy,
      devices: flags.devices,
      precision: flags.precision,
    }),
  };
  if (Object.keys(old).length === 0)
    throw new CommandFailure(2, "From where? Wanted is --from influxdb URL, --from http URL, or --plan FILE.");
  const options = given({
    stages: flags.stages,
    soak_seconds: flags.soak,
    stabilise_seconds: flags.stabilise,
    quiet_seconds: flags.quiet,
    gates: flags.gates,
    way: flags.simple ? "simple" : undefined,
  });
  return { body: { ...file, ...options, old }, user };
}

const given = (members: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

const urlOf = (old: unknown): string | undefined => {
  const url = (old as { url?: unknown } | undefined)?.url;
  return typeof url === "string" ? url : undefined;
};

function fromOf(from: readonly string[]): { readonly kind: string; readonly url: string } {
  const [kind, url, ...more] = from;
  if (kind !== undefined && url !== undefined && more.length === 0) return { kind, url };
  throw new CommandFailure(2, "--from wants two words: influxdb URL, or http URL.");
}

/** What cannot be read stays as it is, for the schema to name; but with an @ in it, it may hold a password and is not repeated. */
function withoutUser(text: string | undefined): { readonly url: string | undefined; readonly user: Body["user"] } {
  if (text === undefined) return { url: undefined, user: undefined };
  if (!URL.canParse(text)) {
    if (text.includes("@"))
      throw new CommandFailure(
        2,
        "The address of OLD cannot be read; wanted is one such as http://influxdb.local:8086.",
      );
    return { url: text, user: undefined };
  }
  const url = new URL(text);
  const user = { user: decoded(url.username), password: decoded(url.password) };
  if (user.user === "" && user.password === "") return { url: text, user: undefined };
  url.username = "";
  url.password = "";
  return { url: url.href.replace(/\/$/, text.endsWith("/") ? "/" : ""), user };
}

/** A % that begins no escape is meant as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function readPlanFile(path: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (thrown) {
    throw new CommandFailure(2, `The plan "${path}" cannot be read: ${messageOf(thrown)}`);
  }
  let plan: unknown;
  try {
    plan = JSON.parse(text);
  } catch (thrown) {
    throw new CommandFailure(2, `The plan "${path}" is not JSON: ${messageOf(thrown)}`);
  }
  if (typeof plan === "object" && plan !== null && !Array.isArray(plan)) return { ...plan };
  throw new CommandFailure(2, `The plan "${path}" is no object; wanted is one with at least "old".`);
}

async function look(
  plan: Plan,
  env: Readonly<Record<string, string | undefined>>,
  user: Body["user"],
): Promise<LookedAtOld> {
  try {
    return await lookAtOld(plan.old, env, user);
  } catch (thrown) {
    throw new CommandFailure(
      3,
      `OLD could not be looked at: ${messageOf(thrown)} If only another machine reaches it, plan with --no-look.`,
    );
  }
}
