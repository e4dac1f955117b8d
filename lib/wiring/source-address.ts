/**
 * The address of whoever connected to the gateway, of an HTTP API's request (payload 2.0) or a REST API's (1.0). What a header says of it
 * (`X-Forwarded-For`) is not asked: anybody may write one.
 */
export function sourceAddressOf(requestContext: unknown): string | undefined {
  const { http, identity } = (requestContext ?? {}) as {
    http?: { readonly sourceIp?: unknown };
    identity?: { readonly sourceIp?: unknown };
  };
  const address = http?.sourceIp ?? identity?.sourceIp;
  return typeof address === "string" && address !== "" ? address : undefined;
}
