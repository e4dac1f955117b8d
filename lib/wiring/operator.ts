import { randomBytes } from "node:crypto";
import { createDynamodbHomeDirectory } from "../adapters/dynamodb/homes.ts";
import { createDynamodbTokenStore } from "../adapters/dynamodb/tokens.ts";
import type { SqsOperator } from "../adapters/sqs/operator.ts";
import { hashToken } from "../api/caller.ts";
import { SCOPES, type Scope, type Token } from "../api/ports.ts";
import { HearthlineError } from "../base/errors.ts";
import type { Home } from "../devices/ports.ts";
import { keyIdOf } from "../event/index.ts";
import { type CloudOptions, createCloud } from "./aws.ts";
import type { Config } from "./config.ts";
import { createKeyOperator, KEY_BYTES, type KeyOperator, requireKeyBytes } from "./operator-keys.ts";
import { createHomeRemoval, type HomeRemoval } from "./remove-home.ts";

export type { Scope };

export interface NewHome {
  readonly homeId: string;
  /** Default: the id. The relay's first report replaces it by Home Assistant's own. */
  readonly name?: string;
  /** Default `UTC`; replaced likewise. */
  readonly timeZone?: string;
  /** 32 bytes. Default: new random ones. */
  readonly secret?: Buffer;
}

export interface NewToken {
  readonly homeId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Default: it does not expire. */
  readonly expiresInDays?: number;
}

/** What an operator does to a fleet: tenancy and queues. */
export interface Operator {
  readonly homes: {
    /** `key`: base64 for HEARTHLINE_HOME_KEY, shown this once. @throws `conflict` when the home exists, `request_invalid` for a wrong id or key */
    add(home: NewHome): Promise<{ readonly homeId: string; readonly keyId: string; readonly key: string }>;
    get(homeId: string): Promise<Home | undefined>;
    list(): Promise<readonly Home[]>;
  } & HomeRemoval;
  readonly keys: KeyOperator;
  readonly tokens: {
    /** `text` is the token, shown this once: only its SHA-256 is kept. @throws `not_found` (no such home), `request_invalid` */
    create(token: NewToken): Promise<{ readonly id: string; readonly text: string }>;
    list(homeId: string): Promise<readonly Omit<Token, "hash">[]>;
    /** False when there was none. */
    revoke(homeId: string, id: string): Promise<boolean>;
  };
  /** Names: `events`, `store`, `index`, `analysis`; peek and purge also `NAME-dead`. */
  readonly queues: SqsOperator;
}

const HOME_ID = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const DAY_MS = 86_400_000;

const invalid = (message: string) => new HearthlineError("request_invalid", message);
const noHome = (homeId: string) =>
  new HearthlineError(
    "not_found",
    `A token for the home "${homeId}" was asked for, which does not exist; add the home first.`,
  );

export function createOperator(config: Config, options: CloudOptions = {}): Operator {
  const cloud = createCloud(config, options);
  const directory = createDynamodbHomeDirectory(cloud.table);
  const store = createDynamodbTokenStore(cloud.table);
  const now = () => new Date(cloud.clock.nowMs());

  return {
    homes: {
      async add({ homeId, name = homeId, timeZone = "UTC", secret = randomBytes(KEY_BYTES) }) {
        if (!HOME_ID.test(homeId))
          throw invalid(
            `The home "${homeId}" was to be added; wanted as its id are 1 to 63 of a-z, 0-9, _ and -, a letter or digit first.`,
          );
        const key = { id: keyIdOf(requireKeyBytes(homeId, secret)), secret };
        await directory.add({ homeId, name, timeZone, createdAt: now().toISOString(), revision: 0 }, key);
        return { homeId, keyId: key.id, key: secret.toString("base64") };
      },
      get: directory.get,
      async list() {
        const homes: Home[] = [];
        for await (const home of directory.list()) homes.push(home);
        return homes;
      },
      ...createHomeRemoval(cloud),
    },

    keys: createKeyOperator(cloud),

    tokens: {
      async create({ homeId, name, scopes, expiresInDays }) {
        const unknown = scopes.find((scope) => !SCOPES.includes(scope));
        if (unknown !== undefined || scopes.length === 0)
          throw invalid(
            `A token with the scopes "${scopes.join(",")}" was asked for; wanted are some of ${SCOPES.join(", ")}.`,
          );
        if (expiresInDays !== undefined && !(expiresInDays > 0 && expiresInDays <= 36_500))
          throw invalid(
            `A token for "${expiresInDays}" days was asked for; wanted are more than 0 and at most 36,500.`,
          );
        if (!(await directory.get(homeId))) throw noHome(homeId);
        const text = `hl_${homeId}_${randomBytes(32).toString("base64url")}`;
        const id = randomBytes(8).toString("hex");
        const createdAt = now();
        await store.add({
          id,
          homeId,
          name,
          scopes,
          hash: hashToken(text),
          createdAt: createdAt.toISOString(),
          ...(expiresInDays !== undefined && {
            expiresAt: new Date(createdAt.getTime() + expiresInDays * DAY_MS).toISOString(),
          }),
        });
        // Removed in between, its tokens were looked through already.
        if (!(await directory.get(homeId))) {
          await store.revoke(homeId, id);
          throw noHome(homeId);
        }
        return { id, text };
      },
      async list(homeId) {
        return (await store.list(homeId)).map(({ hash: _, ...token }) => token);
      },
      revoke: store.revoke,
    },

    queues: cloud.queues,
  };
}
