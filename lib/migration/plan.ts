import * as z from "zod";
import { MIGRATION_TRIGGERS } from "../api/ports.ts";
import { messageOf } from "../base/errors.ts";
import { parseConflictRules } from "../devices/index.ts";
import { PRECISIONS } from "./precision.ts";

/**
 * The plan of a migration: what moves from where, in which stages, for how long each must be good, what stops it and what takes it back. Written once by `migrate plan`, kept in the
 * migration's row, changed by nobody afterwards. It holds no secret: user, password and token of OLD are settings.
 */

export const OLD_KINDS = ["influxdb", "http"] as const;
export type OldKind = (typeof OLD_KINDS)[number];

/** Who writes to OLD while both run: the relay's second sink, or Home Assistant itself (then a person removes the integration in the end). */
export const FEEDERS = ["relay", "home-assistant"] as const;
export type Feeder = (typeof FEEDERS)[number];

/** What takes a migration back by itself; each has its own switch. */
export const TRIGGERS = MIGRATION_TRIGGERS;
export type Trigger = (typeof TRIGGERS)[number];

/** States before which a person must say so (`migrate advance`). */
export const GATES = ["ramp", "stabilise", "rampdown", "cleanup"] as const;
export type Gate = (typeof GATES)[number];

const percent = z.number().min(0).max(100);
/** Who answers is told in hundredths of a percent: a stage below one would be none. */
const HUNDREDTH = 0.01;
/** Of names and addresses: the row that holds them is bounded. */
const NAME_MAX = 255;
const ADDRESS_MAX = 2_000;
const seconds = (min: number, max = 31_536_000) => z.int().min(min).max(max);

const oldSchema = z.strictObject({
  kind: z.enum(OLD_KINDS),
  /** Without user and password, and without a query, which may hold them too. */
  url: z.url({ protocol: /^https?$/ }).max(ADDRESS_MAX),
  /** Of InfluxDB. */
  database: z.string().min(1).max(NAME_MAX).default("home_assistant"),
  /** The integration's `default_measurement`; absent: the entity id. */
  measurement: z.string().min(1).max(NAME_MAX).optional(),
  fedBy: z.enum(FEEDERS).default("home-assistant"),
  /** Of OLD's time stamps: the integration's `precision`, or what the pipeline keeps of them. What is finer is cut off on both sides before anything is compared. */
  precision: z.enum(PRECISIONS).default("us"),
  /** A list of devices that is kept beside the events: `http(s)://.../api/devices`, or the path of a SQLite file with a table `devices`. */
  devices: z.string().min(1).max(ADDRESS_MAX).optional(),
});

const thresholdsSchema = z.strictObject({
  /** NEW may take so much longer than OLD, in percent, before somebody is told. */
  alertPercent: percent.default(10),
  /** And before the migration is taken back. */
  rollbackPercent: percent.default(20),
  /** What is answered faster counts as this: below it, milliseconds of the network are not the system's, and nobody notices them. */
  floorMs: z.number().min(0).max(10_000).default(20),
  errorPercent: percent.default(1),
  /** Of the whole life of a stage, not of each look. */
  alpha: z.number().gt(0).max(0.2).default(0.05),
  /** A sink that lags more than this is not in step. */
  lagSeconds: seconds(1).default(300),
  /** Growth of memory that counts as a leak, percent an hour: of a process that has just begun, for as long as a try lasts, thousands. */
  leakPercentPerHour: z.number().positive().max(1_000_000).default(5),
});

