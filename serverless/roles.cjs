// One role a function, with what that function calls and nothing else. tests/house/roles.test.ts holds it against what the functions really call.
/** What Lambda itself does with a function's role at its event source. */
const CONSUME = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
/** SendMessageBatch is a SendMessage to IAM. */
const SEND = ["sqs:SendMessage", "sqs:GetQueueUrl"];
const MEASURE = ["sqs:GetQueueUrl", "sqs:GetQueueAttributes"];

const WORK = ["Events", "Store", "Index", "Analysis"];
const ALL_QUEUES = WORK.flatMap((name) => [name, `${name}Dead`]);

/** function -> what it does with which queues, and its operations on the table */
const GRANTS = {
  enrich: {
    queues: [
      [CONSUME, ["Events"]],
      [SEND, ["Store", "Index", "EventsDead"]],
    ],
    table: ["GetItem", "BatchGetItem", "PutItem"],
  },
  store: {
    queues: [
      [CONSUME, ["Store"]],
      [SEND, ["StoreDead"]],
    ],
    // Whether a home is there still; days of which events came late.
    table: ["GetItem", "BatchWriteItem"],
  },
  "index-devices": {
    queues: [
      [CONSUME, ["Index"]],
      [SEND, ["IndexDead"]],
    ],
    table: ["GetItem", "BatchGetItem", "Query", "PutItem", "BatchWriteItem"],
  },
  dispatch: { queues: [[SEND, ["Analysis"]]], table: ["GetItem", "BatchGetItem", "Query", "PutItem"] },
  analyze: {
    queues: [
      [CONSUME, ["Analysis"]],
      // A job that has more to do than one call has time for goes on in a next message.
      [SEND, ["Analysis", "AnalysisDead"]],
    ],
    table: ["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"],
  },
  "validate-migration": {
    queues: [
      // Events of its own, and OLD's past.
      [SEND, ["Events"]],
      [MEASURE, ALL_QUEUES],
      // It looks at what was set aside, and puts it back.
      [
        ["sqs:ReceiveMessage", "sqs:ChangeMessageVisibility"],
        ["EventsDead", "StoreDead"],
      ],
    ],
    table: ["GetItem", "BatchGetItem", "Query", "PutItem", "DeleteItem", "BatchWriteItem"],
  },
  authorize: { queues: [], table: ["GetItem"] },
  api: {
    queues: [
      [SEND, ["Events", "Analysis"]],
      [MEASURE, ALL_QUEUES],
    ],
    table: ["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem"],
  },
};

/**
 * What the event store adds, by HEARTHLINE_STORE: function -> operations on the bucket and its objects, on the table, or of Timestream. `sqlite` and `influxdb` need nothing of AWS. Only `npm run deploy` and the operator's command set a store up: no function may.
 */
const STORE_GRANTS = {
  parquet: {
    store: { bucket: ["ListBucket"], objects: ["GetObject", "PutObject"] },
    api: { bucket: ["ListBucket", "GetLifecycleConfiguration"], objects: ["GetObject"] },
    "validate-migration": { bucket: ["ListBucket", "GetLifecycleConfiguration"], objects: ["GetObject"] },
    analyze: {
      bucket: ["ListBucket", "GetLifecycleConfiguration"],
      objects: ["GetObject", "PutObject", "DeleteObject"],
    },
  },
  // With HEARTHLINE_PARQUET_HOT=table.
  "parquet-table": {
    store: { table: ["PutItem", "BatchWriteItem", "Query"], objects: ["GetObject", "PutObject"] },
    api: {
      table: ["Query", "BatchGetItem"],
      bucket: ["ListBucket", "GetLifecycleConfiguration"],
      objects: ["GetObject"],
    },
    "validate-migration": {
      table: ["Query", "BatchGetItem"],
      bucket: ["ListBucket", "GetLifecycleConfiguration"],
      objects: ["GetObject"],
    },
    analyze: {
      table: ["Query", "BatchGetItem", "BatchWriteItem"],
      bucket: ["ListBucket", "GetLifecycleConfiguration"],
      objects: ["GetObject", "PutObject", "DeleteObject"],
    },
  },
  timestream: {
    store: { timestream: ["WriteRecords"] },
    api: { timestream: ["Select", "DescribeTable"] },
    "validate-migration": { timestream: ["Select", "DescribeTable"] },
    analyze: { timestream: ["Select", "DescribeTable"] },
  },
};

