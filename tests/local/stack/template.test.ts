import { describe, expect, it } from "vitest";
import { queueOfArn, readStackSpec } from "../../../local/stack/template.ts";

/** CloudFormation's placeholder, put together so that it is not taken for one of ours. */
const placeholder = (id: string) => `$\{${id}}`;
const att = (id: string) => ({ "Fn::GetAtt": [id, "Arn"] });
const resources = {
  Resources: {
    Dead: { Type: "AWS::SQS::Queue", Properties: { QueueName: { "Fn::Sub": `${placeholder("Main")}-dead` } } },
    Main: {
      Type: "AWS::SQS::Queue",
      Properties: {
        QueueName: "main",
        VisibilityTimeout: 180,
        RedrivePolicy: { deadLetterTargetArn: att("Dead"), maxReceiveCount: "5" },
      },
    },
    Table: {
      Type: "AWS::DynamoDB::Table",
      Properties: {
        TableName: { "Fn::Sub": [`${placeholder("Prefix")}-index`, { Prefix: "own" }] },
        KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        TimeToLiveSpecification: { AttributeName: "expires_at", Enabled: true },
      },
    },
    Role: { Type: "AWS::IAM::Role", Properties: { Arn: { "Fn::ImportValue": "x" } } },
  },
};

describe("readStackSpec", () => {
  it("reads queues and tables, and leaves the rest alone", () => {
    const spec = readStackSpec(resources);
    expect(spec.queues).toEqual([
      { logicalId: "Dead", name: "main-dead", attributes: {} },
      {
        logicalId: "Main",
        name: "main",
        attributes: { VisibilityTimeout: "180" },
        redrive: { deadLetterId: "Dead", maxReceiveCount: 5 },
      },
    ]);
    expect(spec.tables).toEqual([
      {
        logicalId: "Table",
        name: "own-index",
        input: { TableName: "own-index", KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }] },
        timeToLiveAttribute: "expires_at",
      },
    ]);
  });

  it("reads a list of resources, as several files give", () => {
    expect(readStackSpec([resources, { Resources: { More: { Type: "AWS::SQS::Queue" } } }]).queues).toHaveLength(3);
    expect(readStackSpec(undefined)).toEqual({ queues: [], tables: [] });
  });

  it.each([
    ["a form that it does not know", { QueueName: { "Fn::Join": ["-", ["a", "b"]] } }, "Fn::Join"],
    ["an attribute other than Arn", { QueueName: { "Fn::GetAtt": ["Main", "QueueName"] } }, "only .Arn"],
    ["a reference to nothing", { QueueName: { "Fn::Sub": `${placeholder("Nowhere")}-dead` } }, '"Nowhere"'],
    ["a redrive policy without a count", { RedrivePolicy: { deadLetterTargetArn: att("Dead") } }, "maxReceiveCount"],
  ])("names %s", (_, properties, said) => {
    const Resources = { ...resources.Resources, Bad: { Type: "AWS::SQS::Queue", Properties: properties } };
    expect(() => readStackSpec({ Resources })).toThrow(said);
  });
});

describe("queueOfArn", () => {
  it.each([[att("Main")], [{ "Fn::GetAtt": "Main.Arn" }], ["arn:aws:sqs:eu-west-1:123456789012:main"]])(
    "finds the queue of %j",
    (arn) => {
      expect(queueOfArn(arn, readStackSpec(resources)).name).toBe("main");
    },
  );

  it("says which arn leads nowhere", () => {
    expect(() => queueOfArn(att("Other"), readStackSpec(resources))).toThrow("Other");
  });
});
