import { createCipheriv, createDecipheriv, createHash, scrypt, timingSafeEqual } from "node:crypto";
import { HearthlineError } from "../base/errors.ts";
import { damaged, type Header, type ScryptSettings } from "./format.ts";

const TAG_BYTES = 16;
const KEY_BYTES = 32;
const CHECK_BYTES = 16;
const CIPHER = "aes-256-gcm";

/**
 * What a new file takes: as strong as N = 2^17, p = 1, in 32 MiB instead of 128 so that a small machine can open it.
 * Source: OWASP Password Storage Cheat Sheet, scrypt; read 2026-12.
 */
export const NEW_SCRYPT = { logN: 15, r: 8, p: 3 } as const;
/** What a file may ask of its reader: 128 MiB. */
const LOG_N_MAX = 17;

/** Seals and opens payloads. A frame's head is covered beside its payload, and so is the header: nothing can be moved between files or places. */
export interface Seal {
  readonly check: Uint8Array;
  seal(payload: Uint8Array, head: Uint8Array, number: number): Buffer;
  /** @throws HearthlineError `backup_damaged` */
  open(sealed: Uint8Array, head: Uint8Array, number: number): Buffer;
}

export async function createSeal(passphrase: string, settings: ScryptSettings, name: string): Promise<Seal> {
  const { logN, r, p, salt } = settings;
  if (logN > LOG_N_MAX || logN < 1 || r !== 8 || p < 1 || p > 4)
    throw damaged(name, `it asks for scrypt with N = 2^${logN}, r = ${r}, p = ${p}, which no backup has`);
  const N = 2 ** logN;
  const derived = await new Promise<Buffer>((done, fail) =>
    scrypt(
      passphrase.normalize("NFC"),
      salt,
      KEY_BYTES * 2,
      { N, r, p, maxmem: 256 * N * r + 1_048_576 },
      (error, key) => (error ? fail(error) : done(key)),
    ),
  );
  const key = derived.subarray(0, KEY_BYTES);
  const check = createHash("sha256").update(derived.subarray(KEY_BYTES)).digest().subarray(0, CHECK_BYTES);
  const about = (head: Uint8Array) => Buffer.concat([salt, head.subarray(0, 32)]);
  return {
    check,
    seal(payload, head, number) {
      const cipher = createCipheriv(CIPHER, key, nonceOf(number));
      cipher.setAAD(about(head));
      return Buffer.concat([cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, head, number) {
      const end = sealed.length - TAG_BYTES;
      if (end < 0) throw damaged(name, `chunk ${number} is too short to be sealed`);
      const decipher = createDecipheriv(CIPHER, key, nonceOf(number));
      decipher.setAAD(about(head));
      decipher.setAuthTag(sealed.subarray(end));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]);
      } catch {
        throw damaged(name, `chunk ${number} is not what was sealed`);
      }
    },
  };
}

export const sealedBytes = (bytes: number): number => bytes + TAG_BYTES;

/** The key is the file's own (a random salt), so a number that counts its chunks is never used twice with it. */
function nonceOf(number: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32LE(number, 8);
  return nonce;
}

/** Undefined for a file that is not sealed. @throws HearthlineError `backup_unreadable` when the passphrase does not fit */
export async function openSeal(header: Header, passphrase: string, name: string): Promise<Seal | undefined> {
  if (!header.seal) return undefined;
  const seal = await createSeal(passphrase, header.seal, name);
  if (!timingSafeEqual(seal.check, header.seal.check))
    throw new HearthlineError(
      "backup_unreadable",
      `The backup "${name}" is sealed with another passphrase than the one that was given. The file itself may be whole: verify it without a passphrase to see.`,
    );
  return seal;
}
