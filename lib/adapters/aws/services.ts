import type { Clock } from "../../base/clock.ts";
import { HearthlineError } from "../../base/errors.ts";

interface Service {
  /** What stands before the operation in `x-amz-target`. */
  readonly target: string;
  /** The service's name in a signature. */
  readonly signingName: string;
  /** What its address begins with in a region. */
  readonly host: string;
  /** Whether it is called at an address that it names when asked (`DescribeEndpoints`). */
  readonly discovers: boolean;
}

export type ServiceName = "sqs" | "dynamodb" | "timestream-write" | "timestream-query";

// Timestream for LiveAnalytics is two services of one signing name. Source: their API models of 2018-11-01; read 2026-11.
const TIMESTREAM = { target: "Timestream_20181101", signingName: "timestream", discovers: true };

export const SERVICES: Readonly<Record<ServiceName, Service>> = {
  sqs: { target: "AmazonSQS", signingName: "sqs", host: "sqs", discovers: false },
  dynamodb: { target: "DynamoDB_20120810", signingName: "dynamodb", host: "dynamodb", discovers: false },
  "timestream-write": { ...TIMESTREAM, host: "ingest.timestream" },
  "timestream-query": { ...TIMESTREAM, host: "query.timestream" },
};

export interface EndpointsAnswer {
  readonly Endpoints?: readonly { readonly Address?: string; readonly CachePeriodInMinutes?: number }[];
}

/** Where to call a service that names its addresses: asked once for as long as the answer says it holds. */
export interface Discovery {
  /** @throws what `ask` throws; `service_failed` when the answer names no address */
  address(ask: () => Promise<EndpointsAnswer>): Promise<string>;
  /** The address was wrong: the next call asks again. */
  forget(): void;
}

export function createDiscovery(clock: Pick<Clock, "monotonicMs">): Discovery {
  let known: { readonly url: Promise<string>; untilMs: number } | undefined;

  async function ask(describe: () => Promise<EndpointsAnswer>, entry: { untilMs: number }): Promise<string> {
    const [endpoint] = (await describe()).Endpoints ?? [];
    if (!endpoint?.Address) {
      throw new HearthlineError("service_failed", "DescribeEndpoints was answered without an address.");
    }
    entry.untilMs = clock.monotonicMs() + (endpoint.CachePeriodInMinutes ?? 0) * 60_000;
    return `https://${endpoint.Address}`;
  }

  return {
    address: async (describe) => {
      if (!known || clock.monotonicMs() >= known.untilMs) {
        // Many calls at once ask once; until the answer is there it counts as good.
        const entry = { untilMs: Number.POSITIVE_INFINITY };
        const url = ask(describe, entry);
        known = Object.assign(entry, { url });
      }
      const asked = known;
      try {
        return await asked.url;
      } catch (thrown) {
        if (known === asked) known = undefined;
        throw thrown;
      }
    },
    forget: () => {
      known = undefined;
    },
  };
}
