import { HearthlineError } from "../../base/errors.ts";

/** Ends of a path that are a WebSocket already: Home Assistant's own, and the Supervisor's proxy of it (`ws://supervisor/core/websocket`). */
const SOCKET_PATH = /\/(api|core|homeassistant)\/websocket$/;

const SCHEMES: Readonly<Record<string, string>> = { "http:": "ws:", "https:": "wss:", "ws:": "ws:", "wss:": "wss:" };

/**
 * The WebSocket's address from whatever address of Home Assistant a person wrote: `http` becomes `ws`, `https` becomes `wss`, `/api/websocket` is
 * appended unless the path ends with a WebSocket's path already; query and fragment (of a page copied from a browser) are left out.
 * @throws HearthlineError `home_assistant_address_wrong`: not an address, another scheme, or one with a user name in it
 */
export function socketAddress(text: string): URL {
  const trimmed = text.trim();
  const address = URL.canParse(trimmed) ? new URL(trimmed) : undefined;
  const scheme = address && SCHEMES[address.protocol];
  if (!address || !scheme || address.hostname === "") {
    throw new HearthlineError(
      "home_assistant_address_wrong",
      `"${withoutUser(trimmed).slice(0, 200)}" is no address of Home Assistant: wanted is http://HOST:8123, https://HOST, or ws://supervisor/core/websocket.`,
    );
  }
  if (address.username !== "" || address.password !== "") {
    throw new HearthlineError(
      "home_assistant_address_wrong",
      `The address of Home Assistant at "${address.host}" carries a user name or password: wanted is the address without them; the token is a setting of its own.`,
    );
  }
  address.protocol = scheme;
  address.search = "";
  address.hash = "";
  const path = address.pathname.replace(/\/+$/, "");
  address.pathname = SOCKET_PATH.test(path) ? path : `${path}/api/websocket`;
  return address;
}

/** What stands before an `@` may be a password. */
const withoutUser = (text: string): string => text.replace(/[^/]*@/, "");
