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
    table: [],
  },
  "index-devices": {
    queues: [
      [CONSUME, ["Index"]],
      [SEND, ["IndexDead"]],
    ],
    table: ["GetItem", "Query", "PutItem", "BatchWriteItem"],
  },
  dispatch: { queues: [[SEND, ["Analysis"]]], table: ["GetItem", "BatchGetItem", "Query", "PutItem"] },
  analyze: {
    queues: [
      [CONSUME, ["Analysis"]],
      [SEND, ["AnalysisDead"]],
    ],
    table: ["GetItem", "UpdateItem"],
  },
  authorize: { queues: [], table: ["GetItem"] },
  api: {
    queues: [
      [SEND, ["Events"]],
      [MEASURE, ALL_QUEUES],
    ],
    table: ["GetItem", "BatchGetItem", "Query", "PutItem"],
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

module.exports = async ({ resolveVariable }) => {
  const prefix = `${await resolveVariable("self:service")}-${await resolveVariable("sls:stage")}`;
  const arn = {
    "Fn::Sub": `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:/aws/lambda/${prefix}-`,
  }["Fn::Sub"];
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
    ]);
  }
  Resources.SchedulerRole = role("scheduler.amazonaws.com", [
    allow(["lambda:InvokeFunction"], [{ "Fn::GetAtt": ["DispatchLambdaFunction", "Arn"] }]),
  ]);
  return { Resources };
};
module.exports.GRANTS = GRANTS;
module.exports.CONSUME = CONSUME;
