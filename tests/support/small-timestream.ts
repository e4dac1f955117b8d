import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createAwsClient } from "../../lib/adapters/aws/client.ts";
import type { Clock } from "../../lib/base/clock.ts";
import { ServiceError } from "./timestream-records.ts";
import { SmallTimestreamTables } from "./timestream-tables.ts";

/**
 * OUR OWN emulation of Timestream for LiveAnalytics, written from AWS's documentation: it proves that the adapter does what it means to do, and NOTHING about
 * AWS. It speaks the JSON protocol over HTTP, takes records with versions and rejections as documented, and evaluates the SQL that the adapter says by
 * a parser of that grammar (timestream-sql.ts). Where the documentation is silent it is unkind: rows of one moment come in any order, a first page may be
 * empty, a measure that a new version leaves out keeps its old value (or not: `forgets`).
 */
export interface SmallTimestream {
  readonly url: string;
  readonly tables: SmallTimestreamTables;
  /** Every statement so far. */
  readonly statements: string[];
  /** Every request so far. */
  readonly requests: { readonly operation: string; readonly input: Record<string, unknown> }[];
  /** The next request of that operation is answered so. */
  failNext(
    operation: string,
    failure: { readonly type: string; readonly status?: number; readonly body?: object },
  ): void;
  /** From the next WriteRecords but `after` on, each is answered with an error of the service, and done first or not, until the returned function is called. */
  breakWrites(after: number, isDone: boolean): () => void;
  client(service: "timestream-write" | "timestream-query", clock: Clock): ReturnType<typeof createAwsClient>;
  close(): Promise<void>;
}

export interface SmallTimestreamOptions {
  readonly clock: Pick<Clock, "nowMs">;
  /** True: a new version replaces the whole record. */
  readonly forgets?: boolean;
}

export async function startSmallTimestream(options: SmallTimestreamOptions): Promise<SmallTimestream> {
  const tables = new SmallTimestreamTables(options.clock, options.forgets ?? false);
  const statements: string[] = [];
  const requests: { operation: string; input: Record<string, unknown> }[] = [];
  const failures: { operation: string; type: string; status: number; body: object }[] = [];

  let broken: { after: number; readonly isDone: boolean } | undefined;

  function answer(operation: string, input: Record<string, unknown>): object {
    requests.push({ operation, input });
    if (operation === "Query" && input.NextToken === undefined) statements.push(String(input.QueryString));
    const failing = failures.findIndex((failure) => failure.operation === operation);
    const [failure] = failing < 0 ? [] : failures.splice(failing, 1);
    if (failure) throw new ServiceError(failure.type, "as the test wants it", failure);
    if (operation !== "WriteRecords" || !broken || broken.after-- > 0) return tables.call(operation, input);
    if (broken.isDone) tables.call(operation, input);
    throw new ServiceError("InternalServerException", "as the test wants it", { status: 500 });
  }

  const server = createServer(async (request, response) => {
    const { operation, problem } = operationOf(request);
    const text = await textOf(request);
    const respond = (status: number, body: object) =>
      response.writeHead(status, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(body));
    try {
      if (problem) throw new ServiceError("MissingAuthenticationTokenException", problem, { status: 403 });
      respond(200, answer(operation, JSON.parse(text)));
    } catch (thrown) {
      if (!(thrown instanceof ServiceError)) return respond(500, { __type: "Bug", message: String(thrown) });
      const { type, message, status, body } = thrown;
      respond(status, { __type: `com.amazonaws.timestream.v20181101#${type}`, message, ...body });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    tables,
    statements,
    requests,
    failNext: (operation, { type, status = 400, body = {} }) => failures.push({ operation, type, status, body }),
    breakWrites: (after, isDone) => {
      broken = { after, isDone };
      return () => {
        broken = undefined;
      };
    },
    client: (service, clock) =>
      createAwsClient({
        ...{ service, region: "us-east-1", endpoint: url, clock, random: () => 0.5 },
        credentials: () => ({ accessKeyId: "id", secretAccessKey: "secret-text" }),
      }),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function operationOf({ headers }: IncomingMessage): { operation: string; problem: string | undefined } {
  const [target, operation = ""] = String(headers["x-amz-target"]).split(".");
  if (target !== "Timestream_20181101") return { operation, problem: `no operation ${headers["x-amz-target"]}` };
  const isSigned = /^AWS4-HMAC-SHA256 Credential=id\/\d{8}\/us-east-1\/timestream\/aws4_request/;
  return { operation, problem: isSigned.test(headers.authorization ?? "") ? undefined : "not signed for timestream" };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
