import { Problem } from "./problem.ts";

/** A name of this machine, with its port or without. */
const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i;
const READS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

export interface OwnPageRequest {
  readonly method: string;
  header(name: string): string | undefined;
}

/**
 * For an API on this machine, whose page signs in whoever opens it: a foreign name that points here is another site's trick (DNS rebinding), and a page of
 * another site that sends something here is one too. Who sends no `Origin` is no page.
 * @throws Problem `host_not_local`, `origin_foreign`
 */
export function requireOwnPage({ method, header }: OwnPageRequest): void {
  const host = header("host") ?? "";
  if (!LOOPBACK.test(host)) {
    throw new Problem(
      "host_not_local",
      `Something was asked for as "${host.slice(0, 100)}"; this answers to 127.0.0.1, localhost and [::1] only.`,
    );
  }
  const origin = header("origin");
  if (READS.has(method) || origin === undefined || origin.toLowerCase() === `http://${host.toLowerCase()}`) return;
  throw new Problem(
    "origin_foreign",
    `A page of "${origin.slice(0, 100)}" has sent something to "${host}"; only this machine's own page may.`,
  );
}
