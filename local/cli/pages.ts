import type { ApiClient } from "./api-client.ts";

/** Every item of a list of the API, through all its pages. */
export async function allPages<T, Name extends string>(
  api: ApiClient,
  path: string,
  name: Name,
  query: Readonly<Record<string, string | undefined>> = {},
): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | undefined;
  do {
    const page: { [K in Name]: T[] } & { next: string | null } = await api.get(path, {
      ...query,
      limit: 1_000,
      cursor,
    });
    all.push(...page[name]);
    cursor = page.next ?? undefined;
  } while (cursor);
  return all;
}
