/** Asks the API of this page's own origin. */

export class ApiError extends Error {
  readonly status: number;
  /** As of the API's problems; "" when none was given. */
  readonly code: string;
  constructor(status: number, code: string, detail: string) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

export interface Client {
  get<T>(path: string): Promise<T>;
  /** Pages of a list, until its end or until `max` members are there. */
  list<T>(path: string, member: string, max: number): Promise<{ readonly items: readonly T[]; readonly more: boolean }>;
  text(path: string): Promise<string>;
  post<T>(path: string, body?: object): Promise<T>;
}

/** Answers kept for their ETags: a home's entities come in a few, each pattern is one. */
const KEPT_MAX = 300;
/** A view of many pictures asks for all of them at once; a browser and a small server are better off with a few. */
const AT_ONCE = 4;

type Fetch = (path: string, init: RequestInit) => Promise<Response>;

export function createClient(token: string, fetch: Fetch): Client {
  const kept = new Map<string, { readonly tag: string; readonly body: unknown }>();
  const waiting: (() => void)[] = [];
  let under = 0;

  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    if (under >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
    under++;
    try {
      const headers = { ...init.headers, authorization: `Bearer ${token}` };
      const response = await fetch(path, { ...init, headers, cache: "no-store" });
      if (response.ok || response.status === 304) return response;
      const problem = (await response.json().catch(() => ({}))) as { code?: string; detail?: string };
      throw new ApiError(response.status, problem.code ?? "", problem.detail ?? `The answer was ${response.status}.`);
    } finally {
      under--;
      waiting.shift()?.();
    }
  }

  async function get<T>(path: string): Promise<T> {
    const known = kept.get(path);
    const response = await ask(path, known && { headers: { "if-none-match": known.tag } });
    if (response.status === 304 && known) return known.body as T;
    const body: unknown = await response.json();
    const tag = response.headers.get("etag");
    if (kept.size >= KEPT_MAX) kept.clear();
    if (tag !== null) kept.set(path, { tag, body });
    return body as T;
  }

  return {
    get,
    async list<T>(path: string, member: string, max: number) {
      const items: T[] = [];
      let cursor: string | null = null;
      do {
        const url: string = cursor === null ? path : `${path}&cursor=${encodeURIComponent(cursor)}`;
        const page: Record<string, unknown> = await get(url);
        items.push(...((page[member] ?? []) as T[]));
        cursor = (page.next ?? null) as string | null;
      } while (cursor !== null && items.length < max);
      return { items, more: cursor !== null };
    },
    text: async (path) => (await ask(path)).text(),
    async post<T>(path: string, body?: object) {
      const json = body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
      return (await (await ask(path, { method: "POST", ...json })).json()) as T;
    },
  };
}

/** What went wrong, for a person: the API's own words, or that it did not answer. */
export function troubleText(thrown: unknown): string {
  if (!(thrown instanceof ApiError)) return "Hearthline does not answer.";
  if (thrown.code === "scope_missing")
    return "This page's token may look, but not decide: sign in with one that may write.";
  return thrown.message;
}
