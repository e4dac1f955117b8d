import { HearthlineError } from "../../base/errors.ts";
import type { InfluxClient } from "./client.ts";
import type { HttpAnswer, HttpRequest } from "./http.ts";
import { objectOf } from "./influxql.ts";
import { problemOf } from "./problems.ts";

/** What InfluxDB 1.x, 2.x and 3.x do each in a way of its own. */
export interface Server {
  readonly major: 1 | 2 | 3;
  /** Empty: what the database is mapped to. */
  readonly retentionPolicy: string;
  /** Without DELETE a pruned event is overwritten with a mark (InfluxDB 3). */
  readonly canDelete: boolean;
  /** Says when it is written to which points are too old for it. InfluxDB 3 takes them and never shows them. */
  readonly tellsTooOld: boolean;
  /** For how long it keeps events: Infinity without a bound; undefined: nothing is set up. */
  keepsSeconds(): Promise<number | undefined>;
  /** Makes what is missing, and makes what keeps events for too short keep them that long. Never shortens. @throws HearthlineError */
  setUp(seconds: number): Promise<void>;
  /** Takes away all that is ours, and the database if nothing else was in it. */
  drop(): Promise<void>;
}

/** Each answers a question of its own: 1.x and 2.x by a header without a token, 3.x by both with one, a proxy may have taken the header away. */
export async function versionOf(client: InfluxClient): Promise<string> {
  for (const path of ["/ping", "/health"]) {
    const answer = await client.send({ method: "GET", path });
    if (answer.status === 401 || answer.status === 403) throw problemOf(answer, client, "read").error;
    const told = answer.headers.get("x-influxdb-version") ?? objectOf(answer.text)?.version;
    if (typeof told === "string" && /^v?\d/.test(told)) return told;
  }
  const what = `What answers at "${client.base}" does not say that it is InfluxDB`;
  throw new HearthlineError("store_incompatible", `${what}; wanted is InfluxDB 1.x (1.6 or later), 2.x or 3.x.`);
}

/** A page costs what the shard holds that it lies in, so shards are short; some dozens of them cost the server nothing. */
export function shardSeconds(seconds: number): number {
  const days = seconds / DAY_SECONDS;
  const shardDays = [0.25, 1, 7].find((each) => days <= 60 * each) ?? 30;
  return shardDays * DAY_SECONDS;
}

export const DAY_SECONDS = 86_400;

/** @throws HearthlineError `store_incompatible` when it keeps events for less than was asked for */
export async function checkKept(server: Pick<Server, "keepsSeconds">, client: InfluxClient, seconds: number) {
  const kept = await server.keepsSeconds();
  if (kept !== undefined && kept >= seconds) return;
  const state = kept === undefined ? "has no retention policy of ours" : `keeps events for ${kept} s`;
  throw new HearthlineError(
    "store_incompatible",
    `InfluxDB at "${client.base}", database "${client.database}", was set up and ${state}; wanted are ${seconds} s. Is it really InfluxDB?`,
  );
}

/** One request of an interface that answers JSON. @throws HearthlineError for a status that is neither a success nor among `others` */
export async function configure(
  client: InfluxClient,
  request: Omit<HttpRequest, "timeoutMs" | "body"> & { readonly json?: object },
  others: readonly number[] = [],
): Promise<{ readonly status: number; readonly json: Record<string, unknown> }> {
  const { json, ...rest } = request;
  const body = json && { body: JSON.stringify(json), contentType: "application/json" };
  const answer = await client.send({ ...rest, ...body });
  if (!isDone(answer) && !others.includes(answer.status)) throw refusal(client, rest, answer);
  return { status: answer.status, json: objectOf(answer.text) ?? {} };
}

const isDone = ({ status, isPage }: HttpAnswer): boolean => status >= 200 && status < 300 && !isPage;

function refusal(client: InfluxClient, { method, path }: Pick<HttpRequest, "method" | "path">, answer: HttpAnswer) {
  const { error } = problemOf(answer, client, "read");
  const isOurs = error.code !== "service_failed" || answer.status >= 500;
  return isOurs ? error : new HearthlineError("store_incompatible", `${method} ${path}: ${error.message}`);
}
