import { describe, expect, it } from "vitest";
import { sharedCredentials } from "../../../lib/adapters/aws/credentials.ts";
import { manualClock } from "../../support/manual-clock.ts";

const PATH = "/a/folder/.aws/credentials";

function start(files: Record<string, string | Error>, env: Record<string, string> = {}) {
  const clock = manualClock();
  const reads: string[] = [];
  const readFile = (path: string): string => {
    reads.push(path);
    const text = files[path] ?? Object.assign(new Error("no such file"), { code: "ENOENT" });
    if (text instanceof Error) throw text;
    return text;
  };
  const credentials = sharedCredentials({ env: { HOME: "/a/folder", ...env }, clock, readFile });
  return { clock, credentials, reads, files };
}

const section = (name: string, id: string) =>
  `[${name}]\naws_access_key_id=${id}\naws_secret_access_key = secret-of-${id} \n`;

describe("credentials of a machine at home", () => {
  it("come from the environment first", () => {
    const { credentials, reads } = start({}, { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" });
    expect(credentials()).toEqual({ accessKeyId: "a", secretAccessKey: "b" });
    expect(reads).toEqual([]);
  });

  it("come from the section that AWS_PROFILE names, in the file that AWS_SHARED_CREDENTIALS_FILE names", () => {
    const text = `\uFEFF# mine\r\n${section("default", "A")}\n; other\n[house] # the relay\r\nAWS_Access_Key_Id = B\r\naws_secret_access_key = x=y#z\r\naws_session_token=t`;
    expect(start({ [PATH]: text }).credentials()).toEqual({ accessKeyId: "A", secretAccessKey: "secret-of-A" });
    expect(start({ "/x": text }, { AWS_PROFILE: "house", AWS_SHARED_CREDENTIALS_FILE: "/x" }).credentials()).toEqual({
      accessKeyId: "B",
      secretAccessKey: "x=y#z",
      sessionToken: "t",
    });
  });

  it("are read again once a minute, and at once when they were refused", async () => {
    const { clock, credentials, reads, files } = start({ [PATH]: section("default", "A") });
    await credentials();
    files[PATH] = section("default", "B");
    await clock.advance(59_000);
    const old = await credentials();
    expect(old.accessKeyId).toBe("A");
    expect(reads).toHaveLength(1);
    expect(await credentials(old)).toMatchObject({ accessKeyId: "B" });
    files[PATH] = section("default", "C");
    await clock.advance(60_000);
    expect(await credentials()).toMatchObject({ accessKeyId: "C" });
  });

  it("stay the last ones while the file cannot be read", async () => {
    const { credentials, files } = start({ [PATH]: section("default", "A") });
    const good = await credentials();
    files[PATH] = "";
    expect(await credentials(good)).toEqual(good);
  });

  it.each([
    ["no file", {}, {}, /"\/a\/folder\/.aws\/credentials" could not be read \(ENOENT\)/],
    ["another section", { [PATH]: section("default", "SECRET") }, { AWS_PROFILE: "house" }, /no section "\[house\]"/],
    ["half a section", { [PATH]: "[default]\naws_access_key_id=SECRET" }, {}, /no aws_secret_access_key/],
    ["a role", { [PATH]: "[default]\nrole_arn=SECRET\n" }, {}, /roles, single sign-on/],
  ])("are missing: %s", (_, files, env, message) => {
    const { credentials } = start(files, env);
    expect(credentials).toThrowError(message);
    expect(credentials).toThrowError(expect.objectContaining({ code: "service_refused" }));
    expect(credentials).not.toThrowError(/SECRET[^_]/);
  });
});
