/** Everything that the bench counts, in the unit in which it is billed. */
export const ITEMS = [
  "sqs_requests",
  "lambda_requests",
  "lambda_gb_seconds",
  "dynamodb_write_units",
  "dynamodb_read_units",
  "dynamodb_gb_months",
  "s3_put_requests",
  "s3_get_requests",
  "s3_gb_months",
  "timestream_kib_written",
  "timestream_memory_gb_hours",
  "timestream_magnetic_gb_months",
  "log_gb",
  "log_gb_months",
  "scheduler_invocations",
  "custom_metric_months",
  "alarm_months",
] as const;
export type Item = (typeof ITEMS)[number];

/** How much of what was used. */
export type Usage = Readonly<Partial<Record<Item, number>>>;

export const scaled = (usage: Usage, factor: number): Usage =>
  Object.fromEntries(Object.entries(usage).map(([item, amount]) => [item, amount * factor]));

export function sumOf(usages: Iterable<Usage>): Usage {
  const sum: Partial<Record<Item, number>> = {};
  for (const usage of usages) {
    for (const [item, amount] of Object.entries(usage)) sum[item as Item] = (sum[item as Item] ?? 0) + amount;
  }
  return sum;
}

/** What two measurements at `x1` and `x2` say of `x`, on a straight line; never less than nothing. */
export function onTheLine(
  x: number,
  [x1, one]: readonly [number, Usage],
  [x2, other]: readonly [number, Usage],
): Usage {
  const share = x1 === x2 ? 0 : (x - x1) / (x2 - x1);
  const line = sumOf([scaled(one, 1 - share), scaled(other, share)]);
  return Object.fromEntries(Object.entries(line).map(([item, amount]) => [item, Math.max(0, amount)]));
}
