import { type Job, type JobStore, requeued, saveRefused } from "../../analysis/ports.ts";

/** Jobs that live as long as their process. */
export function createMemoryJobStore(): JobStore {
  const jobs = new Map<string, { job: Job; leaseUntilMs: number }>();
  const keyOf = ({ homeId, date, kind }: Pick<Job, "homeId" | "date" | "kind">) => JSON.stringify([homeId, date, kind]);
  const find = (homeId: string, id: string) =>
    [...jobs.values()].find(({ job }) => job.homeId === homeId && job.id === id);
  return {
    async create(job) {
      const known = jobs.get(keyOf(job));
      if (known) return { job: known.job, created: false };
      jobs.set(keyOf(job), { job, leaseUntilMs: 0 });
      return { job, created: true };
    },
    get: async (homeId, id) => find(homeId, id)?.job,
    async claim(homeId, id, { startedAt, untilMs, nowMs }) {
      const known = find(homeId, id);
      if (!known) return undefined;
      const { status, attempt } = known.job;
      if (status !== "queued" && !(status === "running" && known.leaseUntilMs <= nowMs)) return undefined;
      known.job = { ...known.job, status: "running", startedAt, attempt: attempt + 1 };
      known.leaseUntilMs = untilMs;
      return known.job;
    },
    async save(job) {
      const known = jobs.get(keyOf(job));
      if (known?.job.attempt !== job.attempt) throw saveRefused(job, known?.job);
      known.job = job;
    },
    async requeue(homeId, id, queuedAt) {
      const known = find(homeId, id);
      if (known && known.job.status !== "queued" && known.job.status !== "running")
        known.job = requeued(known.job, queuedAt);
      return known?.job;
    },
    list: async (homeId, limit) =>
      [...jobs.values()]
        .map(({ job }) => job)
        .filter((job) => job.homeId === homeId)
        .sort((a, b) => (`${b.date}#${b.kind}` < `${a.date}#${a.kind}` ? -1 : 1))
        .slice(0, Math.max(0, limit)),
  };
}
