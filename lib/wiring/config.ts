import { isIP } from "node:net";
import * as z from "zod";
import { HearthlineError } from "../base/errors.ts";
import { LOG_LEVELS } from "../base/log.ts";
import { PRECISIONS } from "../migration/precision.ts";
import {
  CONFLICT_RULES,
  count,
  hasUser,
  headerSecret,
  isMqttUrl,
  isNetwork,
  isParquetUrl,
  isTimeZone,
  list,
} from "./config-checks.ts";

/** Names of the queues; a queue is called `PREFIX-NAME`, its dead-letter queue `PREFIX-NAME-dead`. */
export const QUEUES = ["events", "store", "index", "analysis"] as const;
export type QueueName = (typeof QUEUES)[number];

/** Every setting: environment name, check, default. The order is that of the README's table. */
const settings = {
  HEARTHLINE_HOME_ID: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, "wanted are 1 to 63 of a-z, 0-9, _ and -, a letter or digit first")
    .default("home"),
  HEARTHLINE_HA_URL: z
    .url({ protocol: /^(https?|wss?)$/, error: "wanted is an address such as http://homeassistant.local:8123" })
    .optional(),
  HEARTHLINE_HA_TOKEN: z.string().min(20, "wanted is a long-lived access token of Home Assistant").optional(),
  HEARTHLINE_HOME_KEY: z
    .base64({ error: "wanted are 32 bytes in base64" })
    .refine((text) => Buffer.from(text, "base64").length === 32, "wanted are 32 bytes in base64")
    .optional(),
  HEARTHLINE_FLUSH_SECONDS: z.coerce
    .number({ error: "wanted is a number from 0.05 to 900" })
    .min(0.05, "wanted is 0.05 or more")
    .max(900, "wanted is 900 or less")
    .default(60),
  /** What the flush interval may cost, in dollars a month; the interval that follows is never shorter than HEARTHLINE_FLUSH_SECONDS. */
  HEARTHLINE_MONTHLY_DOLLARS_MAX: z.coerce
    .number({ error: "wanted is a number of dollars such as 0.34" })
    .min(0.01, "wanted is 0.01 or more")
    .max(10_000, "wanted is 10000 or less")
    .optional(),
  /** How often the relay looks whether its status is news; with a second sink it always is. */
  HEARTHLINE_RELAY_STATUS_SECONDS: z.coerce
    .number({ error: "wanted is a number of seconds from 1 to 300" })
    .min(1, "wanted is 1 or more")
    .max(300, "wanted is 300 or less")
    .default(60),
  /** The old pipeline beside the cloud. */
  HEARTHLINE_OLD_SINK: z
    .enum(["none", "http", "influxdb"], { error: 'wanted is "none", "http" or "influxdb"' })
    .default("none"),
  HEARTHLINE_OLD_URL: z
    .url({ protocol: /^https?$/, error: "wanted is an address such as http://influxdb.local:8086" })
    .refine((text) => !hasUser(text), "wanted is an address without a user and a password in it")
    .optional(),
  HEARTHLINE_OLD_TOKEN: headerSecret,
  HEARTHLINE_OLD_DATABASE: z.string().min(1).default("home_assistant"),
  HEARTHLINE_OLD_USER: z.string().min(1).optional(),
  HEARTHLINE_OLD_PASSWORD: z.string().min(1).optional(),
  /** The integration's `default_measurement`. */
  HEARTHLINE_OLD_MEASUREMENT: z.string().min(1).optional(),
  /** The integration's `precision`: what the relay writes is cut alike. */
  HEARTHLINE_OLD_PRECISION: z.enum(PRECISIONS, { error: 'wanted is "us", "ms" or "s"' }).default("us"),
  HEARTHLINE_SPOOL_MAX_MB: count("HEARTHLINE_SPOOL_MAX_MB", 1, 1_000_000, 1024),
  HEARTHLINE_SPOOL_MIN_FREE_MB: count("HEARTHLINE_SPOOL_MIN_FREE_MB", 0, 1_000_000, 256),
  HEARTHLINE_SPOOL_AT_BOUND: z
    .enum(["oldest", "newest"], { error: 'wanted is "oldest" or "newest"' })
    .default("oldest"),
  HEARTHLINE_INCLUDE: list,
  HEARTHLINE_EXCLUDE: list,
  HEARTHLINE_EXCLUDE_ATTRIBUTES: list.refine((rules) => rules.every((rule) => /^[^:]+(:[^:]+)?$/.test(rule)), {
    error: "wanted are ATTRIBUTE or ENTITIES:ATTRIBUTE, with commas between, such as media_player.*:media_*,forecast",
  }),
  HEARTHLINE_STORE: z
    .enum(["sqlite", "influxdb", "parquet", "timestream", "memory"], {
      error: 'wanted is "sqlite", "influxdb", "parquet", "timestream" or "memory"',
    })
    .default("sqlite"),
  HEARTHLINE_SQLITE_PATH: z.string().min(1).default(".hearthline/store.db"),
  HEARTHLINE_INFLUXDB_URL: z
    .url({ protocol: /^https?$/, error: "wanted is an address such as http://influxdb.local:8086" })
    .refine((text) => !hasUser(text), "wanted is an address without a user and a password in it")
    .optional(),
  HEARTHLINE_INFLUXDB_DATABASE: z.string().min(1).default("hearthline"),
  HEARTHLINE_INFLUXDB_TOKEN: headerSecret,
  HEARTHLINE_INFLUXDB_USER: z.string().min(1).optional(),
  HEARTHLINE_INFLUXDB_PASSWORD: z.string().min(1).optional(),
  /** A folder, or s3://bucket/prefix. */
  HEARTHLINE_PARQUET_URL: z
    .string()
    .refine(isParquetUrl, "wanted is a folder or s3://bucket/prefix, such as s3://my-hearthline/events")
    .default(".hearthline/events"),
  /** Where the parquet store keeps what is not a closed day yet: beside the days, or as packed items in the table. */
  HEARTHLINE_PARQUET_HOT: z.enum(["objects", "table"], { error: 'wanted is "objects" or "table"' }).default("objects"),
  HEARTHLINE_TIMESTREAM_DATABASE: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{3,256}$/, "wanted are 3 to 256 letters, digits, _, - and .")
    .default("hearthline"),
  HEARTHLINE_DATA: z.string().min(1).default(".hearthline"),
  HEARTHLINE_TIME_ZONE: z
    .string()
    .refine(isTimeZone, "wanted is an IANA time zone such as Europe/Amsterdam")
    .default("UTC"),
  /** How often the embedded stack does a step of each migration; on AWS it is every five minutes. */
  HEARTHLINE_MIGRATION_SECONDS: count("HEARTHLINE_MIGRATION_SECONDS", 1, 86_400, 300),
  HEARTHLINE_RAW_DAYS: count("HEARTHLINE_RAW_DAYS", 1, 36_500, 7),
  HEARTHLINE_DAILY_DAYS: count("HEARTHLINE_DAILY_DAYS", 1, 36_500, 90),
  /** Of weekly and of monthly aggregates. */
  HEARTHLINE_WEEKLY_WEEKS: count("HEARTHLINE_WEEKLY_WEEKS", 5, 5_200, 52),
  HEARTHLINE_ANALYSIS_TIME: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, "wanted is a time of day such as 03:00")
    .default("03:00"),
  /** After so many days what the devices can do is asked for again. */
  HEARTHLINE_STALE_CAPABILITY_DAYS: count("HEARTHLINE_STALE_CAPABILITY_DAYS", 1, 3_650, 30),
  /** Entities and domains of which nothing is suggested. */
  HEARTHLINE_SUGGEST_EXCLUDE: list,
  /** Chat completions that may reword suggestions: OpenAI's own, or a model of one's own. Off without both. */
  HEARTHLINE_OPENAI_BASE_URL: z
    .url({ protocol: /^https?$/, error: "wanted is an address such as http://127.0.0.1:11434/v1" })
    .refine((text) => !hasUser(text), "wanted is an address without a user and a password in it")
    .optional(),
  HEARTHLINE_OPENAI_API_KEY: z
    .string()
    .regex(/^[\x21-\x7e]+$/, "wanted is a key without blanks")
    .optional(),
  HEARTHLINE_OPENAI_MODEL: z.string().min(1).max(200).optional(),
  HEARTHLINE_WEATHER: z
    .enum(["none", "home-assistant"], { error: 'wanted is "none" or "home-assistant"' })
    .default("home-assistant"),
  HEARTHLINE_LOG_LEVEL: z.enum(LOG_LEVELS, { error: `wanted is one of ${LOG_LEVELS.join(", ")}` }).default("info"),
  /** Hearthline's API and a token of it: for the command, and for the relay's outbox. */
  HEARTHLINE_URL: z
    .url({ protocol: /^https?$/, error: "wanted is an address such as http://127.0.0.1:8787" })
    .refine((text) => !hasUser(text), "wanted is an address without a user and a password in it")
    .optional(),
  HEARTHLINE_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]+$/, "wanted is a token without blanks")
    .optional(),
  /** The home's MQTT broker; it carries a password. */
  HEARTHLINE_MQTT_URL: z
    .string()
    .refine(
      isMqttUrl,
      "wanted is an address such as mqtt://user:password@homeassistant.local:1883, or mqtts://, in user and password % as %25, @ as %40, # as %23, / as %2F, ? as %3F",
    )
    .optional(),
  HEARTHLINE_ZIGBEE2MQTT_BASE_TOPIC: list
    .refine((topics) => topics.every((topic) => /^[^+#/\0][^+#\0]*$/.test(topic) && !topic.endsWith("/")), {
      error: "wanted is a topic such as zigbee2mqtt, or several with commas between",
    })
    .transform((topics) => (topics.length === 0 ? ["zigbee2mqtt"] : topics)),
  /** How conflicts between what sources say of a device are settled: STRATEGY and FIELD:STRATEGY, as lib/devices/conflicts.ts has them. */
  HEARTHLINE_DEVICE_CONFLICTS: z
    .string()
    .regex(CONFLICT_RULES, {
      error:
        "wanted are STRATEGY or FIELD:STRATEGY with commas between, such as newest-wins,name:old-wins; strategies new-wins, old-wins, merge, newest-wins, ask; fields name, manufacturer, model, sw_version, area, labels",
    })
    .default("new-wins"),
  /** Whether the relay writes the automations that people accept into Home Assistant. */
  HEARTHLINE_WRITE_AUTOMATIONS: z
    .enum(["yes", "no"], { error: 'wanted is "yes" or "no"' })
    .default("yes")
    .transform((text) => text === "yes"),
  HEARTHLINE_OUTBOX_SECONDS: count("HEARTHLINE_OUTBOX_SECONDS", 1, 86_400, 60),
  HEARTHLINE_FUTURE_SECONDS: count("HEARTHLINE_FUTURE_SECONDS", 60, 315_360_000, 86_400),
  HEARTHLINE_QUEUE_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,60}$/, "wanted are 1 to 60 letters, digits, _ and -")
    .default("hearthline-dev"),
  HEARTHLINE_TABLE: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{3,255}$/, "wanted is the name of a DynamoDB table")
    .default("hearthline-dev-index"),
  HEARTHLINE_PAGE_TOKEN: z.string().optional(),
  /** What a token may ask of the API in a minute. */
  HEARTHLINE_RATE_PER_MINUTE: count("HEARTHLINE_RATE_PER_MINUTE", 10, 10_000_000, 6_000),
  /** Who looks a token up: the gateway's authorizer (the function `authorize`), or the API itself where the gateway has none. */
  HEARTHLINE_AUTHORIZER: z.enum(["gateway", "inline"], { error: 'wanted is "gateway" or "inline"' }).default("gateway"),
  HEARTHLINE_RELAY_PORT: count("HEARTHLINE_RELAY_PORT", 0, 65_535, 0),
  /** Where the relay's page, /health and /metrics listen; and whom they answer (addresses or networks; empty: whoever reaches them). */
  HEARTHLINE_RELAY_HOST: z
    .string()
    .refine((text) => isIP(text) !== 0, "wanted is an address such as 127.0.0.1")
    .default("127.0.0.1"),
  HEARTHLINE_RELAY_ALLOW: list.refine((networks) => networks.every(isNetwork), {
    error: "wanted are addresses or networks such as 172.30.32.2,192.168.1.0/24",
  }),
  /** What the relay does when only a person can help: `end` with a message (somebody has just started it by hand), or `wait` and say so on its page (a service). */
  HEARTHLINE_RELAY_REFUSED: z.enum(["end", "wait"], { error: 'wanted is "end" or "wait"' }).optional(),
  AWS_REGION: z.string().min(1).default("us-east-1"),
  AWS_ENDPOINT_URL: z.url().optional(),
  AWS_ENDPOINT_URL_SQS: z.url().optional(),
  AWS_ENDPOINT_URL_DYNAMODB: z.url().optional(),
  AWS_ENDPOINT_URL_S3: z.url().optional(),
  AWS_ENDPOINT_URL_TIMESTREAM: z.url().optional(),
} as const;

