import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { STORE_CODES, withSqliteErrors } from "../../../lib/adapters/sqlite/open.ts";

// The superuser, as whom tests may run, is refused nothing but by a read-only disk, which a test cannot make.
vi.mock("node:fs", async (original) => ({
  ...(await original<typeof import("node:fs")>()),
  accessSync: () => {
    throw Object.assign(new Error("EROFS: read-only file system, access"), { code: "EROFS" });
  },
}));

describe("a SQLite file on a disk that is read-only", () => {
  it.each([
    ["SQLite only says that it cannot be opened", { errcode: 14 }],
    ["the folder is missing as well", { code: "ENOENT" }],
  ])("is for a person where %s", (_, what) => {
    const doing = { doing: "Opening the event store", path: join(tmpdir(), "none", "store.db"), codes: STORE_CODES };
    const open = () => {
      throw Object.assign(new Error("refused"), what);
    };
    expect(() => withSqliteErrors(doing, open)).toThrow(
      expect.objectContaining({
        code: "store_read_only",
        fate: "stop",
        message: expect.stringContaining("on a disk that is read-only"),
      }),
    );
  });
});
