import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { loadAwsServiceSpec } from "@aws-cdk/aws-service-spec";
import type { SpecDatabase } from "@aws-cdk/service-spec-types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Template, validateTemplate } from "../support/cloudformation.ts";

const root = resolve(import.meta.dirname, "../..");
const FUNCTIONS = ["enrich", "store", "index-devices", "dispatch", "analyze", "authorize", "api"];

let folder: string;
let db: SpecDatabase;
const templates: Record<string, Template> = {};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-package-"));
  db = await loadAwsServiceSpec();
  for (const stage of ["prod", "local"]) {
    const out = join(folder, stage);
    await promisify(execFile)(
      join(root, "node_modules/.bin/serverless"),
      ["package", "--stage", stage, "--package", out],
      { cwd: root },
    );
    templates[stage] = JSON.parse(
      readFileSync(join(out, "cloudformation-template-update-stack.json"), "utf8"),
    ) as Template;
  }
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const of = (stage: string, type: string) =>
  Object.entries(templates[stage]?.Resources ?? {}).flatMap(([id, resource]) =>
    resource.Type === type ? [{ id, ...(resource.Properties ?? {}) } as Record<string, unknown>] : [],
  );

describe.each(["prod", "local"])("the packaged template of stage %s", (stage) => {
  it("fits CloudFormation's specification", () => {
    expect(validateTemplate(templates[stage] ?? { Resources: {} }, db)).toEqual([]);
  });

  it("has every function, on arm64 and nodejs24.x, each with a role of its own", () => {
    const functions = of(stage, "AWS::Lambda::Function");
    expect(functions.map(({ FunctionName }) => FunctionName)).toEqual(
      expect.arrayContaining(FUNCTIONS.map((name) => `hearthline-${stage}-${name}`)),
    );
    const ours = functions.filter(({ FunctionName }) =>
      FUNCTIONS.some((name) => FunctionName === `hearthline-${stage}-${name}`),
    );
    expect(new Set(ours.map(({ Runtime, Architectures }) => `${Runtime} ${Architectures}`))).toEqual(
      new Set(["nodejs24.x arm64"]),
    );
    expect(new Set(ours.map(({ Role }) => JSON.stringify(Role))).size).toBe(FUNCTIONS.length);
  });

  it("every work queue has a dead-letter queue and a redrive policy, and is visible again no sooner than its function ends", () => {
    const queues = of(stage, "AWS::SQS::Queue");
    const work = queues.filter(({ RedrivePolicy }) => RedrivePolicy !== undefined);
    expect(work.map(({ id }) => id)).toEqual(["EventsQueue", "StoreQueue", "IndexQueue", "AnalysisQueue"]);
    for (const queue of work) {
      const policy = queue.RedrivePolicy as {
        deadLetterTargetArn: { "Fn::GetAtt": [string] };
        maxReceiveCount: number;
      };
      expect(policy.deadLetterTargetArn["Fn::GetAtt"][0]).toBe(String(queue.id).replace("Queue", "DeadQueue"));
      expect(policy.maxReceiveCount).toBeGreaterThanOrEqual(5);
    }
  });

  it("every event source answers with partial batch failures", () => {
    const sources = of(stage, "AWS::Lambda::EventSourceMapping");
    expect(sources).toHaveLength(4);
    for (const { FunctionResponseTypes } of sources) expect(FunctionResponseTypes).toEqual(["ReportBatchItemFailures"]);
  });

  it("has alarms for the oldest message, dead letters, errors, the ledger gap and losses", () => {
    const metrics = of(stage, "AWS::CloudWatch::Alarm").map(({ MetricName }) => MetricName);
    for (const [name, count] of [
      ["ApproximateAgeOfOldestMessage", 4],
      ["ApproximateNumberOfMessagesVisible", 4],
      ["Errors", 7],
      ["LedgerGap", 1],
      ["EventsLost", 1],
    ] as const) {
      expect(metrics.filter((metric) => metric === name)).toHaveLength(count);
    }
  });

  it("no role may do everything, or anything to everything", () => {
    const roles = of(stage, "AWS::IAM::Role").filter(({ id }) =>
      FUNCTIONS.some((name) => String(id).toLowerCase() === `${name.replace("-", "")}role`),
    );
    expect(roles).toHaveLength(FUNCTIONS.length);
    for (const role of roles)
      expect(JSON.stringify(role.Policies)).not.toMatch(/"\*"|:\*"(?=[^}]*"Effect")|"Action":\["[a-z]+:\*"/);
  });
});

describe("stages", () => {
  it("prod has an HTTP API with the authorizer and a schedule with a time zone; local a REST API and a rule", () => {
    expect(of("prod", "AWS::ApiGatewayV2::Route").map(({ AuthorizationType }) => AuthorizationType)).toEqual([
      "CUSTOM",
      "CUSTOM",
    ]);
    expect(
      of("prod", "AWS::Scheduler::Schedule").map(({ ScheduleExpressionTimezone }) => ScheduleExpressionTimezone),
    ).toEqual(["UTC"]);
    expect(of("local", "AWS::ApiGateway::RestApi")).toHaveLength(1);
    expect(of("local", "AWS::Events::Rule")).toHaveLength(1);
    expect(of("local", "AWS::Scheduler::Schedule")).toHaveLength(0);
  });
});

describe("bundles", () => {
  it.each(FUNCTIONS)("%s is at most 400 KB", (name) => {
    expect(bundleBytes(join(folder, "prod", `${name}.zip`))).toBeLessThanOrEqual(400_000);
  });
});

describe("the validator", () => {
  const one = (Type: string, Properties: Record<string, unknown>) =>
    validateTemplate({ Resources: { Planted: { Type, Properties } } }, db);

  it.each([
    ["a type that does not exist", "AWS::SQS::Kueue", {}, "no such type"],
    ["a property that does not exist", "AWS::SQS::Queue", { VisibilityTimeOut: 30 }, "no such property"],
    ["a wrong type", "AWS::SQS::Queue", { VisibilityTimeout: "soon" }, "is no integer"],
    ["a missing one", "AWS::Lambda::Function", { Code: {} }, "Planted.Role: required"],
    ["a reference that leads nowhere", "AWS::SQS::Queue", { QueueName: { Ref: "Nobody" } }, "leads nowhere"],
    [
      "a wrong one inside",
      "AWS::DynamoDB::Table",
      { KeySchema: [{ AttributeName: "pk", KeyTyp: "HASH" }] },
      "KeyTyp: no such property",
    ],
  ])("finds %s", (_what, type, properties, said) => {
    expect(one(type, properties).join("\n")).toContain(said);
  });
});

/** The unpacked size of the largest .js file of a zip, from its central directory. */
function bundleBytes(zip: string): number {
  expect(statSync(zip).size).toBeGreaterThan(0);
  const bytes = readFileSync(zip);
  let largest = 0;
  for (let at = bytes.indexOf("PK\x01\x02"); at >= 0; at = bytes.indexOf("PK\x01\x02", at + 4)) {
    const name = bytes.subarray(at + 46, at + 46 + bytes.readUInt16LE(at + 28)).toString();
    if (name.endsWith(".js")) largest = Math.max(largest, bytes.readUInt32LE(at + 24));
  }
  expect(largest).toBeGreaterThan(0);
  return largest;
}
