import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../lib/base/clock.ts";
import { messageOf } from "../../lib/base/errors.ts";
import { type Random, seededRandom } from "../../lib/base/random.ts";
import { formatIsoUs } from "../../lib/base/time.ts";
import { putDevices, shownDevices } from "./devices.ts";
import { readEvents, takeEvent } from "./events.ts";
import { type Faults, faultsSchema } from "./faults.ts";
import { type LegacyStore, openLegacyStore } from "./store.ts";

export interface LegacyOptions {
  /** 0: any free one. */
  readonly port: number;
  readonly data: string;
  readonly seed: number;
  /** Wanted as a bearer token, where it is set. */
  readonly token?: string | undefined;
  readonly clock: Clock;
}

export interface Legacy {
  readonly port: number;
  readonly url: string;
  stop(): Promise<void>;
}

const HOST = "127.0.0.1";
const BODY_MAX_BYTES = 16_777_216;
/** A leak is to be seen, not to bring the machine down. */
const LEAK_MAX_BYTES = 536_870_912;

interface Answer {
  readonly status: number;
  readonly json: unknown;
}

/** The old pipeline: takes and gives events and devices over HTTP, with faults that can be switched at run time. */
export async function startLegacy(options: LegacyOptions): Promise<Legacy> {
  const store = openLegacyStore(options.data);
  const served = new Served(store, options);
  const server = createServer((request, response) => {
    void served.answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, HOST, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${HOST}:${port}`,
    stop: async () => {
      if (!server.listening) return;
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      store.close();
    },
  };
}

class Served {
  readonly #store: LegacyStore;
  readonly #options: LegacyOptions;
  readonly #random: Random;
  readonly #leaked: Buffer[] = [];
  #leakedBytes = 0;
  #taken = 0;
  #faults: Faults = {};

  constructor(store: LegacyStore, options: LegacyOptions) {
    this.#store = store;
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#taken = store.ends(Number.MAX_SAFE_INTEGER).rows;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://legacy");
    if (url.pathname === "/faults") return send(response, await this.#switch(request));
    const { faults } = { faults: this.#faults };
    if (faults.down) {
      request.socket.destroy();
      return;
    }
    if (faults.slow) await this.#options.clock.sleep(faults.slow.ms);
    this.#leak();
    const body = await bodyOf(request);
    if (faults.errors && this.#random() < faults.errors.rate)
      return send(response, { status: 500, json: { error: "an internal error" } });
    if (faults.html) {
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Sign in</title>");
      return;
    }
    if (faults.error_inside) return send(response, { status: 200, json: { error: "the database is locked" } });
    send(response, this.#route(request, url, body), faults.truncated);
  }

  #route(request: IncomingMessage, url: URL, body: string): Answer {
    const { token } = this.#options;
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`)
      return { status: 401, json: { error: "wanted is a token" } };
    try {
      const what = `${request.method} ${url.pathname}`;
      if (what === "POST /api/v1/events") return { status: 202, json: this.#take(JSON.parse(body)) };
      if (what === "GET /api/v1/events") return { status: 200, json: this.#read(url) };
      if (what === "GET /health") return { status: 200, json: this.#health() };
      if (what === "GET /api/devices") return { status: 200, json: { devices: shownDevices(this.#store) } };
      if (what === "PUT /api/devices" || what === "POST /api/devices")
        return { status: 200, json: putDevices(this.#store, JSON.parse(body)) };
      return { status: 404, json: { error: `nothing is at ${what}` } };
    } catch (thrown) {
      return { status: 400, json: { error: messageOf(thrown) } };
    }
  }

  #take(given: unknown): object {
    const taking = { faults: this.#faults, seed: this.#options.seed };
    const results = (Array.isArray(given) ? given : [given]).map((event) => takeEvent(event, taking));
    const rows = results.filter((result) => typeof result !== "string");
    this.#store.add(rows, this.#options.clock.nowMs());
    this.#taken += rows.length;
    const rejected = results.flatMap((result, index) =>
      typeof result === "string" ? [{ index, code: "event_malformed", detail: result }] : [],
    );
    return { accepted: rows.length, rejected };
  }

  #read(url: URL): object {
    return readEvents(this.#store, url, { faults: this.#faults, nowMs: this.#options.clock.nowMs() });
  }

  #health(): object {
    const { clock } = this.#options;
    const { oldestUs, newestUs } = this.#store.ends(clock.nowMs() + 1 - (this.#faults.delays?.ms ?? 0));
    return {
      ...{ status: "ok", product: "legacy", version: "1.0", schema: this.#faults.schema ? "2" : "1" },
      ...{ memory_bytes: process.memoryUsage().rss, rows_taken: this.#taken },
      ...{
        oldest: oldestUs === null ? null : formatIsoUs(oldestUs),
        newest: newestUs === null ? null : formatIsoUs(newestUs),
      },
    };
  }

  async #switch(request: IncomingMessage): Promise<Answer> {
    if (request.method === "PUT") {
      const parsed = faultsSchema.safeParse(jsonIn(await bodyOf(request)));
      if (!parsed.success)
        return {
          status: 400,
          json: { error: parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ") },
        };
      this.#faults = parsed.data;
      if (parsed.data.newest_lost) this.#store.loseNewest(parsed.data.newest_lost.rows);
      if (!parsed.data.leak) {
        this.#leaked.length = 0;
        this.#leakedBytes = 0;
      }
    }
    return { status: 200, json: this.#faults };
  }

  #leak(): void {
    const { bytes = 0 } = this.#faults.leak ?? {};
    if (bytes === 0 || this.#leakedBytes + bytes > LEAK_MAX_BYTES) return;
    this.#leaked.push(Buffer.alloc(bytes, 1));
    this.#leakedBytes += bytes;
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_MAX_BYTES) throw new Error("the body is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function send(response: ServerResponse, { status, json }: Answer, isTruncated = false): void {
  const text = JSON.stringify(json);
  const body = isTruncated ? text.slice(0, Math.floor(text.length / 2)) : text;
  response.writeHead(status, { "content-type": "application/json" }).end(body);
}
