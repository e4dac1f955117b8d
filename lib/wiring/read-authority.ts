import { AsyncLocalStorage } from "node:async_hooks";
import type { ApiParts } from "../api/index.ts";
import type { Logger } from "../base/log.ts";
import type { HomeDirectory } from "../devices/ports.ts";
import type { MigrationStore, OldSystem, Pointer } from "../migration/ports.ts";
import { createBackground } from "../migration/reads/background.ts";
import { createOldMarks } from "../migration/reads/old-marks.ts";
import { createPairGatherer } from "../migration/reads/pairs.ts";
import { createPointerCache } from "../migration/reads/pointer-cache.ts";
import { type Reading, withAuthority } from "../migration/reads/with-authority.ts";
import type { EventStore } from "../store/ports.ts";
import type { Cloud } from "./aws.ts";

/** Says who answered, while a home is moving. */
export const AUTHORITY_HEADER = "x-hearthline-authority";

export interface ReadAuthorityParts {
  readonly cloud: Pick<Cloud, "config" | "clock" | "random">;
  readonly migrations: Pick<MigrationStore, "pointer" | "addPairs" | "noteOldRead">;
  readonly homes: Pick<HomeDirectory, "get">;
  readonly log: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** So long a reader's page waits for OLD at most; the other side, or the error, is still in time for whoever asked. */
const OLD_TIMEOUT_MS = 10_000;

/**
 * The event store as the API reads it: of a home that is moving, the authority answers. Who asks is known by the request that is being handled (`around`): a reader that was moved by hand is known by his token's name
 * wherever below the store is read, and one request is answered by one pointer.
 */
export function createReadAuthority(
  store: EventStore,
  { cloud, migrations, homes, log, env }: ReadAuthorityParts,
): Required<Pick<ApiParts, "around">> & { readonly events: EventStore } {
  const { clock, random } = cloud;
  const requests = new AsyncLocalStorage<Reading>();
  const pairs = createPairGatherer({ store: migrations, clock, log });
  const marks = createOldMarks({ store: migrations, clock, log });
  const isFrozen = isFrozenBetween(env);
  const events = withAuthority(store, {
    pointers: createPointerCache({ store: migrations, clock, log }),
    oldOf: createOldOf(cloud, createTimeZoneOf({ homes, clock, log })),
    clock,
    random,
    log,
    background: isFrozen ? undefined : createBackground({ clock, log }),
    onPair: pairs.add,
    onOldRead: marks.note,
    reading: () => requests.getStore(),
  });
  return {
    events,
    around: ({ tokenName }, handle) => {
      const reading: Reading = tokenName === undefined ? {} : { reader: tokenName };
      return requests.run(reading, async () => {
        const response = await handle();
        if (isFrozen) await marks.settled();
        if (reading.side) response.headers.set(AUTHORITY_HEADER, reading.side);
        return response;
      });
    },
  };
}

/**
 * On Lambda a function stands still from its answer to the next request: a read begun behind the answer would end minutes later, with a time that is none. There nobody's reads are asked twice; the probes of
 * the control plane, which have an invocation of their own, are the measure. serverless-offline's processes go on.
 */
const isFrozenBetween = ({ AWS_LAMBDA_FUNCTION_NAME, IS_OFFLINE }: ReadAuthorityParts["env"]): boolean =>
  AWS_LAMBDA_FUNCTION_NAME !== undefined && IS_OFFLINE === undefined;

/** A home seldom moves to another time zone. */
const ZONE_MS = 600_000;

/** The time zone of a home, for the local time of what OLD answers: OLD holds none. A directory that does not answer stops no read. */
function createTimeZoneOf({
  homes,
  clock,
  log,
}: Pick<ReadAuthorityParts, "homes" | "log"> & Pick<Cloud, "clock">): (homeId: string) => Promise<string> {
  const known = new Map<string, { readonly atMs: number; readonly timeZone: string }>();
  return async (homeId) => {
    const nowMs = clock.monotonicMs();
    const before = known.get(homeId);
    if (before && nowMs - before.atMs < ZONE_MS) return before.timeZone;
    try {
      const timeZone = (await homes.get(homeId))?.timeZone ?? "UTC";
      known.set(homeId, { atMs: nowMs, timeZone });
      return timeZone;
    } catch (error) {
      log.warn("the time zone of the home is not known now", { homeId, error });
      return before?.timeZone ?? "UTC";
    }
  };
}

/** The pipeline of a pointer; its adapter is loaded by the first home that is moving, and made once for each address. */
function createOldOf(
  { config, clock }: ReadAuthorityParts["cloud"],
  timeZoneOf: (homeId: string) => Promise<string>,
): (pointer: Pointer) => Promise<OldSystem> {
  const all = new Map<string, Promise<OldSystem>>();
  const secrets = {
    token: config.HEARTHLINE_OLD_TOKEN,
    user: config.HEARTHLINE_OLD_USER,
    password: config.HEARTHLINE_OLD_PASSWORD,
  };
  return ({ old }) => {
    const name = JSON.stringify(old);
    const made = all.get(name) ?? open();
    all.set(name, made);
    return made;

    async function open(): Promise<OldSystem> {
      const { createOldSystem } = await import("../adapters/legacy/old-system.ts");
      return createOldSystem(old, secrets, { clock, timeoutMs: OLD_TIMEOUT_MS, timeZoneOf });
    }
  };
}
