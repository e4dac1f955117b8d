import { describe, expect, it } from "vitest";
import { socketAddress } from "../../../lib/adapters/homeassistant/address.ts";
import { isHearthlineError } from "../../../lib/base/errors.ts";

describe("the address of a Home Assistant", () => {
  it.each([
    ["http://homeassistant.local:8123", "ws://homeassistant.local:8123/api/websocket"],
    ["http://homeassistant.local:8123/", "ws://homeassistant.local:8123/api/websocket"],
    [" https://home.example \n", "wss://home.example/api/websocket"],
    ["https://home.example:8443/ha/", "wss://home.example:8443/ha/api/websocket"],
    ["ws://192.168.1.5:8123", "ws://192.168.1.5:8123/api/websocket"],
    ["wss://home.example/api/websocket", "wss://home.example/api/websocket"],
    ["http://home.example/api/websocket/", "ws://home.example/api/websocket"],
    ["ws://supervisor/core/websocket", "ws://supervisor/core/websocket"],
    ["http://supervisor/core", "ws://supervisor/core/api/websocket"],
    ["http://[fe80::1]:8123", "ws://[fe80::1]:8123/api/websocket"],
    ["HTTP://Home:8123/?auth_callback=1#top", "ws://home:8123/api/websocket"],
  ])("%s leads to %s", (text, socket) => {
    expect(socketAddress(text).href).toBe(socket);
  });

  it.each([
    "",
    "homeassistant.local",
    "homeassistant.local:8123",
    "192.168.1.5:8123",
    "ftp://homeassistant.local",
    "mqtt://homeassistant.local:1883",
    "http://",
    "http://home assistant:8123",
    "http://home:99999",
    "file:///config",
  ])("%j is refused with what is wanted", (text) => {
    expect(() => socketAddress(text)).toThrow(/wanted is http:\/\/HOST:8123/);
  });

  it.each(["http://owner:hunter2@home:8123", "ftp://owner:hunter2@home", "owner:hunter2@home:8123"])(
    "%s is refused without repeating its password",
    (text) => {
      try {
        socketAddress(text);
        expect.unreachable();
      } catch (thrown) {
        expect(isHearthlineError(thrown) && thrown.code).toBe("home_assistant_address_wrong");
        expect((thrown as Error).message).not.toContain("hunter2");
      }
    },
  );
});
