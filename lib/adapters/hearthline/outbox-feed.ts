import * as z from "zod";
import { HearthlineError, isHearthlineError, messageOf } from "../../base/errors.ts";
import {
  OUTBOX_KINDS,
  outboxAutomationSchema,
  outboxMessageSchema,
  outboxRefetchSchema,
  outboxSinkSchema,
} from "../../event/index.ts";
import type { OutboxFeed, OutboxWork } from "../../relay/outbox/ports.ts";

export interface OutboxFeedOptions {
  /** Of the API, without a slash at the end. */
  readonly url: string;
  readonly token: string;
  /** Of one request. Default 15,000. */
  readonly timeoutMs?: number;
}

const PAGE_ITEMS = 100;

/** Of an item nothing else is needed to end it; its message is read by itself. */
const pageSchema = z.object({ items: z.array(z.object({ id: z.string(), kind: z.string() }).loose()) });
/** It is shown with more members than it is asked with. */
const automationSchema = z.object(outboxAutomationSchema.shape);
/** Of another kind nothing is known but that it waits: one such item, of a cloud that is newer, must not hold up the others. */
const kindSchema = z.enum(OUTBOX_KINDS).or(z.literal("unknown")).catch("unknown");
/** A page has at most about 1 MiB of payloads, which JSON may write six times as long. Whatever is longer comes from somebody else, and must not fill the memory. */
const ANSWER_MAX_BYTES = 16 * 1_048_576;

interface Answer {
  readonly status: number;
  readonly etag: string | null;
  readonly text: string;
}

/** The outbox over the API. An unchanged list is not sent again (ETag). */
export function createOutboxFeed({ url, token, timeoutMs = 15_000 }: OutboxFeedOptions): OutboxFeed {
  let known: { readonly etag: string; readonly items: readonly OutboxWork[] } | undefined;

  async function ask(method: "GET" | "POST", path: string, init: RequestInit): Promise<Answer> {
    const headers = { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) };
    try {
      const answer = await fetch(`${url}${path}`, {
        ...init,
        method,
        headers,
        signal: AbortSignal.timeout(timeoutMs),
      });
      return {
        status: answer.status,
        etag: answer.headers.get("etag"),
        text: await textOf(answer, `${method} ${url}${path}`),
      };
    } catch (thrown) {
      if (isHearthlineError(thrown)) throw thrown;
      throw unreached(`${method} ${url}${path}`, thrown);
    }
  }

  return {
    async pending() {
      const path = `/api/v1/outbox?status=pending&limit=${PAGE_ITEMS}`;
      const answer = await ask("GET", path, { headers: known ? { "if-none-match": known.etag } : {} });
      if (answer.status === 304 && known) return known.items;
      if (answer.status !== 200) throw refused(`GET ${url}${path}`, answer);
      const items = itemsOf(answer.text, `GET ${url}${path}`);
      known = answer.etag === null ? undefined : { etag: answer.etag, items };
      return items;
    },

    async acknowledge(id, outcome) {
      const path = `/api/v1/outbox/${encodeURIComponent(id)}/acknowledge`;
      const headers = { "content-type": "application/json" };
      const answer = await ask("POST", path, { headers, body: JSON.stringify(outcome) });
      if (answer.status !== 200 && answer.status !== 404) throw refused(`POST ${url}${path}`, answer);
    },
  };
}

async function textOf({ body }: Response, what: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > ANSWER_MAX_BYTES)
      throw new HearthlineError(
        "service_failed",
        `${what} was answered with more than ${ANSWER_MAX_BYTES} bytes: is HEARTHLINE_URL the address of Hearthline's API?`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function itemsOf(text: string, what: string): OutboxWork[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const page = pageSchema.safeParse(json);
  if (!page.success)
    throw new HearthlineError(
      "service_failed",
      `${what} was answered with ${text.length} characters that are no page of the outbox: is HEARTHLINE_URL the address of Hearthline's API?`,
    );
  return page.data.items.map((item) => {
    const message = item.kind === "mqtt" ? outboxMessageSchema.safeParse(item).data : undefined;
    const automation = item.kind === "automation" ? automationSchema.safeParse(item.automation).data : undefined;
    const sink = item.kind === "sink" ? outboxSinkSchema.safeParse(item).data : undefined;
    const refetch = item.kind === "refetch" ? outboxRefetchSchema.safeParse(item.refetch).data : undefined;
    return {
      id: item.id,
      kind: kindSchema.parse(item.kind),
      ...(message && { message }),
      ...(automation && { automation }),
      ...(sink && { sink }),
      ...(refetch && { refetch }),
    };
  });
}

/** Never quotes the answer: a proxy's page may be anything. */
function refused(what: string, { status }: Answer): HearthlineError {
  if (status === 401 || status === 403)
    return new HearthlineError(
      "service_refused",
      `${what} was answered with ${status}: wanted is a HEARTHLINE_TOKEN of this home with the scopes read and write.`,
    );
  if (status === 404)
    return new HearthlineError("service_refused", `${what} was answered with 404: is HEARTHLINE_URL right?`);
  return new HearthlineError(
    status === 429 ? "service_throttled" : "service_failed",
    `${what} was answered with ${status}.`,
  );
}

function unreached(what: string, thrown: unknown): HearthlineError {
  const options = { cause: thrown };
  if ((thrown as Error).name === "TimeoutError")
    return new HearthlineError("service_timeout", `${what} was not answered in time.`, options);
  const { cause } = thrown as { cause?: { code?: string } };
  return new HearthlineError("service_unreachable", `${what} failed: ${cause?.code ?? messageOf(thrown)}.`, options);
}
