import { HearthlineError } from "../../lib/base/errors.ts";

/** A queue as the template wants it. Attribute names and values are those of SQS' SetQueueAttributes. */
export interface QueueSpec {
  readonly logicalId: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** The dead-letter queue, by its logical id, and after how many receives a message goes there. */
  readonly redrive?: { readonly deadLetterId: string; readonly maxReceiveCount: number };
}

export interface TableSpec {
  readonly logicalId: string;
  readonly name: string;
  /** Properties that CreateTable takes as the template has them. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly timeToLiveAttribute?: string;
}

export interface StackSpec {
  readonly queues: readonly QueueSpec[];
  readonly tables: readonly TableSpec[];
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const QUEUE_ATTRIBUTES = [
  "VisibilityTimeout",
  "MessageRetentionPeriod",
  "DelaySeconds",
  "MaximumMessageSize",
  "ReceiveMessageWaitTimeSeconds",
];
const TABLE_PROPERTIES = [
  "TableName",
  "BillingMode",
  "AttributeDefinitions",
  "KeySchema",
  "GlobalSecondaryIndexes",
  "LocalSecondaryIndexes",
  "ProvisionedThroughput",
];

const wrong = (what: string) => new HearthlineError("setting_invalid", `serverless.yml cannot be used: ${what}.`);

/**
 * Reads the queues and tables out of the `resources` of serverless.yml, the one place that says what there is. Resources of other types are none of a local stack's business.
 * @throws HearthlineError `setting_invalid`: names the resource and the form that cannot be resolved here
 */
export function readStackSpec(resources: unknown): StackSpec {
  const all = collect(resources);
  const resolve = createResolver(all);
  const queues: QueueSpec[] = [];
  const tables: TableSpec[] = [];
  for (const [logicalId, resource] of Object.entries(all)) {
    const properties = isObject(resource.Properties) ? resource.Properties : {};
    if (resource.Type === "AWS::SQS::Queue") queues.push(readQueue(logicalId, properties, resolve));
    if (resource.Type === "AWS::DynamoDB::Table") tables.push(readTable(logicalId, properties, resolve));
  }
  return { queues, tables };
}

/** The logical id that a `GetAtt`, in any of its written forms, or an ARN in plain text points to. */
export function queueOfArn(arn: unknown, spec: StackSpec): QueueSpec {
  const id = getAttTarget(arn);
  const name = typeof arn === "string" ? arn.split(":").pop() : undefined;
  const found = spec.queues.find((queue) => queue.logicalId === id || queue.name === name);
  if (!found)
    throw wrong(`no queue belongs to the event source's arn ${JSON.stringify(arn)}; wanted is !GetAtt QUEUE.Arn`);
  return found;
}

function collect(resources: unknown): Record<string, Json> {
  const parts = Array.isArray(resources) ? resources : [resources];
  const all: Record<string, Json> = {};
  for (const part of parts) {
    if (!isObject(part) || !isObject(part.Resources)) continue;
    for (const [logicalId, resource] of Object.entries(part.Resources))
      if (isObject(resource)) all[logicalId] = resource;
  }
  return all;
}

function getAttTarget(value: unknown): string | undefined {
  if (!isObject(value)) return undefined;
  const target = value["Fn::GetAtt"];
  const path = Array.isArray(target) ? target : typeof target === "string" ? target.split(".") : [];
  return path[1] === "Arn" && typeof path[0] === "string" ? path[0] : undefined;
}

type Resolve = (value: unknown, where: string) => unknown;

function createResolver(all: Readonly<Record<string, Json>>): Resolve {
  const nameOf = (logicalId: string, where: string): unknown => {
    const properties = all[logicalId]?.Properties;
    if (!isObject(properties)) throw wrong(`${where} points to "${logicalId}", which is no resource`);
    return resolve(properties.QueueName ?? properties.TableName ?? logicalId, logicalId);
  };
  const pseudo: Record<string, string> = {
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "000000000000",
    "AWS::Partition": "aws",
  };
  const reference = (id: string, where: string) => pseudo[id] ?? nameOf(id, where);
  const resolve: Resolve = (value, where) => {
    if (Array.isArray(value)) return value.map((one) => resolve(one, where));
    if (!isObject(value)) return value;
    const [form] = Object.keys(value);
    if (form === "Ref") return reference(String(value.Ref), where);
    if (form === "Fn::Sub") return substitute(value["Fn::Sub"], (id) => String(reference(id, where)), where);
    if (form === "Fn::GetAtt") {
      const id = getAttTarget(value);
      if (!id) throw wrong(`${where} has ${JSON.stringify(value)}; only .Arn is known to the local stack`);
      return `arn:aws:sqs:us-east-1:000000000000:${nameOf(id, where)}`;
    }
    if (form?.startsWith("Fn::"))
      throw wrong(`${where} has ${form}; the local stack knows Ref, Fn::GetAtt and Fn::Sub`);
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, resolve(one, where)]));
  };
  return resolve;
}

function substitute(value: unknown, reference: (id: string) => string, where: string): string {
  const [text, own] = Array.isArray(value) ? value : [value, {}];
  if (typeof text !== "string") throw wrong(`${where} has an Fn::Sub without text`);
  return text.replace(/\$\{([^}]+)\}/g, (_, id: string) =>
    isObject(own) && typeof own[id] === "string" ? own[id] : reference(id.split(".")[0] ?? id),
  );
}

function readQueue(logicalId: string, properties: Json, resolve: Resolve): QueueSpec {
  const attributes = QUEUE_ATTRIBUTES.flatMap((name) =>
    properties[name] === undefined ? [] : [[name, String(resolve(properties[name], logicalId))]],
  );
  const name = String(resolve(properties.QueueName ?? logicalId, logicalId));
  const policy = properties.RedrivePolicy;
  if (!isObject(policy)) return { logicalId, name, attributes: Object.fromEntries(attributes) };
  const deadLetterId = getAttTarget(policy.deadLetterTargetArn);
  const maxReceiveCount = Number(policy.maxReceiveCount);
  if (!deadLetterId || !Number.isInteger(maxReceiveCount) || maxReceiveCount < 1)
    throw wrong(
      `the RedrivePolicy of ${logicalId} wants deadLetterTargetArn: !GetAtt QUEUE.Arn and a maxReceiveCount of 1 or more`,
    );
  return { logicalId, name, attributes: Object.fromEntries(attributes), redrive: { deadLetterId, maxReceiveCount } };
}

function readTable(logicalId: string, properties: Json, resolve: Resolve): TableSpec {
  const input = Object.fromEntries(
    TABLE_PROPERTIES.filter((name) => properties[name] !== undefined).map((name) => [
      name,
      resolve(properties[name], logicalId),
    ]),
  );
  const name = String(input.TableName ?? logicalId);
  const ttl = properties.TimeToLiveSpecification;
  return {
    logicalId,
    name,
    input: { ...input, TableName: name },
    ...(isObject(ttl) && ttl.Enabled === true && { timeToLiveAttribute: String(ttl.AttributeName) }),
  };
}
