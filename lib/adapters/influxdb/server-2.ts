import * as z from "zod";
import { HearthlineError } from "../../base/errors.ts";
import type { InfluxClient } from "./client.ts";
import { quotedName } from "./influxql.ts";
import { MEASUREMENT } from "./point.ts";
import { checkKept, configure, type Server, shardSeconds } from "./server.ts";

const bucketSchema = z.object({
  id: z.string(),
  orgID: z.string(),
  name: z.string(),
  retentionRules: z.array(z.object({ everySeconds: z.number().default(0) })).default([]),
});
const bucketsSchema = z.object({ buckets: z.array(bucketSchema).default([]) });
const orgsSchema = z.object({ orgs: z.array(z.object({ id: z.string() })).default([]) });

type Bucket = z.output<typeof bucketSchema>;

/**
 * InfluxDB 2: the database is a bucket of that name, which is made and read back over `/api/v2`, and mapped to a database for `/write` and `/query`.
 * Source: docs.influxdata.com, InfluxDB OSS v2 API, "Database and retention policy mapping"; read 2026-11.
 */
export function createServer2(client: InfluxClient): Server {
  const { database } = client;

  async function findBucket(): Promise<Bucket | undefined> {
    const { json } = await configure(
      client,
      { method: "GET", path: "/api/v2/buckets", query: { name: database } },
      [404],
    );
    return read(client, bucketsSchema, json).buckets.find(({ name }) => name === database);
  }

  async function makeBucket(retentionRules: readonly object[]): Promise<void> {
    const { json } = await configure(client, { method: "GET", path: "/api/v2/orgs" });
    const [org, ...others] = read(client, orgsSchema, json).orgs;
    if (!org || others.length > 0)
      throw new HearthlineError(
        "store_incompatible",
        `InfluxDB at "${client.base}" has no bucket "${database}", and the token sees ${others.length + (org ? 1 : 0)} organizations; wanted is that bucket, made by hand in the right one.`,
      );
    const bucket = { orgID: org.id, name: database, retentionRules };
    await configure(client, { method: "POST", path: "/api/v2/buckets", json: bucket });
  }

  /** A bucket has a mapping of its own name from 2.1 on by itself. */
  async function mapBucket(): Promise<void> {
    const names = (await client.ask("SHOW DATABASES")).flatMap(({ values }) => values.map(([name]) => name));
    const bucket = names.includes(database) ? undefined : await findBucket();
    if (!bucket) return;
    const mapping = { orgID: bucket.orgID, bucketID: bucket.id, database, retention_policy: "autogen", default: true };
    await configure(client, { method: "POST", path: "/api/v2/dbrps", json: mapping });
  }

  const server: Server = {
    major: 2,
    retentionPolicy: "",
    canDelete: true,
    tellsTooOld: true,
    keepsSeconds: async () => {
      const bucket = await findBucket();
      return bucket && secondsOf(bucket);
    },
    setUp: async (seconds) => {
      const rule = { type: "expire", everySeconds: seconds, shardGroupDurationSeconds: shardSeconds(seconds) };
      const there = await findBucket();
      if (!there) await makeBucket([rule]);
      else if (secondsOf(there) < seconds)
        await configure(client, {
          method: "PATCH",
          path: `/api/v2/buckets/${encodeURIComponent(there.id)}`,
          json: { retentionRules: [rule] },
        });
      await mapBucket();
      await checkKept(server, client, seconds);
    },
    drop: async () => {
      const bucket = await findBucket();
      if (!bucket) return;
      await client.askIfThere(`DROP MEASUREMENT ${quotedName(MEASUREMENT)}`);
      const others = (await client.askIfThere("SHOW MEASUREMENTS")) ?? [];
      if (others.some(({ values }) => values.length > 0)) return;
      await configure(client, { method: "DELETE", path: `/api/v2/buckets/${encodeURIComponent(bucket.id)}` }, [404]);
    },
  };
  return server;
}

const secondsOf = ({ retentionRules: [rule] }: Bucket): number => rule?.everySeconds || Number.POSITIVE_INFINITY;

function read<S extends z.ZodType>(client: InfluxClient, schema: S, json: unknown): z.output<S> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const what = `What "${client.base}" answers under /api/v2 is not as InfluxDB 2 answers`;
  throw new HearthlineError("store_incompatible", `${what}: ${z.prettifyError(parsed.error).slice(0, 200)}`);
}
