import { formatIsoUs } from "../../base/time.ts";
import { askOld, isObject, jsonOf, malformed, refuseFailure } from "./old-ask.ts";
import { type HttpPage, pageOfAnswer } from "./old-http-rows.ts";
import type { OldOptions, OldSecrets } from "./old-options.ts";
import type { Window } from "./old-windows.ts";

const TIMEOUT_MS = 30_000;
/** So many are named in one address; of more the answer is looked through. */
const NAMED_MAX = 100;

export interface HttpAsk {
  page(
    query: Window & {
      readonly entityIds?: readonly string[] | undefined;
      readonly limit: number;
      readonly cursor?: string | undefined;
      readonly order?: "desc";
    },
  ): Promise<HttpPage>;
  get(path: string): Promise<{ readonly json: unknown; readonly headers: Headers }>;
}

const EVENTS_PATH = "/api/v1/events";

export function eventsUrl(text: string): URL {
  const url = new URL(text);
  url.pathname = `${url.pathname.replace(/\/+$/, "").replace(new RegExp(`${EVENTS_PATH}$`), "")}${EVENTS_PATH}`;
  return url;
}

export function createAsk(text: string, { token }: OldSecrets, options: OldOptions): HttpAsk {
  const asking = {
    fetch: options.fetch ?? fetch,
    headers: { accept: "application/json", ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
  };
  const get = async (url: URL) => {
    const answer = await askOld(url, {}, asking);
    refuseFailure(answer);
    return { json: jsonOf(answer), headers: answer.headers, what: answer.what };
  };
  return {
    async page({ fromUs, toUs, entityIds, limit, cursor, order }) {
      const url = eventsUrl(text);
      url.searchParams.set("from", formatIsoUs(fromUs));
      url.searchParams.set("to", formatIsoUs(toUs));
      url.searchParams.set("limit", String(limit));
      if (entityIds && entityIds.length <= NAMED_MAX) url.searchParams.set("entity_id", entityIds.join(","));
      if (cursor !== undefined) url.searchParams.set("cursor", cursor);
      if (order) url.searchParams.set("order", order);
      const { json, what } = await get(url);
      const page = pageOfAnswer(json, what);
      const stray = page.rows.find(({ atUs }) => atUs < fromUs || atUs >= toUs);
      if (stray)
        throw malformed(
          what,
          `an event of ${formatIsoUs(stray.atUs)}, which is outside of what was asked for (${formatIsoUs(fromUs)} to ${formatIsoUs(toUs)})`,
        );
      if (page.next !== undefined && (page.next === cursor || page.rows.length === 0))
        throw malformed(what, "a page that leads nowhere: the next one is itself, or behind an empty one");
      const wanted = entityIds && new Set(entityIds);
      return wanted ? { ...page, rows: page.rows.filter(({ entityId }) => wanted.has(entityId)) } : page;
    },
    async get(path) {
      const url = eventsUrl(text);
      url.pathname = url.pathname.replace(new RegExp(`${EVENTS_PATH}$`), path);
      const { json, headers, what } = await get(url);
      if (!isObject(json)) throw malformed(what, "what is no object");
      return { json, headers };
    },
  };
}
