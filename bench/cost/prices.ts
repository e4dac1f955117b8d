import type { Item, Usage } from "./usage.ts";

export interface Price {
  readonly item: Item;
  /** Dollars of so many. */
  readonly dollars: number;
  readonly per: number;
  /** The day of which the source speaks, or on which it was read: `2026-06-13`, or `2026-06`. */
  readonly date: string;
  readonly source: string;
  /** What nobody pays for each month in one account, for ever; nothing that ends after a year. */
  readonly freeAMonth?: number;
}

/** List prices of us-east-1, without discounts. Lambda: arm64. */
export const PRICES: readonly Price[] = [
  {
    ...{ item: "sqs_requests", dollars: 0.4, per: 1e6, freeAMonth: 1e6 },
    ...{
      date: "2026-06-13",
      source:
        "factualminds.com/blog/amazon-sqs-pricing-64kb-rule-fifo-vs-standard; cloudburn.io/blog/amazon-sqs-pricing",
    },
  },
  {
    ...{ item: "lambda_requests", dollars: 0.2, per: 1e6, freeAMonth: 1e6 },
    ...{
      date: "2026-05-11",
      source: "aws.amazon.com/lambda/pricing, as cloudchipr.com/blog/aws-lambda-pricing quotes it",
    },
  },
  {
    ...{ item: "lambda_gb_seconds", dollars: 0.0000133334, per: 1, freeAMonth: 400_000 },
    ...{
      date: "2026-05-11",
      source:
        "aws.amazon.com/lambda/pricing (arm64, first 7.5 billion), as cloudchipr.com/blog/aws-lambda-pricing quotes it",
    },
  },
  {
    ...{ item: "dynamodb_write_units", dollars: 0.625, per: 1e6 },
    ...{
      date: "2025-07-21",
      source: "airbyte.com/data-engineering-resources/dynamodb-pricing (on demand, since November 2024)",
    },
  },
  {
    ...{ item: "dynamodb_read_units", dollars: 0.125, per: 1e6 },
    ...{
      date: "2025-07-21",
      source: "airbyte.com/data-engineering-resources/dynamodb-pricing (on demand, since November 2024)",
    },
  },
  {
    // The table has point-in-time recovery (serverless.yml): 0.25 for the table and 0.20 for its backup.
    ...{ item: "dynamodb_gb_months", dollars: 0.45, per: 1 },
    ...{
      date: "2026-11-22",
      source: "aws.amazon.com/dynamodb/pricing (0.25 a GB stored; 0.20 a GB of point-in-time recovery from memory)",
    },
  },
  {
    ...{ item: "s3_put_requests", dollars: 0.005, per: 1_000 },
    ...{
      date: "2026-06",
      source: "usage.ai/blogs/aws/storage-cost/s3/cost-calculator; PUT, COPY, POST and LIST alike, DELETE is free",
    },
  },
  {
    ...{ item: "s3_get_requests", dollars: 0.0004, per: 1_000 },
    ...{ date: "2026-06", source: "usage.ai/blogs/aws/storage-cost/s3/cost-calculator; GET, HEAD and all others" },
  },
  {
    ...{ item: "s3_gb_months", dollars: 0.023, per: 1 },
    ...{ date: "2026-06", source: "usage.ai/blogs/aws/storage-cost/s3/cost-calculator (Standard, first 50 TB)" },
  },
  {
    ...{ item: "timestream_kib_written", dollars: 0.5, per: 1e6 },
    ...{
      date: "2026-11-22",
      source: "aws.amazon.com/timestream/pricing; awsnegotiations.com/blog/timestream-pricing-analysis",
    },
  },
  {
    ...{ item: "timestream_memory_gb_hours", dollars: 0.036, per: 1 },
    ...{
      date: "2026-11-22",
      source: "aws.amazon.com/timestream/pricing; awsnegotiations.com/blog/timestream-pricing-analysis",
    },
  },
  {
    ...{ item: "timestream_magnetic_gb_months", dollars: 0.03, per: 1 },
    ...{
      date: "2026-11-22",
      source: "aws.amazon.com/timestream/pricing; awsnegotiations.com/blog/timestream-pricing-analysis",
    },
  },
  {
    ...{ item: "log_gb", dollars: 0.5, per: 1, freeAMonth: 5 },
    ...{ date: "2026-06-13", source: "factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards" },
  },
  {
    ...{ item: "log_gb_months", dollars: 0.03, per: 1 },
    ...{
      date: "2026-06-13",
      source:
        "factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards (storage; counted as written, though it is packed)",
    },
  },
  {
    ...{ item: "scheduler_invocations", dollars: 1, per: 1e6, freeAMonth: 14e6 },
    ...{ date: "2026-03-13", source: "cloudburn.io/blog/amazon-eventbridge-pricing" },
  },
  {
    ...{ item: "custom_metric_months", dollars: 0.3, per: 1, freeAMonth: 10 },
    ...{
      date: "2026-02-15",
      source: "signoz.io/guides/cloudwatch-pricing; each name with each value of its dimensions is one",
    },
  },
  {
    ...{ item: "alarm_months", dollars: 0.1, per: 1, freeAMonth: 10 },
    ...{ date: "2026-02", source: "cloudburn.io/blog/amazon-cloudwatch-pricing (standard resolution)" },
  },
];

/** What a server costs a month whether it has much to do or little; it is shared by as many homes as it takes. */
export const INFLUXDB = {
  dollarsAMonth: 87,
  what: "Amazon Timestream for InfluxDB, db.influx.medium, one zone, 0.12 dollars an hour, without storage",
  date: "2026-11-22",
  source: "from memory: no stored page has the hourly price",
} as const;

/** A query wakes at least 4 compute units for at least 30 s (0.518 dollars a unit and hour). From memory: no stored page has it. */
export const TIMESTREAM_QUERY_DOLLARS = (0.518 * 4 * 30) / 3600;

const BY_ITEM = new Map(PRICES.map((price) => [price.item, price]));

export function priceOf(item: Item): Price {
  const price = BY_ITEM.get(item);
  if (!price) throw new Error(`"${item}" has no price.`);
  return price;
}

export const dollarsOf = (usage: Usage): number =>
  Object.entries(usage).reduce((sum, [item, amount]) => sum + dollarsOfItem(item as Item, amount), 0);

export function dollarsOfItem(item: Item, amount: number): number {
  const { dollars, per } = priceOf(item);
  return (amount * dollars) / per;
}

/** What the bill says, when nothing else runs in the account. */
export const dollarsAboveFree = (usage: Usage): number =>
  Object.entries(usage).reduce((sum, [item, amount]) => {
    const { freeAMonth = 0 } = priceOf(item as Item);
    return sum + dollarsOfItem(item as Item, Math.max(0, amount - freeAMonth));
  }, 0);
