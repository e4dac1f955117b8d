import { createS3Client } from "../adapters/aws/s3-client.ts";
import { createDynamodbHotSegments } from "../adapters/dynamodb/hot-segments.ts";
import { createParquetEventStore } from "../adapters/parquet/event-store.ts";
import { createFolderObjects } from "../adapters/parquet/folder-objects.ts";
import type { ObjectStore } from "../adapters/parquet/ports.ts";
import { createS3Objects } from "../adapters/parquet/s3-objects.ts";
import type { EventStore } from "../store/ports.ts";
import type { Cloud } from "./aws.ts";
import type { Config } from "./config.ts";

/**
 * The store in a folder, or in a bucket. What is no closed day yet may lie in the table instead (HEARTHLINE_PARQUET_HOT): that costs less where a home's minute is a
 * kilobyte or two, and more above about 4 KB, because a delete costs as much as its write (`npm run bench -- cost`).
 */
export function openParquetStore(config: Config, cloud: Cloud): EventStore {
  const { clock, random, table } = cloud;
  return createParquetEventStore({
    objects: objectsOf(config, cloud),
    ...(config.HEARTHLINE_PARQUET_HOT === "table" && { hot: createDynamodbHotSegments(table) }),
    clock,
    random,
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
