import { createS3Client } from "../../lib/adapters/aws/s3-client.ts";
import { createS3Objects } from "../../lib/adapters/parquet/s3-objects.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { systemRandom } from "../../lib/base/random.ts";

/** To look at what lies in a bucket of the emulator. */
export const openObjects = ({ endpoint, bucket, prefix }: { endpoint: string; bucket: string; prefix: string }) =>
  createS3Objects({
    client: createS3Client({
      bucket,
      region: "us-east-1",
      endpoint,
      credentials: () => ({ accessKeyId: "id", secretAccessKey: "secret-text" }),
      clock: systemClock,
      random: systemRandom,
    }),
    prefix,
  });
