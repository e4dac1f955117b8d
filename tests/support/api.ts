import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createMemoryAggregateStore, createMemoryRetentionRecords } from "../../lib/adapters/memory/aggregates.ts";
import { createMemoryConflictStore } from "../../lib/adapters/memory/conflicts.ts";
import { createMemoryDeviceIndex } from "../../lib/adapters/memory/device-index.ts";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import { createMemoryHealthMemory } from "../../lib/adapters/memory/health-memory.ts";
import { createMemoryHomeDirectory } from "../../lib/adapters/memory/homes.ts";
import { createMemoryJobStore } from "../../lib/adapters/memory/jobs.ts";
import { createMemoryLedger } from "../../lib/adapters/memory/ledger.ts";
import { createMemoryMigrationStore } from "../../lib/adapters/memory/migration-store.ts";
import { createMemoryOutboxStore } from "../../lib/adapters/memory/outbox.ts";
import { createMemoryPatternStore } from "../../lib/adapters/memory/patterns.ts";
import { createMemoryQueue } from "../../lib/adapters/memory/queue.ts";
import { createMemoryRateStore } from "../../lib/adapters/memory/rates.ts";
import { createMemorySuggestionStore } from "../../lib/adapters/memory/suggestions.ts";
import { createMemoryTokenStore } from "../../lib/adapters/memory/tokens.ts";
import { createMemoryAbilityStore, createMemoryUtilisationStore } from "../../lib/adapters/memory/utilisation.ts";
import {
  type ApiParts,
  createApi,
  createHealth,
  createIdentify,
  createRateLimits,
  type HealthSources,
  hashToken,
} from "../../lib/api/index.ts";
import type { QueueDepth, Scope } from "../../lib/api/ports.ts";
import type { Clock } from "../../lib/base/clock.ts";
import { silentLogger } from "../../lib/base/log.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { keyIdOf } from "../../lib/event/index.ts";
import { createOutbox } from "../../lib/publish/index.ts";
import { pages } from "../../lib/web/index.ts";
import { createMigrationApi } from "../../lib/wiring/migration-api.ts";

/** The key with which the test homes sign. */
export const HOME_SECRET = Buffer.alloc(32, 7);
export const HOME_KEY = { id: keyIdOf(HOME_SECRET), secret: HOME_SECRET };

/** A token's text for a home; `tail` tells tokens of one home apart. */
export const tokenText = (homeId: string, tail = "a"): string => `hl_${homeId}_${tail.repeat(43).slice(0, 43)}`;

const queueNames = ["events", "store", "index", "analysis"] as const;
export const emptyQueues = (): QueueDepth[] => queueNames.map((name) => ({ name, visible: 0, inFlight: 0, dead: 0 }));

/** `migration-1`, `migration-2`... */
const counted = (name: string) => {
  let count = 0;
  return () => `${name}-${++count}`;
};

export interface TestApiOptions {
  readonly clock: Clock;
  readonly parts?: Partial<ApiParts>;
  readonly pageToken?: string;
  /** What the health looks at instead of the parts of the API. */
  readonly healthParts?: Partial<HealthSources>;
  /** How full the queues are; asked at each look. */
  readonly depths?: () => Promise<readonly QueueDepth[]>;
}