export const planSchema = z
  .strictObject({
    version: z.literal(1).default(1),
    /** `staged`: all stages; `simple`: stop, back up, switch, validate, restore on failure (row A9). */
    way: z.enum(["staged", "simple"]).default("staged"),
    old: oldSchema,
    /** Percent of entities that NEW answers for, ascending; the last is 100. */
    stages: z.array(z.number().min(HUNDREDTH).max(100)).min(1).max(20).default([10, 25, 50, 75, 90, 100]),
    /** How long each stage must have been good, without interruption, before the next. */
    soakSeconds: seconds(1).default(300),
    /** Of STABILISE. */
    stabiliseSeconds: seconds(1).default(3_600),
    /** For so long nobody may have read or written OLD before clean-up. */
    quietSeconds: seconds(1).default(3_600),
    /** Pairs of the same read to OLD and NEW at each step. */
    probesPerStep: z.int().min(1).max(1_000).default(50),
    /** Of users' reads that are asked of both, percent. */
    shadowPercent: percent.default(100),
    /** A difference counts when it is still there after this time and a second look. */
    recheckSeconds: seconds(0).default(30),
    /** Rows younger than this are not compared: both sides may still be writing them. */
    settleSeconds: seconds(1).default(120),
    /** The past that is brought over begins here; absent: with OLD's oldest row. */
    fromUs: z.int().nonnegative().optional(),
    thresholds: thresholdsSchema.prefault({}),
    triggers: z
      .strictObject(
        Object.fromEntries(TRIGGERS.map((name) => [name, z.boolean().default(true)])) as Record<
          Trigger,
          z.ZodDefault<z.ZodBoolean>
        >,
      )
      .prefault({}),
    gates: z.array(z.enum(GATES)).max(GATES.length).default(["cleanup"]),
    devices: z.strictObject({ strategy: z.string().min(1).max(ADDRESS_MAX).default("new-wins") }).prefault({}),
  })
  .check(({ value, issues }) => {
    const { stages, thresholds, old, devices } = value;
    const say = (path: (string | number)[], message: string, input: unknown) =>
      issues.push({ code: "custom", path, message, input });
    for (const [i, stage] of stages.entries())
      if (i > 0 && stage - (stages[i - 1] ?? 0) < HUNDREDTH / 2)
        say(["stages", i], `stage ${stage} does not rise above the one before it (${stages[i - 1]})`, stage);
    if (stages.length > 0 && stages.at(-1) !== 100)
      say(["stages"], `the last stage is ${stages.at(-1)}; wanted is 100`, stages);
    if (thresholds.rollbackPercent < thresholds.alertPercent)
      say(
        ["thresholds", "rollbackPercent"],
        `a rollback at ${thresholds.rollbackPercent} % comes before the alert at ${thresholds.alertPercent} %`,
        thresholds.rollbackPercent,
      );
    // These rules run beside those of the members: what is no address has been named by its own.
    const ofUrl = URL.canParse(old.url) ? wrongInAddress(old.url) : undefined;
    if (ofUrl !== undefined) say(["old", "url"], ofUrl, "");
    const ofDevices = old.devices === undefined ? undefined : wrongInDevices(old.devices);
    if (ofDevices !== undefined) say(["old", "devices"], ofDevices, "");
    try {
      parseConflictRules(devices.strategy);
    } catch (thrown) {
      say(["devices", "strategy"], messageOf(thrown), devices.strategy);
    }
  });

/** Never with the address itself: the plan is kept and shown, and what is wrong with it may be a secret in it. */
function wrongInAddress(text: string): string | undefined {
  const { username, password, search, hash } = new URL(text);
  if (username !== "" || password !== "")
    return "the address carries a user or a password; wanted are HEARTHLINE_OLD_USER and HEARTHLINE_OLD_PASSWORD";
  if (search !== "" || hash !== "")
    return "the address carries a query or a fragment, which the plan would show; wanted is one without, and HEARTHLINE_OLD_USER, _PASSWORD or _TOKEN";
  return undefined;
}

/** Without a scheme it is a file. */
function wrongInDevices(where: string): string | undefined {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(where)) return undefined;
  if (!/^https?:\/\//.test(where) || !URL.canParse(where))
    return "wanted is an address that begins with http:// or https://, or the path of a SQLite file";
  return wrongInAddress(where);
}

export type Plan = z.infer<typeof planSchema>;
/** What a person writes: everything but `old` has a default. */
export type PlanInput = z.input<typeof planSchema>;
