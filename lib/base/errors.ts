/**
 * What becomes of the work that met an error.
 * - `retry`: the same input may succeed later (a service is away, throttled, slow).
 * - `dead-letter`: the same input never succeeds; it is set aside with its reason, its neighbours go on.
 * - `stop`: a person has to act (wrong token, wrong setting); going on would only repeat the failure.
 */
export type Fate = "retry" | "dead-letter" | "stop";

const FATES = {
  // The outside is away for a while.
  service_unreachable: "retry",
  service_throttled: "retry",
  service_failed: "retry",
  service_timeout: "retry",
  conflict: "retry",
  spool_failed: "retry",
  queue_send_failed: "retry",
  sink_refused: "retry",
  ledger_full: "retry",
  home_assistant_disconnected: "retry",
  home_assistant_not_ready: "retry",
  home_assistant_command_failed: "retry",
  command_timeout: "retry",
  history_busy: "retry",
  mqtt_unreachable: "retry",
  mqtt_disconnected: "retry",
  mqtt_timeout: "retry",
  mqtt_failed: "retry",
  outbox_full: "retry",
  store_unavailable: "retry",
  store_full: "retry",
  rate_limited: "retry",
  backup_unsettled: "retry",
  old_malformed: "retry",
  migration_stale: "retry",
  // The input itself is wrong.
  envelope_malformed: "dead-letter",
  envelope_version_unknown: "dead-letter",
  envelope_home_unknown: "dead-letter",
  envelope_signature_wrong: "dead-letter",
  envelope_body_broken: "dead-letter",
  envelope_too_large: "dead-letter",
  envelope_too_many_records: "dead-letter",
  envelope_empty: "dead-letter",
  envelope_count_wrong: "dead-letter",
  record_malformed: "dead-letter",
  event_malformed: "dead-letter",
  event_entity_id_invalid: "dead-letter",
  event_state_invalid: "dead-letter",
  event_time_invalid: "dead-letter",
  event_time_out_of_range: "dead-letter",
  event_attributes_invalid: "dead-letter",
  event_too_large: "dead-letter",
  event_refused: "dead-letter",
  events_refused: "dead-letter",
  queue_message_invalid: "dead-letter",
  request_invalid: "dead-letter",
  not_found: "dead-letter",
  suggestion_accepted: "dead-letter",
  outbox_item_malformed: "dead-letter",
  recorder_absent: "dead-letter",
  migration_exists: "dead-letter",
  migration_state_wrong: "dead-letter",
  migration_refused: "dead-letter",
  migration_plan_invalid: "dead-letter",
  report_malformed: "dead-letter",
  report_unsigned: "dead-letter",
  report_changed: "dead-letter",
  report_signature_wrong: "dead-letter",
  report_key_unknown: "dead-letter",
  sink_unknown: "dead-letter",
  automation_not_allowed: "dead-letter",
  automation_refused: "dead-letter",
  automation_not_loaded: "dead-letter",
  mqtt_not_set: "dead-letter",
  mqtt_publish_refused: "dead-letter",
  mqtt_subscribe_refused: "dead-letter",
  zigbee2mqtt_silent: "dead-letter",
  zigbee2mqtt_malformed: "dead-letter",
  // Only a person can mend it.
  store_incompatible: "stop",
  store_refused: "stop",
  store_read_only: "stop",
  store_damaged: "stop",
  backup_unreadable: "stop",
  backup_unwritable: "stop",
  backup_damaged: "stop",
  backup_version_unknown: "stop",
  backup_target_not_empty: "stop",
  history_unreadable: "stop",
  old_schema_changed: "stop",
  history_damaged: "stop",
  history_schema_unknown: "stop",
  history_of_another_home: "stop",
  history_state_newer: "stop",
  setting_invalid: "stop",
  home_assistant_token_refused: "stop",
  home_assistant_address_wrong: "stop",
  home_assistant_tls_failed: "stop",
  home_assistant_not_home_assistant: "stop",
  mqtt_refused: "stop",
  mqtt_tls_failed: "stop",
  service_refused: "stop",
  queue_unknown: "stop",
  data_folder_unusable: "stop",
  already_running: "stop",
  port_taken: "stop",
} as const satisfies Record<string, Fate>;

export type ErrorCode = keyof typeof FATES;

const BRAND = Symbol.for("hearthline.error");

/** An error of ours: a stable code, what was tried and met, and (by the code) what becomes of the work. */
export class HearthlineError extends Error {
  readonly [BRAND] = true;
  readonly code: ErrorCode;
  readonly fate: Fate;

  /** `message` says what was tried, the value in quotes, the present and the wanted state. Never put a secret into it. */
  constructor(code: ErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = "HearthlineError";
    this.code = code;
    this.fate = FATES[code];
  }
}

/** True for our errors, also across bundles and copies of this module. */
export const isHearthlineError = (value: unknown): value is HearthlineError =>
  typeof value === "object" && value !== null && BRAND in value;

/** The text of anything thrown. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
