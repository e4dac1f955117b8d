import type { IncomingMessage } from "node:http";
import { connect as connectTls } from "node:tls";
import type { Clock } from "../../base/clock.ts";
import { HearthlineError, messageOf } from "../../base/errors.ts";

const TLS_FAILED = /^(ERR_SSL_|ERR_TLS_|EPROTO$)|CERT|^(UNABLE_TO_|SELF_SIGNED|INVALID_CA|HOSTNAME_MISMATCH)/;

const TLS_ADVICE: readonly (readonly [RegExp, string])[] = [
  [/EXPIRED/, "The certificate has expired: renew it."],
  [/NOT_YET_VALID/, "The certificate is not valid yet: check the clocks of both machines."],
  [/ALTNAME|HOSTNAME/, "The certificate is for another name: use the name that is in it as the address."],
  [
    /SELF_SIGNED|UNABLE_TO_|INVALID_CA/,
    "The certificate's issuer is not known here: set NODE_EXTRA_CA_CERTS to a file with the issuer's certificate, or use the http address in the local network.",
  ],
  [/^ERR_SSL_|^EPROTO$/, "The other side does not speak TLS on this port: use http:// instead of https://."],
];

/** The code of a failed connection; of the first attempt where several addresses of one name were tried. */
function codeOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return codeOf(thrown.errors[0]);
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

const textOf = (thrown: unknown): string =>
  thrown instanceof AggregateError && thrown.errors.length > 0
    ? thrown.errors.map(messageOf).join("; ")
    : messageOf(thrown);

/** What a connection that failed before or during the HTTP upgrade means. */
export function connectionFailure(thrown: unknown, address: URL): HearthlineError {
  const code = codeOf(thrown);
  const tried = `Connecting to Home Assistant at "${address.href}" failed: ${textOf(thrown)}`;
  if (TLS_FAILED.test(code)) {
    const advice = TLS_ADVICE.find(([pattern]) => pattern.test(code))?.[1] ?? "Check the certificate and the address.";
    return new HearthlineError("home_assistant_tls_failed", `${tried}. ${advice}`, { cause: thrown });
  }
  // HPE_...: Node's HTTP parser. WS_ERR_ and "Invalid ...": the upgrade was answered by something that is no WebSocket server.
  if (code.startsWith("HPE_") || /^Invalid (Sec-WebSocket|Upgrade)/.test(messageOf(thrown)))
    return notHomeAssistant(address, `what answers is no WebSocket server (${messageOf(thrown)})`);
  return new HearthlineError("home_assistant_disconnected", `${tried}.`, { cause: thrown });
}

/** What an HTTP answer means that is no upgrade to a WebSocket. */
export function answerFailure(answer: IncomingMessage, address: URL): HearthlineError {
  const status = answer.statusCode ?? 0;
  const { location } = answer.headers;
  // What a proxy or the Supervisor says while Home Assistant itself is away or starts.
  if (status >= 500 || status === 408 || status === 425 || status === 429)
    return new HearthlineError(
      "home_assistant_disconnected",
      `Home Assistant at "${address.href}" cannot be reached: what stands before it answered ${status}.`,
    );
  if (status >= 300 && status < 400 && location !== undefined)
    return new HearthlineError(
      "home_assistant_address_wrong",
      `"${address.href}" is redirected to "${withoutQuery(location, address)}": set the address of Home Assistant to where that leads.`,
    );
  if (status === 403)
    return new HearthlineError(
      "home_assistant_token_refused",
      `Home Assistant at "${address.href}" answered 403: this machine's address is banned after wrong tokens. Remove it from ip_bans.yaml, restart Home Assistant, and check the token.`,
    );
  if (status === 401) return notHomeAssistant(address, "something before it asks for a login of its own (401)");
  const type = answer.headers["content-type"]?.split(";")[0];
  return notHomeAssistant(address, `the answer was ${status}${type ? ` ${type}` : ""}, wanted is a WebSocket`);
}

export const notHomeAssistant = (address: URL, why: string): HearthlineError =>
  new HearthlineError(
    "home_assistant_not_home_assistant",
    `At "${address.href}" there is no Home Assistant: ${why}. Check host, port and path; usual is http://HOST:8123.`,
  );

function withoutQuery(location: string, base: URL): string {
  if (!URL.canParse(location, base.href)) return location.slice(0, 100);
  const target = new URL(location, base);
  return `${target.protocol}//${target.host}${target.pathname}`;
}

/** How long the port is asked whether it speaks TLS. */
const TLS_PROBE_MS = 2_000;

/**
 * Whether a plain connection failed only because the port wants TLS; true only after a completed TLS handshake. Nothing is sent over it,
 * so the certificate does not matter.
 */
export async function speaksTls(address: URL, clock: Clock): Promise<boolean> {
  const host = address.hostname.replace(/^\[|\]$/g, "");
  const done = new AbortController();
  const probe = connectTls({ host, port: Number(address.port || 80), rejectUnauthorized: false });
  const answer = new Promise<boolean>((resolve) => {
    probe.once("secureConnect", () => resolve(true));
    probe.once("error", () => resolve(false));
    probe.once("close", () => resolve(false));
    void clock.sleep(TLS_PROBE_MS, done.signal).then(() => resolve(false));
  });
  const spoke = await answer;
  done.abort();
  probe.destroy();
  return spoke;
}

export const wantsTls = (address: URL): HearthlineError =>
  new HearthlineError(
    "home_assistant_address_wrong",
    `"${address.host}" speaks TLS on this port: use https:// instead of http:// as the address of Home Assistant.`,
  );
