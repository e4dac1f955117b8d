/** Limits that others set, once: value, unit in the name, source, date read. What we choose ourselves stands where it is used. */

/** SQS: a message, its attributes included. Source: SQS developer guide, "quotas-messages" (1 MiB since August 2025); read 2026-09. */
export const SQS_MESSAGE_MAX_BYTES = 1_048_576;
/** SQS: messages in one SendMessageBatch or DeleteMessageBatch. Source: SQS API reference; read 2026-09. */
export const SQS_BATCH_MAX_MESSAGES = 10;
/** SQS: all messages of one SendMessageBatch together. Source: SQS API reference; read 2026-09. */
export const SQS_BATCH_MAX_BYTES = 1_048_576;
/** SQS: what one request is billed in. Source: SQS pricing; read 2026-09. */
export const SQS_BILLING_UNIT_BYTES = 65_536;
/** DynamoDB: one item, names included. Source: DynamoDB developer guide, "Service quotas"; read 2026-09. */
export const DYNAMODB_ITEM_MAX_BYTES = 409_600;
/** DynamoDB: puts and deletes in one BatchWriteItem. Source: API_BatchWriteItem; read 2026-09. */
export const DYNAMODB_BATCH_WRITE_MAX_ITEMS = 25;
/** Home Assistant: characters of a state. Source: core 2026.11.0 const.py MAX_LENGTH_STATE_STATE; as in 2024.3.3. */
export const HA_STATE_MAX_CHARACTERS = 255;
/** Home Assistant: seconds a client has to authenticate. Source: core 2026.11.0 components/websocket_api/http.py AUTH_MESSAGE_TIMEOUT. */
export const HA_AUTH_WINDOW_SECONDS = 10;
/** Home Assistant's Supervisor passes frames up to this size. Source: supervisor homeassistant/websocket.py; read 2026-09. */
export const HA_FRAME_MAX_BYTES = 67_108_864;
/** Lambda: one batch of an SQS event source, as payload. Source: Lambda "gettingstarted-limits"; read 2026-09. */
export const LAMBDA_PAYLOAD_MAX_BYTES = 6_291_456;
