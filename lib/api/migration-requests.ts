import * as z from "zod";

/** What people send to change a migration. */

const READER_SIDES = ["old", "new", "split"] as const;

const reason = z.string().trim().min(1).max(1_000).optional().meta({ description: "The audit keeps it." });
const force = z
  .boolean()
  .default(false)
  .meta({ description: "Over a verdict or a state that says no; needs a reason." });

export const reasonRequestShape = z.strictObject({ reason }).meta({ id: "MigrationRequest" });

export const forceRequestShape = z.strictObject({ force, reason }).meta({ id: "MigrationForceRequest" });

export const rollbackRequestShape = z
  .strictObject({
    at: z
      .enum(["once", "stepwise"])
      .default("once")
      .meta({ description: "`once`: OLD answers all from now on. `stepwise`: down the stages of the plan." }),
    reason,
  })
  .meta({ id: "MigrationRollbackRequest" });

export const readersRequestShape = z
  .strictObject({
    reader: z.string().min(1).max(200).meta({ description: "The name of a token of the home." }),
    to: z.enum(READER_SIDES).meta({ description: "`split`: as the stage says, like everybody." }),
    force,
    reason,
  })
  .meta({ id: "MigrationReadersRequest" });
