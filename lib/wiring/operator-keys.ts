import { randomBytes } from "node:crypto";
import { createDynamodbHomeKeys } from "../adapters/dynamodb/home-keys.ts";
import { createDynamodbHomeDirectory } from "../adapters/dynamodb/homes.ts";
import { createDynamodbLedger } from "../adapters/dynamodb/ledger.ts";
import { HearthlineError } from "../base/errors.ts";
import { keyIdOf, readEnvelope } from "../event/index.ts";
import { isImport, type LedgerRow } from "../ingest/index.ts";
import type { KeyRecord } from "../ingest/ports.ts";
import type { Cloud } from "./aws.ts";

export const KEY_BYTES = 32;
/** A home that changes its key more often than its relays follow loses the overview before it loses anything else. */
const GOOD_KEYS_MAX = 4;
/** A key that signed something so lately is in use. Every message of the queue has been read by then, or is a dead letter. */
const UNUSED_MS = 24 * 3_600_000;
/** A relay that has been silent for longer is taken for gone, whichever key it has. */
const RELAY_GONE_MS = 30 * 24 * 3_600_000;
/** Dead letters that are looked through. */
const LETTERS_MAX = 1_000;

/** A key, and who has signed with it. */
export interface KeyUse extends KeyRecord {
  /** With it we sign ourselves, and new relays do. */
  readonly isCurrent: boolean;
  /** When the last envelope that it signed came; absent: none has. */
  readonly lastUsedAt?: string;
  readonly relays: readonly { readonly relayId: string; readonly at: string; readonly hasMoved: boolean }[];
}

/** Keys of homes: several are good at once, so that nothing is lost while relays change from one to the next. */
export interface KeyOperator {
  /** Oldest first. */
  list(homeId: string): Promise<readonly KeyUse[]>;
  /** A new key beside the old ones, which stay good until they are retired. `key`: base64, shown this once. @throws `not_found`, `request_invalid`, `conflict` (too many are good already) */
  rotate(homeId: string, secret?: Buffer): Promise<{ readonly keyId: string; readonly key: string }>;
  /**
   * From now on what the key signed is set aside as a dead letter; within a minute, for as long do functions remember a key. With `restore` it may be taken back.
   * @throws `not_found`; `request_invalid` (the home would have no key); `conflict`, unless `force`: the key is still in use, by this and that
   */
  retire(homeId: string, keyId: string, options?: { readonly force?: boolean }): Promise<void>;
  /** Takes a retired key back: dead letters that it signed can be redriven. @throws `not_found` */
  restore(homeId: string, keyId: string): Promise<void>;
}

export function createKeyOperator(cloud: Cloud): KeyOperator {
  const { clock, table } = cloud;
  const keyring = createDynamodbHomeKeys(table);
  const homes = createDynamodbHomeDirectory(table);
  const ledger = createDynamodbLedger(table);

  async function usesOf(homeId: string): Promise<readonly KeyUse[]> {
    const [keys, rows] = await Promise.all([keyring.list(homeId), ledger.rows(homeId)]);
    const currentId = keys.findLast(({ retiredAt }) => retiredAt === undefined)?.id;
    return keys.map((key) => useOf(key, rows, key.id === currentId));
  }

  async function requireHome(homeId: string, wish: string): Promise<void> {
    if (await homes.get(homeId)) return;
    throw new HearthlineError(
      "not_found",
      `${wish} of the home "${homeId}", which does not exist; add the home first.`,
    );
  }

  return {
    list: usesOf,

    async rotate(homeId, secret = randomBytes(KEY_BYTES)) {
      await requireHome(homeId, "The key was to be changed");
      const key = { id: keyIdOf(requireKeyBytes(homeId, secret)), secret };
      const known = await keyring.list(homeId);
      requireRoomFor(homeId, key.id, known);
      // A clock that was ahead when the last key was made must not keep the new one from being the current one.
      const latestMs = Math.max(...known.map(({ createdAt }) => Date.parse(createdAt)), 0);
      const createdAt = new Date(Math.max(clock.nowMs(), latestMs + 1)).toISOString();
      await keyring.add(homeId, key, createdAt);
      return { keyId: key.id, key: secret.toString("base64") };
    },

    async retire(homeId, keyId, { force = false } = {}) {
      const keys = await usesOf(homeId);
      const key = keys.find(({ id }) => id === keyId);
      if (!key) throw noKey(homeId, keyId);
      if (key.retiredAt !== undefined) return;
      if (!keys.some(({ id, retiredAt }) => id !== keyId && retiredAt === undefined))
        throw new HearthlineError(
          "request_invalid",
          `The key "${keyId}" is the only one of the home "${homeId}" that is good; make a new one first, with: hearthline homes rotate-key ${homeId}`,
        );
      const reasons = force ? [] : await reasonsToKeep(cloud, homeId, key);
      if (reasons.length > 0)
        throw new HearthlineError(
          "conflict",
          `The key "${keyId}" of the home "${homeId}" was not retired: ${reasons.join("; ")}. What it signs would be set aside; with --force it is retired all the same.`,
        );
      await keyring.setRetired(homeId, keyId, new Date(clock.nowMs()).toISOString());
    },

    async restore(homeId, keyId) {
      if (!(await keyring.setRetired(homeId, keyId, undefined))) throw noKey(homeId, keyId);
    },
  };
}

