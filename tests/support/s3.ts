import { createS3Client } from "../../lib/adapters/aws/s3-client.ts";
import { createS3Objects } from "../../lib/adapters/parquet/s3-objects.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { systemRandom } from "../../lib/base/random.ts";

/** A bucket of any S3 at an address, with credentials that emulators take. */
export const s3ClientAt = (endpoint: string, bucket = "hearthline-test") =>
  createS3Client({
    bucket,
    region: "us-east-1",
    endpoint,
    credentials: () => ({ accessKeyId: "test", secretAccessKey: "test" }),
    clock: systemClock,
    random: systemRandom,
  });

/** Objects below a prefix that no other call gives, in a bucket that is made at the first. */
export async function freshS3Objects(endpoint: string) {
  const objects = createS3Objects({ client: s3ClientAt(endpoint), prefix: `tests/n${next++}` });
  await objects.setUp();
  return objects;
}
let next = 0;