const schema = z.object(settings);
export type Config = Readonly<z.infer<typeof schema>>;
export type SettingName = keyof typeof settings;
/** For whoever writes settings down elsewhere: the service's unit, the app's options. */
export const SETTING_NAMES: readonly string[] = Object.keys(settings);
/** A configuration in which these settings are surely present. */
export type ConfigWith<N extends SettingName> = Config & { readonly [K in N]-?: NonNullable<Config[K]> };

const SECRET: ReadonlySet<string> = new Set<SettingName>([
  "HEARTHLINE_HA_TOKEN",
  "HEARTHLINE_HOME_KEY",
  "HEARTHLINE_PAGE_TOKEN",
  "HEARTHLINE_TOKEN",
  "HEARTHLINE_MQTT_URL",
  // An address may carry a password.
  "HEARTHLINE_OLD_URL",
  "HEARTHLINE_OLD_TOKEN",
  "HEARTHLINE_OLD_PASSWORD",
  "HEARTHLINE_OPENAI_API_KEY",
  "HEARTHLINE_INFLUXDB_URL",
  "HEARTHLINE_INFLUXDB_TOKEN",
  "HEARTHLINE_INFLUXDB_PASSWORD",
]);

/**
 * Reads all settings from the environment; an empty value counts as not set. `required` names those that this entry point cannot do without.
 * @throws HearthlineError `setting_invalid`: ONE message that names every setting that is wrong, missing or unknown (`HEARTHLINE_...` that nothing reads);
 * values are quoted, secrets never.
 */
