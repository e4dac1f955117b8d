import { sqsPayloadBytes, sqsRequests, timestreamBytes, type WriteRecords, writeUnits } from "./units.ts";
import type { Item } from "./usage.ts";

/** What a call of a service takes as a rule, in ms, within a region; chosen by us from what AWS and others publish, as nothing here can measure it. */
const LATENCY_MS = { sqs: 8, dynamodb: 5, s3Get: 20, s3Put: 30, timestream: 20 } as const;

/** What the calls of one piece of work used. */
export class Meter {
  readonly used: Partial<Record<Item, number>> = {};
  /** Bytes that Timestream keeps. */
  timestreamBytes = 0;
  timestreamQueries = 0;
  /** By service and operation, as `dynamodb PutItem`. */
  readonly calls = new Map<string, number>();
  /** Until when the answers so far would have come: calls one after the other add up, calls at once do not. */
  waitedMs = 0;

  add(item: Item, amount: number): void {
    this.used[item] = (this.used[item] ?? 0) + amount;
  }
}

let current: Meter | undefined;

/** Does work whose calls go to a meter. One at a time: what else calls meanwhile would be counted too. */
export async function measured<T>(meter: Meter, work: () => Promise<T>): Promise<T> {
  if (current) throw new Error("Something else is being measured.");
  current = meter;
  try {
    return await work();
  } finally {
    current = undefined;
  }
}

interface Called {
  readonly service: keyof typeof SERVICES | "s3";
  readonly operation: string;
  readonly latencyMs: number;
  readonly body: string;
}

const SERVICES = { sqs: /^AmazonSQS/, dynamodb: /^DynamoDB/, timestream: /^Timestream/ } as const;

function calledBy(init: RequestInit | undefined, url: URL): Called {
  const target = new Headers(init?.headers).get("x-amz-target");
  if (target === null) {
    const method = init?.method ?? "GET";
    // A bucket's own address with a query is a listing.
    const isList = method === "GET" && url.searchParams.has("list-type");
    const latencyMs = method === "GET" && !isList ? LATENCY_MS.s3Get : LATENCY_MS.s3Put;
    return { service: "s3", operation: isList ? "LIST" : method, latencyMs, body: "" };
  }
  const [name = "", operation = ""] = target.split(".");
  const service = (Object.keys(SERVICES) as (keyof typeof SERVICES)[]).find((key) => SERVICES[key].test(name));
  if (!service) throw new Error(`"${target}" is no service that has a price here.`);
  return { service, operation, latencyMs: LATENCY_MS[service], body: String(init?.body ?? "{}") };
}

/** What was asked with what came back, in billed units. */
function count(meter: Meter, { service, operation, body }: Called, answer: { status: number; text: string }): void {
  // Once in the life of an instance.
  if (operation === "GetQueueUrl") return;
  const name = `${service} ${operation}`;
  meter.calls.set(name, (meter.calls.get(name) ?? 0) + 1);
  if (service === "sqs") meter.add("sqs_requests", sqsRequestsOf(body));
  else if (service === "dynamodb") countDynamodb(meter, { operation, body }, answer);
  else if (service === "timestream") countTimestream(meter, operation, body);
  else if (operation === "PUT" || operation === "POST" || operation === "LIST") meter.add("s3_put_requests", 1);
  else if (operation !== "DELETE") meter.add("s3_get_requests", 1);
}

function sqsRequestsOf(body: string): number {
  const { Entries, MessageBody } = JSON.parse(body) as { Entries?: object[]; MessageBody?: string };
  return sqsRequests(sqsPayloadBytes(Entries ?? (MessageBody === undefined ? [] : [{ MessageBody }])));
}

const READS: ReadonlySet<string> = new Set(["GetItem", "BatchGetItem", "Query"]);
interface Capacity {
  readonly CapacityUnits?: number;
}

function countDynamodb(
  meter: Meter,
  { operation, body }: Pick<Called, "operation" | "body">,
  { status, text }: { status: number; text: string },
): void {
  const isRead = READS.has(operation);
  if (status >= 400) {
    const isRefused = /ConditionalCheckFailed/.test(text);
    if (isRefused) meter.add("dynamodb_write_units", writeUnits(Buffer.byteLength(body)));
    return;
  }
  const { ConsumedCapacity = [] } = JSON.parse(text) as { ConsumedCapacity?: Capacity | readonly Capacity[] };
  const units = [ConsumedCapacity].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
  // dynalite asks nothing for a question that finds nothing; DynamoDB asks one unit, or half of one where the answer may lag behind.
  const least = /"ConsistentRead":false/.test(body) ? 0.5 : 1;
  meter.add(isRead ? "dynamodb_read_units" : "dynamodb_write_units", Math.max(least, units));
}

function countTimestream(meter: Meter, operation: string, body: string): void {
  if (operation === "Query") meter.timestreamQueries += 1;
  if (operation !== "WriteRecords") return;
  const { billedKib, storedBytes } = timestreamBytes(JSON.parse(body) as WriteRecords);
  meter.add("timestream_kib_written", billedKib);
  meter.timestreamBytes += storedBytes;
}

/** Has DynamoDB say what a call costs; the emulators look at no signature. */
function asking(init: RequestInit, called: Called): RequestInit {
  if (called.service !== "dynamodb") return init;
  const body = JSON.stringify({ ...(JSON.parse(called.body) as object), ReturnConsumedCapacity: "TOTAL" });
  return { ...init, body };
}

/** Puts itself between all that call and the services, until the function it gives is called. Calls outside `measured` pass through untouched. */
export function watchFetch(): () => void {
  const real = globalThis.fetch;
  globalThis.fetch = async (input, init = {}) => {
    const meter = current;
    if (!meter) return real(input, init);
    const called = calledBy(init, new URL(String(input)));
    const startMs = meter.waitedMs;
    const answer = await real(input, asking(init, called));
    const bytes = new Uint8Array(await answer.arrayBuffer());
    count(meter, called, { status: answer.status, text: Buffer.from(bytes).toString() });
    if (called.operation !== "GetQueueUrl") meter.waitedMs = Math.max(meter.waitedMs, startMs + called.latencyMs);
    const { status, headers } = answer;
    return new Response(status === 204 || status === 304 ? null : bytes, { status, headers });
  };
  return () => {
    globalThis.fetch = real;
  };
}