/** The logical id of a function's role: `index-devices` -> `IndexDevicesRole`. */
const roleId = (name) => `${name.replace(/(^|-)([a-z])/g, (_all, _dash, letter) => letter.toUpperCase())}Role`;

const allow = (Action, Resource) => ({ Effect: "Allow", Action, Resource });
const assumedBy = (Service) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service }, Action: "sts:AssumeRole" }],
});
const role = (service, Statement) => ({
  Type: "AWS::IAM::Role",
  Properties: {
    AssumeRolePolicyDocument: assumedBy(service),
    Policies: [{ PolicyName: "own-work", PolicyDocument: { Version: "2012-10-17", Statement } }],
  },
});

/** The bucket and the prefix of `s3://bucket/prefix`; of a folder: none, and nothing of S3 is granted. */
function bucketOf(url) {
  const [, bucket, prefix = ""] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(url) ?? [];
  const arn = `arn:\${AWS::Partition}:s3:::${bucket}`;
  const objects = `${arn}/${prefix.replace(/\/+$/, "")}${prefix && "/"}*`;
  return bucket === undefined ? undefined : { bucket: { "Fn::Sub": arn }, objects: { "Fn::Sub": objects } };
}

function storeStatements({ table = [], bucket = [], objects = [], timestream = [] }) {
  const env = process.env;
  const at = bucketOf(env.HEARTHLINE_PARQUET_URL ?? "");
  const database = env.HEARTHLINE_TIMESTREAM_DATABASE || "hearthline";
  const base = `arn:\${AWS::Partition}:timestream:\${AWS::Region}:\${AWS::AccountId}:database/`;
  const statements = [];
  const add = (service, operations, resource) => {
    if (operations.length === 0 || resource === undefined) return;
    statements.push(
      allow(
        operations.map((operation) => `${service}:${operation}`),
        [resource],
      ),
    );
  };
  add("dynamodb", table, { "Fn::GetAtt": ["IndexTable", "Arn"] });
  add("s3", bucket, at?.bucket);
  add("s3", objects, at?.objects);
  add("timestream", timestream, { "Fn::Sub": `${base}${database}/table/events` });
  // It names the addresses of the service, and takes no resource.
  if (timestream.length > 0) statements.push(allow(["timestream:DescribeEndpoints"], "*"));
  return statements;
}

module.exports = async ({ resolveVariable }) => {
  const prefix = `${await resolveVariable("self:service")}-${await resolveVariable("sls:stage")}`;
  const arn = {
    "Fn::Sub": `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:/aws/lambda/${prefix}-`,
  }["Fn::Sub"];
  const isHotInTable = process.env.HEARTHLINE_PARQUET_HOT === "table";
  const store = `${process.env.HEARTHLINE_STORE || "sqlite"}${isHotInTable ? "-table" : ""}`;
  const Resources = {};
  for (const [name, { queues, table }] of Object.entries(GRANTS)) {
    Resources[roleId(name)] = role("lambda.amazonaws.com", [
      allow(["logs:CreateLogStream", "logs:PutLogEvents"], [{ "Fn::Sub": `${arn}${name}:*` }]),
      ...queues.map(([actions, names]) =>
        allow(
          actions,
          names.map((queue) => ({ "Fn::GetAtt": [`${queue}Queue`, "Arn"] })),
        ),
      ),
      ...(table.length > 0
        ? [
            allow(
              table.map((operation) => `dynamodb:${operation}`),
              [{ "Fn::GetAtt": ["IndexTable", "Arn"] }],
            ),
          ]
        : []),
      ...storeStatements(STORE_GRANTS[store]?.[name] ?? {}),
    ]);
  }
  Resources.SchedulerRole = role("scheduler.amazonaws.com", [
    allow(
      ["lambda:InvokeFunction"],
      [
        { "Fn::GetAtt": ["DispatchLambdaFunction", "Arn"] },
        { "Fn::GetAtt": ["ValidateDashmigrationLambdaFunction", "Arn"] },
      ],
    ),
  ]);
  return { Resources };
};
module.exports.GRANTS = GRANTS;
module.exports.STORE_GRANTS = STORE_GRANTS;
module.exports.CONSUME = CONSUME;
