/** An answer with an error. */
export class ServiceError extends Error {
  readonly type: string;
  readonly status: number;
  readonly body: object;
  constructor(type: string, message: string, { status = 400, body = {} }: { status?: number; body?: object } = {}) {
    super(message);
    this.type = type;
    this.status = status;
    this.body = body;
  }
}

interface Measure {
  readonly Name: string;
  readonly Value: string;
  readonly Type: string;
}
/** A record as it comes, its members not checked yet. */
export interface WireRecord {
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[];
  readonly MeasureName?: string;
  readonly MeasureValueType?: string;
  readonly MeasureValues?: readonly Measure[];
  readonly Time?: string;
  readonly TimeUnit?: string;
  readonly Version?: number;
}

const RECORD_BYTES = 2_048;
export const invalid = (message: string) => new ServiceError("ValidationException", message);
const bytes = (text: string) => Buffer.byteLength(text);

/** As API_WriteRecords and the quotas have it. @throws ServiceError for the whole request */
export function merge(common: WireRecord, record: WireRecord): Required<WireRecord> {
  const merged = { ...common, ...record, Dimensions: [...(common.Dimensions ?? []), ...(record.Dimensions ?? [])] };
  const { Dimensions, MeasureName, MeasureValues = [], Time = "", TimeUnit, Version = 1, MeasureValueType } = merged;
  const names = Dimensions.map(({ Name }) => Name);
  if (new Set(names).size < names.length) throw invalid("dimensions overlap");
  if (MeasureValueType !== "MULTI" || TimeUnit !== "MICROSECONDS" || !MeasureName || MeasureValues.length === 0) {
    throw invalid("no record that this emulation knows");
  }
  if (!/^\d+$/.test(Time)) throw invalid(`time ${Time}`);
  if (!Number.isSafeInteger(Version) || Version < 1) throw invalid(`version ${Version}`);
  let size = 8 + bytes("measure_name") + bytes(MeasureName);
  for (const { Name, Value } of Dimensions) {
    if (bytes(Name) > 60 || typeof Value !== "string" || Value === "") throw invalid(`dimension ${Name}`);
    size += bytes(Name) + bytes(Value);
  }
  for (const { Name, Value, Type } of MeasureValues) {
    if (typeof Value !== "string" || Value === "" || bytes(Value) > 2_048)
      throw invalid(`measure ${Name} is empty or too long`);
    if (/\p{Cc}/u.test(Value) || !Value.isWellFormed()) throw invalid(`measure ${Name} has control characters`);
    size += bytes(Name) + (Type === "VARCHAR" ? bytes(Value) : 8);
  }
  if (size > RECORD_BYTES) throw invalid(`a record of ${size} bytes`);
  return { Dimensions, MeasureName, MeasureValues, Time, TimeUnit, Version, MeasureValueType };
}
