import { SQS_BILLING_UNIT_BYTES } from "../../lib/limits.ts";

/** SQS: each 64 KB of what a request or its answer carries is a request. */
export const sqsRequests = (payloadBytes: number): number =>
  Math.max(1, Math.ceil(payloadBytes / SQS_BILLING_UNIT_BYTES));

interface SqsEntry {
  readonly MessageBody?: string;
  readonly MessageAttributes?: Readonly<Record<string, { readonly DataType: string; readonly StringValue?: string }>>;
}

/** Bytes of the bodies and attributes of what is sent. */
export function sqsPayloadBytes(entries: readonly SqsEntry[]): number {
  return entries.reduce((sum, { MessageBody = "", MessageAttributes = {} }) => {
    const attributes = Object.entries(MessageAttributes).map(([name, { DataType, StringValue = "" }]) =>
      Buffer.byteLength(name + DataType + StringValue),
    );
    return sum + Buffer.byteLength(MessageBody) + attributes.reduce((bytes, one) => bytes + one, 0);
  }, 0);
}

/** DynamoDB: a refused conditional write costs by the item, as if it had been done. */
export const writeUnits = (bytes: number): number => Math.max(1, Math.ceil(bytes / 1024));

interface Dimension {
  readonly Name: string;
  readonly Value: string;
}
interface Measure extends Dimension {
  readonly Type: string;
}
interface Record_ {
  readonly Dimensions?: readonly Dimension[];
  readonly MeasureName?: string;
  readonly MeasureValues?: readonly Measure[];
}
export interface WriteRecords {
  readonly CommonAttributes?: Record_;
  readonly Records?: readonly Record_[];
}

const TIME_BYTES = 8;
const FIXED_BYTES: Readonly<Record<string, number>> = { BOOLEAN: 1, DOUBLE: 8, BIGINT: 8, TIMESTAMP: 8 };

function recordBytes({ Dimensions = [], MeasureName = "", MeasureValues = [] }: Record_): number {
  const names = Dimensions.reduce((sum, { Name, Value }) => sum + Buffer.byteLength(Name + Value), 0);
  const values = MeasureValues.reduce(
    (sum, { Name, Value, Type }) => sum + Buffer.byteLength(Name) + (FIXED_BYTES[Type] ?? Buffer.byteLength(Value)),
    0,
  );
  return names + Buffer.byteLength(MeasureName) + values;
}

/**
 * What a WriteRecords is billed and stored as. Billed in KiB a request, what is common to its records once; stored with each record.
 * Source: Timestream developer guide, "metering-and-pricing.writes" and "metering-and-pricing.storage"; read 2026-11.
 */
export function timestreamBytes({ CommonAttributes = {}, Records = [] }: WriteRecords): {
  readonly billedKib: number;
  readonly storedBytes: number;
} {
  const common = recordBytes(CommonAttributes);
  const own = Records.reduce((sum, record) => sum + TIME_BYTES + recordBytes(record), 0);
  return { billedKib: Math.max(1, Math.ceil((common + own) / 1024)), storedBytes: own + common * Records.length };
}

/** What CloudWatch adds to each line. Source: CloudWatch pricing, as of PutLogEvents; from memory. */
const LOG_EVENT_BYTES = 26;
export const logBytes = (line: string): number => Buffer.byteLength(line) + LOG_EVENT_BYTES;

const ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";
/** What Lambda writes itself to the log of a function at each call. Source: Lambda developer guide, "nodejs-logging"; read 2026-11. */
export const PLATFORM_LOG_BYTES = [
  `START RequestId: ${ID} Version: $LATEST\n`,
  `END RequestId: ${ID}\n`,
  `REPORT RequestId: ${ID}\tDuration: 65.07 ms\tBilled Duration: 66 ms\tMemory Size: 512 MB\tMax Memory Used: 121 MB\t\n`,
].reduce((sum, line) => sum + logBytes(line), 0);
