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
/** DescribeEndpoints knows no resource. */
const DISCOVERY = '"Action":["timestream:DescribeEndpoints"],"Resource":"*"';
const FUNCTIONS = ["enrich", "store", "index-devices", "dispatch", "analyze", "validate-migration", "authorize", "api"];

const STAGES = ["prod", "local", "series"] as const;
/** How to enter the pipeline that a home moves away from. */
const OLD = { HEARTHLINE_OLD_TOKEN: "old-token", HEARTHLINE_OLD_USER: "old-user", HEARTHLINE_OLD_PASSWORD: "old-pw" };
/** What the owner keeps at home. */
const AT_HOME = {
  HEARTHLINE_INCLUDE: "light,sensor",
  HEARTHLINE_EXCLUDE: "sensor.power_*",
  HEARTHLINE_EXCLUDE_ATTRIBUTES: "forecast",
};
/** Each with another store. */
const STORES: Readonly<Record<(typeof STAGES)[number], Readonly<Record<string, string>>>> = {
  prod: { HEARTHLINE_STORE: "parquet", HEARTHLINE_PARQUET_URL: "s3://their-bucket/events", ...OLD, ...AT_HOME },
  local: {},
  series: { HEARTHLINE_STORE: "timestream" },
};

let folder: string;
let db: SpecDatabase;
const templates: Record<string, Template> = {};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-package-"));
  db = await loadAwsServiceSpec();
  for (const stage of STAGES) {
    const out = join(folder, stage);
    await promisify(execFile)(
      join(root, "node_modules/.bin/serverless"),
      ["package", "--stage", stage, "--package", out],
      { cwd: root, env: { ...process.env, ...STORES[stage] } },
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

describe.each(STAGES)("the packaged template of stage %s", (stage) => {
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
      // Ten in all: so many are free (serverless/alarms.cjs).
      ["ApproximateAgeOfOldestMessage", 2],
      ["ApproximateNumberOfMessagesVisible", 4],
      ["Errors", 2],
      ["Throttles", 0],
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
      expect(JSON.stringify(role.Policies).replace(DISCOVERY, "")).not.toMatch(
        /"\*"|:\*"(?=[^}]*"Effect")|"Action":\["[a-z]+:\*"/,
      );
  });
});

describe("settings of a migration", () => {
  const environmentOf = (name: string): Record<string, unknown> => {
    const found = of("prod", "AWS::Lambda::Function").find(
      ({ FunctionName }) => FunctionName === `hearthline-prod-${name}`,
    );
    return (found?.Environment as { Variables: Record<string, unknown> } | undefined)?.Variables ?? {};
  };

  it("OLD's token, user and password reach the functions that ask OLD, and nothing else of the template", () => {
    for (const name of FUNCTIONS) {
      const environment = environmentOf(name);
      if (name === "api" || name === "validate-migration") expect(environment).toMatchObject(OLD);
      else expect(Object.keys(environment).filter((setting) => setting.startsWith("HEARTHLINE_OLD"))).toEqual([]);
    }
    const others = Object.values(templates.prod?.Resources ?? {}).filter(
      ({ Type }) => Type !== "AWS::Lambda::Function",
    );
    for (const secret of Object.values(OLD)) expect(JSON.stringify(others)).not.toContain(secret);
  });

  it("what the owner keeps at home is known to the step: OLD's past brings nothing of it, and nothing of it is missed", () => {
    expect(environmentOf("validate-migration")).toMatchObject(AT_HOME);
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
    ).toEqual(["UTC", "UTC"]);
    expect(of("local", "AWS::ApiGateway::RestApi")).toHaveLength(1);
    expect(of("local", "AWS::Events::Rule")).toHaveLength(2);
    expect(of("local", "AWS::Scheduler::Schedule")).toHaveLength(0);
  });
});

describe("roles by store", () => {
  const policiesOf = (stage: string) =>
    Object.fromEntries(of(stage, "AWS::IAM::Role").map(({ id, Policies }) => [id, JSON.stringify(Policies)] as const));

  it("parquet: its own prefix of the bucket, and only the nightly job may delete there", () => {
    const policies = policiesOf("prod");
    expect(policies.AnalyzeRole).toContain("s3:DeleteObject");
    expect(policies.AnalyzeRole).toContain("s3:::their-bucket/events/*");
    expect(policies.StoreRole).not.toContain("s3:Delete");
    expect(policies.ApiRole).not.toMatch(/s3:(Delete|Put)/);
    for (const name of ["EnrichRole", "DispatchRole", "AuthorizeRole", "IndexDevicesRole"])
      expect(policies[name]).not.toContain("s3:");
  });

  it("timestream: its own table; sqlite: nothing", () => {
    const policies = policiesOf("series");
    expect(policies.StoreRole).toContain("database/hearthline/table/events");
    expect(policies.StoreRole).not.toContain("timestream:Select");
    expect(JSON.stringify(policiesOf("local"))).not.toMatch(/timestream|s3:/);
  });
});

/** The API carries every route with its schemas, the page, and of Parquet a reader and a writer; analyze carries nine detectors; validate-migration every check, and the ways to OLD. */
const BUNDLE_MAX_BYTES: Readonly<Record<string, number>> = {
  api: 800_000,
  analyze: 650_000,
  "validate-migration": 700_000,
};

describe("bundles", () => {
  it.each(FUNCTIONS)("%s is at most 400 KB, the API 800, analyze 650, validate-migration 700", (name) => {
    expect(bundleBytes(join(folder, "prod", `${name}.zip`))).toBeLessThanOrEqual(BUNDLE_MAX_BYTES[name] ?? 400_000);
  });

  it("hold the store of their deployment and no other", () => {
    const [parquet, sqlite, timestream] = STAGES.map((stage) => bundleBytes(join(folder, stage, "store.zip")));
    expect(sqlite).toBeLessThan(0.7 * (parquet ?? 0));
    expect(timestream).toBeLessThan(0.7 * (parquet ?? 0));
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
