import * as z from "zod";

/** The steps of the simple way, in their order. */
export const SIMPLE_STEPS = ["check", "stop", "back-up", "switch", "validate"] as const;
export type SimpleStep = (typeof SIMPLE_STEPS)[number];

const findingSchema = z.object({ name: z.string(), isGood: z.boolean(), text: z.string() });
/** One thing that was validated. */
export type Finding = z.infer<typeof findingSchema>;

/** What was done, so that a run that was killed goes on where it was, and never does a step twice whose end is known. */
export const simpleJournalSchema = z.object({
  version: z.literal(1),
  migrationId: z.string(),
  homeId: z.string(),
  startedMs: z.number(),
  /** - `forward`: on the way to NEW. - `restoring`: something failed. - `done`: NEW answers. - `restored`: OLD answers, as before. */
  status: z.enum(["forward", "restoring", "done", "restored"]),
  /** Ended, in order. */
  done: z.array(z.enum(SIMPLE_STEPS)).max(SIMPLE_STEPS.length),
  /** Begun and not known to have ended: done again, or taken back. */
  begun: z.enum(SIMPLE_STEPS).optional(),
  backup: z.string().optional(),
  /** Rows on both sides before the switch. */
  counts: z.object({ old: z.number(), new: z.number() }).optional(),
  findings: z.array(findingSchema).default([]),
  /** Why it goes back. */
  reason: z.string().optional(),
});
export type SimpleJournal = z.infer<typeof simpleJournalSchema>;

/** Where the journal is kept: durable when `write` resolves. */
export interface SimpleJournalStore {
  /** undefined: there is none. @throws HearthlineError `data_folder_unusable` */
  read(): Promise<SimpleJournal | undefined>;
  write(journal: SimpleJournal): Promise<void>;
}
