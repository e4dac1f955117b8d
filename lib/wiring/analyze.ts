import { createDynamodbHomeDirectory } from "../adapters/dynamodb/homes.ts";
import { createDynamodbJobStore } from "../adapters/dynamodb/jobs.ts";
import { tableOfHomes } from "../adapters/dynamodb/table-of-homes.ts";
import { type AnalyzeOptions, analyzeMessage } from "../analysis/index.ts";
import { eachMessage, sqsFunction } from "./handler.ts";
import { createPhases } from "./phases.ts";

/** The analyze function. */
export const createAnalyze = sqsFunction("analyze", (cloud) => {
  const analyzeOptions: AnalyzeOptions = {
    jobs: createDynamodbJobStore(cloud.table),
    homes: createDynamodbHomeDirectory(cloud.table),
    queue: cloud.queue("analysis"),
    dead: cloud.queue("analysis-dead"),
    phases: createPhases({ ...cloud, table: tableOfHomes(cloud.table) }),
    clock: cloud.clock,
    random: cloud.random,
    peakRssBytes: () => process.resourceUsage().maxRSS * 1024,
  };
  return (messages, context) =>
    eachMessage(messages, context, async (message) => {
      const job = await analyzeMessage(message.body, analyzeOptions);
      if (!job) return;
      context.metrics.count(job.status === "succeeded" ? "JobsSucceeded" : "JobsNotSucceeded");
      context.log.info("job done", { homeId: job.homeId, job: job.id, status: job.status, phases: job.phases });
    });
});
