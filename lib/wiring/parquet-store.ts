import { randomBytes } from "node:crypto";
import { createS3Client } from "../adapters/aws/s3-client.ts";
import { createDynamodbHotSegments } from "../adapters/dynamodb/hot-segments.ts";
import { createSharedSegments } from "../adapters/dynamodb/shared-segments.ts";
import { createParquetEventStore, EXPIRY_MARGIN_DAYS } from "../adapters/parquet/event-store.ts";
import { createFolderObjects } from "../adapters/parquet/folder-objects.ts";
import type { HotSegments, ObjectStore } from "../adapters/parquet/ports.ts";
import { createS3Objects } from "../adapters/parquet/s3-objects.ts";
import type { EventStore } from "../store/ports.ts";
import type { Cloud } from "./aws.ts";
import type { Config } from "./config.ts";

/**
 * The store in a folder, or in a bucket. What is no closed day yet may lie in the table instead (HEARTHLINE_PARQUET_HOT): that costs less where a home's minute is a
 * kilobyte or two, and in a fleet, where what is larger shares objects (`npm run bench -- cost`).
 */
export function openParquetStore(config: Config, cloud: Cloud): EventStore {
  const { clock, random } = cloud;
  const objects = objectsOf(config, cloud);
  const hot = config.HEARTHLINE_PARQUET_HOT === "table" && hotInTable(config, objects, cloud);
  return createParquetEventStore({ objects, ...(hot && { hot }), clock, random });
}

/** Homes share objects only where these go by themselves: a folder knows no age. */
function hotInTable({ HEARTHLINE_RAW_DAYS }: Config, objects: ObjectStore, { table, clock }: Cloud): HotSegments {
  const shared = objects.expiry && createSharedSegments({ objects, newKey: () => randomBytes(32), clock });
  return createDynamodbHotSegments(table, {
    keptDays: HEARTHLINE_RAW_DAYS + EXPIRY_MARGIN_DAYS,
    ...(shared && { shared }),
  });
}

function objectsOf({ HEARTHLINE_PARQUET_URL: url, AWS_REGION: region }: Config, cloud: Cloud): ObjectStore {
  const { clock, random } = cloud;
  const at = /^s3:\/\/([^/]+)\/?(.*)$/.exec(url);
  if (!at) return createFolderObjects({ folder: url, clock });
  const [, bucket = "", prefix = ""] = at;
  const client = createS3Client({ bucket, region, ...cloud.s3, clock, random });
  return createS3Objects({ client, prefix: prefix.replace(/\/+$/, "") });
}
