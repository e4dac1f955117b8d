import { expect, it, onTestFinished, vi } from "vitest";
import { type AwsClientOptions, createAwsClient } from "../../../lib/adapters/aws/client.ts";
import { systemClock } from "../../../lib/base/clock.ts";

interface Seen {
  readonly url: string;
  readonly target: string;
  readonly scope: string;
}
type Answer = { readonly status?: number; readonly body: object } | Error;

/** A client without an endpoint of its own; `answers` in turn, the last for ever. */
function discovering(service: AwsClientOptions["service"], ...answers: readonly Answer[]) {
  const seen: Seen[] = [];
  let nowMs = 0;
  vi.stubGlobal("fetch", async (url: string | URL, init: RequestInit) => {
    const headers = new Headers(init.headers);
    const scope = /Credential=id\/\d+\/([^,]+),/.exec(headers.get("authorization") ?? "")?.[1] ?? "";
    const answer = answers[Math.min(seen.length, answers.length - 1)];
    seen.push({ url: String(url), target: headers.get("x-amz-target") ?? "", scope });
    if (!answer || answer instanceof Error) throw answer ?? new Error("no answer");
    return new Response(JSON.stringify(answer.body), { status: answer.status ?? 200 });
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  const client = createAwsClient({
    ...{ service, region: "eu-west-1", random: () => 0.5, attempts: 3 },
    credentials: () => ({ accessKeyId: "id", secretAccessKey: "secret-text" }),
    clock: { ...systemClock, monotonicMs: () => nowMs, sleep: async () => {} },
  });
  return {
    client,
    seen,
    targets: () => seen.map(({ url, target }) => `${new URL(url).host} ${target.split(".")[1]}`),
    pass: (minutes: number) => {
      nowMs += minutes * 60_000;
    },
  };
}

const endpoint = (Address: string) => ({ body: { Endpoints: [{ Address, CachePeriodInMinutes: 10 }] } });
const done = { body: {} };
const REGIONAL = "ingest.timestream.eu-west-1.amazonaws.com";

it("asks Timestream where to call it, once for as long as the answer holds", async () => {
  const { client, seen, targets, pass } = discovering(
    "timestream-write",
    endpoint("cell1"),
    done,
    done,
    endpoint("cell2"),
    done,
  );
  await client.call("WriteRecords", {});
  pass(9);
  await client.call("WriteRecords", {});
  pass(2);
  await client.call("WriteRecords", {});
  expect(targets()).toEqual([
    `${REGIONAL} DescribeEndpoints`,
    ...["cell1 WriteRecords", "cell1 WriteRecords"],
    `${REGIONAL} DescribeEndpoints`,
    "cell2 WriteRecords",
  ]);
  expect(new Set(seen.map(({ target }) => target.split(".")[0]))).toEqual(new Set(["Timestream_20181101"]));
  expect(new Set(seen.map(({ scope }) => scope))).toEqual(new Set(["eu-west-1/timestream/aws4_request"]));
});

it("asks once for many calls, and again when the address is told to be wrong", async () => {
  const moved = { status: 421, body: { __type: "InvalidEndpointException" } };
  const { client, targets } = discovering("timestream-query", endpoint("a"), done, done, moved, endpoint("b"), done);
  await Promise.all([client.call("Query", {}), client.call("Query", {})]);
  await client.call("Query", {});
  const regional = "query.timestream.eu-west-1.amazonaws.com DescribeEndpoints";
  expect(targets()).toEqual([regional, "a Query", "a Query", "a Query", regional, "b Query"]);
});

it("does not remember that asking failed, nor an answer without an address", async () => {
  const failed = { status: 500, body: { __type: "InternalServerException" } };
  const { client, targets } = discovering("timestream-write", failed, new TypeError("away"), endpoint("a"), done);
  await client.call("WriteRecords", {});
  expect(targets().at(-1)).toBe("a WriteRecords");
  const { client: other } = discovering("timestream-write", { body: { Endpoints: [] } });
  await expect(other.call("WriteRecords", {})).rejects.toMatchObject({ code: "service_failed" });
});

it("calls other services where they always are", async () => {
  const { client, targets } = discovering("sqs", done);
  await client.call("ListQueues", {});
  expect(targets()).toEqual(["sqs.eu-west-1.amazonaws.com ListQueues"]);
});
