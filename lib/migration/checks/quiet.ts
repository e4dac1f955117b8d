import * as z from "zod";
import type { Microseconds } from "../../base/time.ts";
import type { EventStore } from "../../store/ports.ts";
import type { Check, CheckContext, CheckOutcome, OldSystem, State } from "../ports.ts";
import { lackingIn } from "./lacking.ts";
import { passed, secondsText, undecided } from "./results.ts";

/** Who has used OLD. @throws fate-`retry` service errors */
export interface OldUse {
  /** When a reader was last answered by OLD, or asked it, after a moment; our own probes are none. undefined: never. */
  lastRead(
    homeId: string,
    migrationId: string,
    afterUs: Microseconds,
  ): Promise<{ readonly atUs: Microseconds; readonly reader?: string } | undefined>;
}

export interface QuietDeps {
  readonly use: OldUse;
  readonly store: Pick<EventStore, "scan">;
  readonly old: Pick<OldSystem, "scan" | "limits">;
}

const STATES: ReadonlySet<State> = new Set(["rampdown"]);

/** A look goes no further back than this: it is made at each step. */
const LOOK_MAX_US = 900_000_000;

const memorySchema = z.object({
  epoch: z.number(),
  /** The last row that somebody else wrote, and how far it was looked. */
  foreignUs: z.number().optional(),
  lookedUs: z.number(),
});

/**
 * `quiet`: since rampdown began nobody has read OLD through us, and nobody but those who feed it has written to it, for as long as the plan wants. Who reads OLD past us is not seen, and that is said.
 */
export const createQuietCheck = ({ use, store, old }: QuietDeps): Check => ({
  name: "quiet",
  states: STATES,
  async run(context): Promise<CheckOutcome> {
    const { migration, nowUs } = context;
    const { homeId, id, plan, sinceUs, epoch } = migration;
    const known = memorySchema.safeParse(context.memory).data;
    const memory = await lookForWriters(known?.epoch === epoch ? known : { epoch, lookedUs: sinceUs }, context, {
      store,
      old,
    });
    const read = await use.lastRead(homeId, id, sinceUs);
    const lastUs = Math.max(sinceUs, read?.atUs ?? 0, memory.foreignUs ?? 0);
    const observed = Math.max(0, (nowUs - lastUs) / 1e6);
    const limit = plan.quietSeconds;
    const who = [
      read && read.atUs > sinceUs
        ? `last read ${isoOf(read.atUs)}${read.reader ? ` by "${read.reader}"` : ""}`
        : "not read through us since rampdown began",
      memory.foreignUs === undefined
        ? "written by nobody else"
        : `written by somebody else, last at ${isoOf(memory.foreignUs)}`,
    ].join(", ");
    const words = `OLD was ${who}; quiet for ${secondsText(observed)} of ${secondsText(limit)}.`;
    return {
      results: [
        observed < limit
          ? undecided("quiet", words, { observed, limit })
          : passed(
              "quiet",
              `${words} Programs that read OLD past Hearthline (a dashboard of its own, for instance) are not seen from here.`,
              { observed, limit },
            ),
      ],
      memory,
    };
  },
});

type Memory = z.infer<typeof memorySchema>;

/** Rows in OLD of which NEW has none: the feeder writes to both. */
async function lookForWriters(
  memory: Memory,
  { migration, nowUs, signal }: CheckContext,
  sides: Pick<QuietDeps, "store" | "old">,
): Promise<Memory> {
  const { homeId, plan } = migration;
  const untilUs = nowUs - plan.settleSeconds * 1e6;
  let lookedUs = Math.max(memory.lookedUs, untilUs - LOOK_MAX_US);
  let { foreignUs } = memory;
  while (lookedUs < untilUs && !signal.aborted) {
    const { byNew, toUs } = await lackingIn({ homeId, fromUs: lookedUs, toUs: untilUs }, sides);
    if (byNew.lastUs !== undefined) foreignUs = Math.max(foreignUs ?? 0, byNew.lastUs);
    lookedUs = toUs;
  }
  return { epoch: memory.epoch, lookedUs, ...(foreignUs !== undefined && { foreignUs }) };
}

const isoOf = (atUs: Microseconds): string => new Date(atUs / 1000).toISOString();
