import { HearthlineError } from "../base/errors.ts";
import type { HistorySource, ImportStates } from "./ports.ts";

/** Two lists with fewer entities say nothing about each other. */
const TELLING_MIN = 10;
/** Below this share of common entities two lists are taken for lists of two homes; one home keeps most of its names for years. */
const COMMON_MIN = 0.1;
/** What Home Assistant makes in every home. */
const EVERYWHERE =
  /^(sun\.|zone\.home$|person\.|conversation\.|tts\.|todo\.shopping_list$|weather\.(forecast_)?home$|sensor\.sun_|binary_sensor\.remote_ui$|event\.backup|sensor\.backup_|update\.home_assistant)/;

/**
 * Refuses a history that belongs to another home: one that was imported into another home from here before, or one that has hardly an entity in common with
 * what is known of this home. A new home knows none: then nothing can be told.
 * @throws `history_of_another_home`
 */
export async function checkSameHome(options: {
  readonly homeId: string;
  readonly source: HistorySource;
  readonly states: ImportStates;
  readonly knownEntities: () => Promise<ReadonlySet<string>>;
}): Promise<void> {
  const { homeId, source, states, knownEntities } = options;
  const before = states
    .known()
    .find((known) => known.source.identity === source.identity && known.source.kind === source.kind);
  if (before && before.homeId !== homeId) {
    throw ofAnother(source, `It was imported into the home "${before.homeId}" before; this is the home "${homeId}".`);
  }
  const theirs = (await source.entityIds())?.filter((id) => !EVERYWHERE.test(id));
  if (theirs === undefined || theirs.length < TELLING_MIN) return;
  const ours = [...(await knownEntities())].filter((id) => !EVERYWHERE.test(id));
  if (ours.length < TELLING_MIN) return;
  const theirsKnown = new Set(theirs);
  const common = ours.filter((id) => theirsKnown.has(id)).length;
  if (common >= COMMON_MIN * Math.min(ours.length, theirsKnown.size)) return;
  throw ofAnother(
    source,
    `Of its ${theirsKnown.size} entities ${common} are known in the home "${homeId}", which has ${ours.length}.`,
  );
}

const ofAnother = (source: HistorySource, why: string) =>
  new HearthlineError(
    "history_of_another_home",
    `The history "${source.name}" seems to be of another home. ${why} If it is of this home after all, repeat the command with --force; for another home name it with --home.`,
  );