/** Why the key is still needed, in words. */
async function reasonsToKeep({ clock, queues }: Cloud, homeId: string, key: KeyUse): Promise<string[]> {
  const nowMs = clock.nowMs();
  const reasons: string[] = [];
  if (key.lastUsedAt !== undefined && nowMs - Date.parse(key.lastUsedAt) < UNUSED_MS)
    reasons.push(`something that it signed came at ${key.lastUsedAt}, less than a day ago`);
  const waiting = key.relays.filter(
    ({ relayId, at, hasMoved }) => !hasMoved && !isImport(relayId) && nowMs - Date.parse(at) < RELAY_GONE_MS,
  );
  for (const { relayId, at } of waiting)
    reasons.push(`the relay "${relayId}", heard at ${at}, has not signed with another key since`);
  const letters = await queues.peek("events-dead", LETTERS_MAX);
  const count = letters.filter(({ body }) => isSignedBy(body, homeId, key.id)).length;
  if (count > 0)
    reasons.push(`${count} dead letters of the events queue are signed by it: redrive or purge them first`);
  if (letters.length >= LETTERS_MAX)
    reasons.push(`the events queue has ${LETTERS_MAX} dead letters or more, which were not all looked through`);
  return reasons;
}

/** @throws HearthlineError `request_invalid` (the home has had it), `conflict` (too many are good) */
function requireRoomFor(homeId: string, keyId: string, known: readonly KeyRecord[]): void {
  if (known.some(({ id }) => id === keyId))
    throw new HearthlineError(
      "request_invalid",
      `The home "${homeId}" has had the key "${keyId}" already; wanted is a new one.`,
    );
  const good = known.filter(({ retiredAt }) => retiredAt === undefined).map(({ id }) => id);
  if (good.length < GOOD_KEYS_MAX) return;
  throw new HearthlineError(
    "conflict",
    `The home "${homeId}" has ${good.length} keys that are good; at most ${GOOD_KEYS_MAX} are kept. Retire one first: ${good.join(", ")}.`,
  );
}

/** @throws HearthlineError `request_invalid` */
export function requireKeyBytes(homeId: string, secret: Buffer): Buffer {
  if (secret.length === KEY_BYTES) return secret;
  throw new HearthlineError(
    "request_invalid",
    `The key of home "${homeId}" has ${secret.length} bytes; wanted are ${KEY_BYTES}.`,
  );
}

const noKey = (homeId: string, keyId: string) =>
  new HearthlineError(
    "not_found",
    `The home "${homeId}" has no key "${keyId}"; hearthline homes keys ${homeId} lists them.`,
  );

function useOf(key: KeyRecord, rows: readonly LedgerRow[], isCurrent: boolean): KeyUse {
  const relays = rows.flatMap(({ relayId, keys = {} }) => {
    const at = keys[key.id];
    if (at === undefined) return [];
    return { relayId, at, hasMoved: Object.entries(keys).some(([id, other]) => id !== key.id && other > at) };
  });
  const lastUsedAt = relays
    .map(({ at }) => at)
    .sort()
    .at(-1);
  return { ...key, isCurrent, ...(lastUsedAt !== undefined && { lastUsedAt }), relays };
}

function isSignedBy(body: string, homeId: string, keyId: string): boolean {
  try {
    const envelope = readEnvelope(body);
    return envelope.home_id === homeId && envelope.key_id === keyId;
  } catch {
    return false;
  }
}
