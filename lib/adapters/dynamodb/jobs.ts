import { type Job, type JobStore, requeued, saveRefused } from "../../analysis/ports.ts";
import { isConflict } from "./compare-and-set.ts";
import { homePartition, jobIdKey, jobKey, prefixOf } from "./keys.ts";
import type { Table } from "./table.ts";
import type { Item } from "./wire-item.ts";

const readJob = (item: Item): Job => JSON.parse(String(item.data)) as Job;

/** One item a job, at its day and kind; a second one leads from its id there. */
export function createDynamodbJobStore(table: Table): JobStore {
  async function get(homeId: string, id: string): Promise<Job | undefined> {
    const pointer = await table.get(jobIdKey(homeId, id));
    const item =
      pointer && (await table.get(jobKey(homeId, { date: String(pointer.date), kind: String(pointer.kind) })));
    return item && readJob(item);
  }

  return {
    get,

    async create(job) {
      const key = jobKey(job.homeId, job);
      let kept = job;
      try {
        const { attempt, status } = job;
        const item = { ...key, data: JSON.stringify(job), attempt, job_status: status, lease_until_ms: 0 };
        await table.put(item, { expression: "attribute_not_exists(pk)" });
      } catch (thrown) {
        if (!isConflict(thrown)) throw thrown;
        const item = await table.get(key);
        if (!item) throw thrown;
        kept = readJob(item);
      }
      // Also when the job was there: whoever made it may have ended before this line.
      await table.put({ ...jobIdKey(kept.homeId, kept.id), date: kept.date, kind: kept.kind });
      return { job: kept, created: kept === job };
    },

    async claim(homeId, id, { startedAt, untilMs, nowMs }) {
      const job = await get(homeId, id);
      if (!job) return undefined;
      const running: Job = { ...job, status: "running", startedAt, attempt: job.attempt + 1 };
      try {
        await table.update(
          jobKey(homeId, job),
          {
            expression: "SET #data = :data, attempt = :attempt, job_status = :running, lease_until_ms = :until",
            names: { "#data": "data" },
            values: {
              ":data": JSON.stringify(running),
              ":running": "running",
              ":queued": "queued",
              ":attempt": running.attempt,
              ":before": job.attempt,
              ":until": untilMs,
              ":now": nowMs,
            },
          },
          "attempt = :before AND (job_status = :queued OR (job_status = :running AND lease_until_ms <= :now))",
        );
        return running;
      } catch (thrown) {
        if (!isConflict(thrown)) throw thrown;
        return undefined;
      }
    },

    async save(job) {
      try {
        await table.update(
          jobKey(job.homeId, job),
          {
            expression: "SET #data = :data, job_status = :status",
            names: { "#data": "data" },
            values: { ":data": JSON.stringify(job), ":status": job.status, ":attempt": job.attempt },
          },
          "attempt = :attempt",
        );
      } catch (thrown) {
        if (!isConflict(thrown)) throw thrown;
        throw saveRefused(job, await get(job.homeId, job.id));
      }
    },

    async requeue(homeId, id, queuedAt) {
      const job = await get(homeId, id);
      if (!job || job.status === "queued" || job.status === "running") return job;
      const waiting = requeued(job, queuedAt);
      try {
        await table.update(
          jobKey(homeId, job),
          {
            expression: "SET #data = :data, job_status = :queued",
            names: { "#data": "data" },
            values: {
              ":data": JSON.stringify(waiting),
              ":queued": "queued",
              ":status": job.status,
              ":attempt": job.attempt,
            },
          },
          "attempt = :attempt AND job_status = :status",
        );
        return waiting;
      } catch (thrown) {
        if (!isConflict(thrown)) throw thrown;
        return get(homeId, id);
      }
    },

    async list(homeId, limit) {
      const jobs: Job[] = [];
      if (limit <= 0) return jobs;
      const newest = table.query({
        pk: homePartition(homeId),
        prefix: prefixOf("JOB"),
        descending: true,
        pageSize: limit,
      });
      for await (const item of newest) {
        jobs.push(readJob(item));
        if (jobs.length >= limit) break;
      }
      return jobs;
    },
  };
}
