import { HearthlineError } from "../base/errors.ts";

type Settings = Readonly<Record<string, string>>;

/** Every option of the Home Assistant app, and the setting that it fills: each once, so that DOCS.md and the README speak of the same thing. */
export const APP_OPTIONS: Settings = {
  home_id: "HEARTHLINE_HOME_ID",
  home_key: "HEARTHLINE_HOME_KEY",
  queue_prefix: "HEARTHLINE_QUEUE_PREFIX",
  aws_region: "AWS_REGION",
  aws_access_key_id: "AWS_ACCESS_KEY_ID",
  aws_secret_access_key: "AWS_SECRET_ACCESS_KEY",
  aws_endpoint_url_sqs: "AWS_ENDPOINT_URL_SQS",
  flush_seconds: "HEARTHLINE_FLUSH_SECONDS",
  spool_max_mb: "HEARTHLINE_SPOOL_MAX_MB",
  include: "HEARTHLINE_INCLUDE",
  exclude: "HEARTHLINE_EXCLUDE",
  exclude_attributes: "HEARTHLINE_EXCLUDE_ATTRIBUTES",
  monthly_dollars_max: "HEARTHLINE_MONTHLY_DOLLARS_MAX",
  url: "HEARTHLINE_URL",
  token: "HEARTHLINE_TOKEN",
  mqtt_url: "HEARTHLINE_MQTT_URL",
  zigbee2mqtt_base_topic: "HEARTHLINE_ZIGBEE2MQTT_BASE_TOPIC",
  outbox_seconds: "HEARTHLINE_OUTBOX_SECONDS",
  write_automations: "HEARTHLINE_WRITE_AUTOMATIONS",
  old_sink: "HEARTHLINE_OLD_SINK",
  old_url: "HEARTHLINE_OLD_URL",
  old_token: "HEARTHLINE_OLD_TOKEN",
  old_database: "HEARTHLINE_OLD_DATABASE",
  old_user: "HEARTHLINE_OLD_USER",
  old_password: "HEARTHLINE_OLD_PASSWORD",
  old_measurement: "HEARTHLINE_OLD_MEASUREMENT",
  old_precision: "HEARTHLINE_OLD_PRECISION",
  status_seconds: "HEARTHLINE_RELAY_STATUS_SECONDS",
  allow: "HEARTHLINE_RELAY_ALLOW",
  log_level: "HEARTHLINE_LOG_LEVEL",
};

/**
 * The settings that an owner's options stand for; lists are joined with commas, what is empty is not set.
 * @throws HearthlineError `setting_invalid` that names every option that is none of ours or of no kind that a setting has
 */
export function settingsFromOptions(options: unknown): Settings {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new HearthlineError(
      "setting_invalid",
      "The app's options are no object: wanted is what Home Assistant writes.",
    );
  }
  const settings: Record<string, string> = {};
  const problems: string[] = [];
  for (const [option, value] of Object.entries(options)) {
    const setting = Object.hasOwn(APP_OPTIONS, option) ? APP_OPTIONS[option] : undefined;
    const text = textOf(value);
    if (setting === undefined) problems.push(`"${option}" is no option`);
    else if (text === undefined)
      problems.push(`"${option}" is neither a text, a number, yes or no, nor a list of these`);
    else if (text !== "") settings[setting] = text;
  }
  if (problems.length === 0) return settings;
  const wanted = Object.keys(APP_OPTIONS).join(", ");
  throw new HearthlineError(
    "setting_invalid",
    `The app's options cannot be used. ${problems.join("; ")}; wanted are ${wanted}.`,
  );
}

const isPlain = (value: unknown): boolean => ["string", "number", "boolean"].includes(typeof value);

function textOf(value: unknown): string | undefined {
  if (value === null) return "";
  if (isPlain(value)) return String(value).trim();
  if (Array.isArray(value) && value.every(isPlain)) return value.map((item) => String(item).trim()).join(",");
  return undefined;
}
