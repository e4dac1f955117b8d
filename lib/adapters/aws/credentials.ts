import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { HearthlineError } from "../../base/errors.ts";
import type { AwsCredentials, CredentialSource } from "./client.ts";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Credentials as Lambda gives them to a function: the environment.
 * @throws HearthlineError `service_refused` when they are not set
 */
export function environmentCredentials(env: Env): CredentialSource {
  return () => {
    const found = fromEnvironment(env);
    if (found) return found;
    throw new HearthlineError(
      "service_refused",
      "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set; wanted are credentials that may use the queues and the table.",
    );
  };
}

function fromEnvironment(env: Env): AwsCredentials | undefined {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = env;
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

export interface SharedCredentialsOptions {
  readonly env: Env;
  readonly clock: Clock;
  /** Default: the file system. */
  readonly readFile?: (path: string) => string;
}

/** So often the file is read again on its own; when its credentials are refused, at once. */
const READ_EVERY_MS = 60_000;

/**
 * Credentials of a machine at home: the environment first, else the shared file that the tools of AWS write (AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials, section
 * AWS_PROFILE or `default`). The file is read again once a minute and when what it said is refused, so that an owner renews credentials without a restart.
 * A file that cannot be read for a moment (it is being written) leaves the last ones in use.
 * @throws HearthlineError `service_refused` when there are none anywhere; the message names the file and the section, never what is in it
 */
export function sharedCredentials({ env, clock, readFile = readText }: SharedCredentialsOptions): CredentialSource {
  let known: { readonly credentials: AwsCredentials; readonly readAtMs: number } | undefined;
  return (refused) => {
    const given = fromEnvironment(env);
    if (given) return given;
    const nowMs = clock.monotonicMs();
    if (known && !refused && nowMs - known.readAtMs < READ_EVERY_MS) return known.credentials;
    try {
      known = { credentials: fromFile(env, readFile), readAtMs: nowMs };
    } catch (thrown) {
      if (!known) throw thrown;
      known = { ...known, readAtMs: nowMs };
    }
    return known.credentials;
  };
}

const readText = (path: string): string => readFileSync(path, "utf8");

function fromFile(env: Env, readFile: (path: string) => string): AwsCredentials {
  const path = env.AWS_SHARED_CREDENTIALS_FILE || join(env.HOME || homedir(), ".aws", "credentials");
  const profile = env.AWS_PROFILE || "default";
  const refused = (what: string): HearthlineError =>
    new HearthlineError(
      "service_refused",
      `There are no AWS credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set, and ${what}.`,
    );
  let text: string;
  try {
    text = readFile(path);
  } catch (thrown) {
    const { code = "unknown" } = thrown as { code?: string };
    throw refused(`the file "${path}" could not be read (${code})`);
  }
  const section = sectionsOf(text).get(profile);
  if (!section) throw refused(`the file "${path}" has no section "[${profile}]" (AWS_PROFILE names it)`);
  const accessKeyId = section.get("aws_access_key_id");
  const secretAccessKey = section.get("aws_secret_access_key");
  const sessionToken = section.get("aws_session_token");
  if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
  const missing = accessKeyId ? "aws_secret_access_key" : "aws_access_key_id";
  throw refused(
    `the section "[${profile}]" of "${path}" has no ${missing} (roles, single sign-on and credential_process are not followed)`,
  );
}

/** The INI file of AWS: sections, `name = value`, lines that begin with # or ; are comments. Names in lower case. */
function sectionsOf(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  for (const line of text.replace(/^\uFEFF/, "").split(/\r?\n/)) {
    const [, title] = /^\s*\[\s*(.+?)\s*\]\s*(?:[#;].*)?$/.exec(line) ?? [];
    if (title !== undefined) {
      section = sections.get(title) ?? new Map();
      sections.set(title, section);
      continue;
    }
    const [, name, value] = /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) section?.set(name.toLowerCase(), value);
  }
  return sections;
}