export function readConfig<N extends SettingName = never>(
  env: Readonly<Record<string, string | undefined>>,
  required: readonly N[] = [],
): ConfigWith<N> {
  const given = Object.fromEntries(
    Object.entries(env).filter(([name, value]) => name in settings && value !== undefined && value !== ""),
  );
  const parsed = schema.safeParse(given);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map((issue) => {
        const name = String(issue.path[0]);
        const isSecret = SECRET.has(name) || hasUser(given[name] ?? "");
        return `${name} is ${isSecret ? "set to something else" : `"${given[name]}"`}: ${issue.message}`;
      });
  for (const name of required)
    if (given[name] === undefined && schema.shape[name].safeParse(undefined).data === undefined)
      problems.push(`${name} is not set`);
  for (const name of Object.keys(env))
    if (name.startsWith("HEARTHLINE_") && !(name in settings) && !isForTools(name))
      problems.push(`${name} is no setting`);
  if (problems.length > 0 || !parsed.success) {
    throw new HearthlineError("setting_invalid", `The settings cannot be used. ${[...new Set(problems)].join("; ")}.`);
  }
  return parsed.data as ConfigWith<N>;
}

/** Settings of the command line and of the tests, which no function reads. */
const isForTools = (name: string): boolean =>
  /^HEARTHLINE_(PEERS?(_.*)?|ANSWER_FD|TEST_.*|BENCH_.*|STACK_.*|HOME_SIM_.*)$/.test(name);
