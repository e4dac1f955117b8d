import * as z from "zod";
import { HearthlineError } from "../base/errors.ts";
import type { QueueMessage } from "../ingest/ports.ts";
import type { Job } from "./ports.ts";

const jobMessageSchema = z.object({ home_id: z.string().min(1).max(64), job_id: z.string().min(1).max(64) });

/** The body of a message of the analysis queue. */
export const jobMessage = (job: Pick<Job, "homeId" | "id">): QueueMessage => ({
  body: JSON.stringify({ home_id: job.homeId, job_id: job.id }),
});

/** @throws HearthlineError `request_invalid` */
export function readJobMessage(body: string): { readonly homeId: string; readonly jobId: string } {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    json = undefined;
  }
  const parsed = jobMessageSchema.safeParse(json);
  if (!parsed.success) {
    throw new HearthlineError(
      "request_invalid",
      `The message "${body.slice(0, 80)}" names no job; wanted is {"home_id","job_id"}.`,
    );
  }
  return { homeId: parsed.data.home_id, jobId: parsed.data.job_id };
}
