import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createBackupFile, openBackupFile } from "../../../lib/adapters/file/backup-file.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-backup-file-"));
  path = join(folder, "home.backup");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const create = (isReplacing = false) => createBackupFile({ path, isReplacing, unique: "u", nowMs: Date.now() });

describe("a backup's file", () => {
  it("is there when it is whole, for its owner alone", async () => {
    const sink = await create();
    await sink.write(Buffer.from("abc"));
    expect(existsSync(path)).toBe(false);
    await sink.write(Buffer.from("def"));
    await sink.commit();
    expect(readFileSync(path, "utf8")).toBe("abcdef");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["home.backup"]);
  });

  it("leaves nothing when it is given up", async () => {
    const sink = await create();
    await sink.write(Buffer.from("abc"));
    await sink.abort();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("takes no other file's place unless told to, not even of one that came meanwhile", async () => {
    const sink = await create();
    await sink.write(Buffer.from("new"));
    writeFileSync(path, "old");
    await expect(sink.commit()).rejects.toMatchObject({
      code: "backup_unwritable",
      message: expect.stringContaining("--force"),
    });
    await sink.abort();
    expect([readFileSync(path, "utf8"), readdirSync(folder)]).toEqual(["old", ["home.backup"]]);
    await expect(create()).rejects.toMatchObject({ code: "backup_unwritable" });
    const replacing = await create(true);
    await replacing.write(Buffer.from("new"));
    await replacing.commit();
    expect(readFileSync(path, "utf8")).toBe("new");
  });

  it("is refused where no file can be", async () => {
    path = join(folder, "no", "such", "folder");
    await expect(create()).rejects.toMatchObject({
      code: "backup_unwritable",
      message: expect.stringContaining("ENOENT"),
    });
  });

  it("is read from any place, shorter at its end", async () => {
    writeFileSync(path, "0123456789");
    const source = await openBackupFile(path);
    expect([source.bytes, source.name]).toEqual([10, path]);
    expect(Buffer.from(await source.read(3, 4)).toString()).toBe("3456");
    expect(Buffer.from(await source.read(8, 100)).toString()).toBe("89");
    await source.close();
  });

  it("takes the place of a file only: a folder, a pipe and a device are refused at once, and never waited for", async () => {
    const folderThere = join(folder, "folder");
    mkdirSync(folderThere);
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    for (const [where, why] of [
      [folderThere, "EISDIR"],
      [`${path}/`, "EISDIR"],
      [pipe, "EINVAL"],
      ["/dev/null", "EINVAL"],
    ] as const)
      for (const isReplacing of [false, true]) {
        path = where;
        await expect(create(isReplacing), where).rejects.toMatchObject({
          code: "backup_unwritable",
          message: expect.stringContaining(why),
        });
      }
    expect(readdirSync(folder).sort()).toEqual(["folder", "pipe"]);
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
  });

  it("takes the place of the file that a link leads to; the link stays", async () => {
    const target = join(folder, "elsewhere", "real.backup");
    mkdirSync(join(folder, "elsewhere"));
    symlinkSync(target, path);
    // It leads nowhere.
    for (const isReplacing of [false, true])
      await expect(create(isReplacing)).rejects.toMatchObject({ message: expect.stringContaining("EEXIST") });
    writeFileSync(target, "old");
    await expect(create(false)).rejects.toMatchObject({ message: expect.stringContaining("EEXIST") });
    const sink = await create(true);
    await sink.write(Buffer.from("new"));
    await sink.commit();
    expect([lstatSync(path).isSymbolicLink(), readFileSync(target, "utf8")]).toEqual([true, "new"]);
    expect(readdirSync(folder).sort()).toEqual(["elsewhere", "home.backup"]);
  });

  it("takes away what a killed command has left, when it is old, and nothing else", async () => {
    const parts = ["old", "new"].map((unique) => join(folder, `.other.backup.${unique}.hearthline-part`));
    const foreign = join(folder, ".other.part");
    for (const each of [...parts, foreign]) writeFileSync(each, "half");
    const old = Date.now() / 1000 - 3 * 86_400;
    for (const each of [parts[0] ?? "", foreign]) utimesSync(each, old, old);
    await (await create()).abort();
    expect(readdirSync(folder).sort()).toEqual([".other.backup.new.hearthline-part", ".other.part"]);
  });

  it("that is no file is not read, and a pipe not waited for", async () => {
    execFileSync("mkfifo", [path]);
    await expect(openBackupFile(path)).rejects.toMatchObject({
      code: "backup_unreadable",
      message: expect.stringContaining("is no file"),
    });
  });

  it("that cannot be read is refused with its reason", async () => {
    await expect(openBackupFile(path)).rejects.toMatchObject({
      code: "backup_unreadable",
      message: expect.stringContaining("ENOENT"),
    });
    mkdirSync(path);
    await expect(openBackupFile(path)).rejects.toMatchObject({ code: "backup_unreadable" });
  });
});