/** The API over adapters in memory, with the homes `home` and `other`. Requests carry their token in a header, as over a real gateway. */
export async function createTestApi({
  clock,
  parts = {},
  pageToken,
  healthParts = {},
  depths = async () => emptyQueues(),
}: TestApiOptions) {
  const events = createMemoryEventStore();
  const index = createMemoryDeviceIndex(clock);
  const conflicts = createMemoryConflictStore();
  const homes = createMemoryHomeDirectory();
  const jobs = createMemoryJobStore();
  const ledger = createMemoryLedger(clock);
  const queue = createMemoryQueue();
  const patterns = createMemoryPatternStore();
  const suggestions = createMemorySuggestionStore();
  const abilities = createMemoryAbilityStore();
  const utilisation = createMemoryUtilisationStore();
  const analysisQueue = createMemoryQueue();
  const aggregates = createMemoryAggregateStore({ clock });
  const retentionRecords = createMemoryRetentionRecords();
  const tokens = createMemoryTokenStore(clock);
  const memory = createMemoryHealthMemory();
  const migrationStore = createMemoryMigrationStore();
  const createdAt = new Date(clock.nowMs()).toISOString();
  for (const homeId of ["home", "other"]) {
    await homes.add({ homeId, name: `The ${homeId}`, timeZone: "Europe/Amsterdam", createdAt, revision: 0 }, HOME_KEY);
  }
  const addToken = async (text: string, homeId: string, scopes: readonly Scope[], expiresAt?: string) => {
    const id = hashToken(text).slice(0, 16);
    await tokens.add({
      id,
      homeId,
      name: "test",
      scopes,
      hash: hashToken(text),
      createdAt,
      ...(expiresAt && { expiresAt }),
    });
    return id;
  };
  await addToken(tokenText("home"), "home", ["read", "write"]);
  await addToken(tokenText("home", "r"), "home", ["read"]);
  await addToken(tokenText("other"), "other", ["read", "write"]);

  const shared = { events, index, homes, clock, version: "0.0.0-test", ...parts };
  const identify = parts.identify ?? createIdentify(tokens, clock);
  const outbox = createOutbox({ store: createMemoryOutboxStore(clock), clock, random: seededRandom(1) });
  const api = createApi({
    jobs,
    patterns,
    suggestions,
    abilities,
    utilisation,
    analysisQueue,
    analysisTime: "03:00",
    aggregates,
    retentionRecords,
    retention: { rawDays: 7, dailyDays: 90, weeklyWeeks: 52 },
    ledger,
    migrations: createMigrationApi({
      store: migrationStore,
      ledger,
      index,
      tokens,
      keys: homes.keys,
      clock,
      random: seededRandom(2),
      newId: counted("migration"),
    }),
    outbox,
    keys: homes.keys,
    conflicts,
    conflictRules: { otherwise: "new-wins", byField: { name: "ask" } },
    queue,
    futureSeconds: 86_400,
    log: silentLogger,
    pages,
    pageToken,
    pageClient: { text: "void 0;", version: "1" },
    identify,
    health: createHealth({
      events,
      homes,
      index,
      clock,
      version: shared.version,
      ledger,
      monitor: { depths },
      memory,
      ...healthParts,
    }),
    callerOf: (surroundings) => identify((surroundings as { authorization?: string | null }).authorization),
    addressOf: () => undefined,
    limits: createRateLimits({ store: createMemoryRateStore(), clock, perMinute: 1_000_000 }),
    requestIdOf: () => "test",
    ...shared,
  });

  const fetchApi = (request: Request): Promise<Response> =>
    Promise.resolve(api.fetch(request, { authorization: request.headers.get("authorization") }));
  /** A request with the token of `home`, unless another or none (null) is given. */
  const ask = (path: string, init: RequestInit & { token?: string | null } = {}): Promise<Response> => {
    const { token = tokenText("home"), ...rest } = init;
    const headers = new Headers(rest.headers);
    if (token !== null) headers.set("authorization", `Bearer ${token}`);
    if (!headers.has("host")) headers.set("host", "127.0.0.1:8787");
    return fetchApi(new Request(`http://127.0.0.1:8787${path}`, { ...rest, headers }));
  };
  const post = (path: string, body: unknown, init: RequestInit & { token?: string | null } = {}): Promise<Response> =>
    ask(path, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...init,
      headers: { "content-type": "application/json", ...init.headers },
    });
  return {
    api,
    ask,
    post,
    fetchApi,
    addToken,
    events,
    index,
    conflicts,
    homes,
    jobs,
    ledger,
    migrationStore,
    outbox,
    queue,
    patterns,
    suggestions,
    abilities,
    utilisation,
    aggregates,
    retentionRecords,
    analysisQueue,
    tokens,
    memory,
    identify,
  };
}
export type TestApi = Awaited<ReturnType<typeof createTestApi>>;

/** The API on a real socket of 127.0.0.1, for browsers and fuzzers. */
export async function serveApi({
  fetchApi,
}: Pick<TestApi, "fetchApi">): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server: Server = createServer(
    { maxHeaderSize: 131_072 },
    (incoming, outgoing) => void answer(fetchApi, incoming, outgoing),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

async function answer(
  fetchApi: TestApi["fetchApi"],
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const { method = "GET" } = incoming;
  // What a web Request cannot hold is changed as the Lambda's wiring changes it.
  const isForbidden = /^(TRACE|TRACK|CONNECT)$/i.test(method);
  const hasBody = !isForbidden && !/^(GET|HEAD)$/i.test(method) && chunks.length > 0;
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const one of [value ?? []].flat()) headers.append(name, one);
  }
  const response = await fetchApi(
    new Request(`http://127.0.0.1${incoming.url ?? "/"}`, {
      method: isForbidden ? "PUT" : method,
      headers,
      ...(hasBody && { body: Buffer.concat(chunks) }),
    }),
  );
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}
