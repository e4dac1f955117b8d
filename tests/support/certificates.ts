import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";

/**
 * X.509 certificates for tests, made when they are needed: a private key has no place in a repository, not even one that opens nothing.
 * Version 3, ECDSA on P-256 with SHA-256. Source: RFC 5280 (structure), RFC 5480 and 5758 (the two algorithm identifiers), ITU-T X.690 (DER).
 */
export interface CertificateOptions {
  /** What the certificate is for: a host name or an IPv4 address. */
  readonly name: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface Authority {
  /** Its own certificate, in PEM. */
  readonly certificate: string;
  /** A certificate that it has signed, and the key of it, both in PEM. */
  issue(options: CertificateOptions): { readonly certificate: string; readonly key: string };
}

const tlv = (tag: number, ...contents: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(contents);
  const length = content.length;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
};
const sequence = (...parts: readonly Uint8Array[]) => tlv(0x30, ...parts);
const set = (...parts: readonly Uint8Array[]) => tlv(0x31, ...parts);
const octets = (content: Uint8Array) => tlv(0x04, content);
const bits = (content: Uint8Array) => tlv(0x03, Buffer.from([0]), content);
const oid = (hex: string) => tlv(0x06, Buffer.from(hex, "hex"));
const explicit = (tag: number, content: Uint8Array) => tlv(0xa0 + tag, content);
const yes = tlv(0x01, Buffer.from([0xff]));
/** UTCTime to the year 2049: `261122061500Z`. */
const time = (at: Date) => tlv(0x17, Buffer.from(`${at.toISOString().slice(2, 19).replace(/[-T:]/g, "")}Z`));

const SHA256_WITH_ECDSA = sequence(oid("2a8648ce3d040302"));
const COMMON_NAME = "550403";
const SUBJECT_ALT_NAME = "551d11";
const BASIC_CONSTRAINTS = "551d13";

const nameOf = (text: string) => sequence(set(sequence(oid(COMMON_NAME), tlv(0x0c, Buffer.from(text)))));
const extension = (id: string, value: Uint8Array) => sequence(oid(id), octets(value));
const forName = (name: string) =>
  extension(
    SUBJECT_ALT_NAME,
    sequence(isIPv4(name) ? tlv(0x87, Buffer.from(name.split(".").map(Number))) : tlv(0x82, Buffer.from(name))),
  );
const forAuthority = sequence(oid(BASIC_CONSTRAINTS), yes, octets(sequence(yes)));

interface Signed extends CertificateOptions {
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly extension: Uint8Array;
}

function signed({ name, notBefore, notAfter, issuer, publicKey, signer, extension: own }: Signed): string {
  const serial = randomBytes(8);
  // A leading bit of one would make the number negative, a leading zero byte too long.
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f);
  const content = sequence(
    explicit(0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, serial),
    SHA256_WITH_ECDSA,
    nameOf(issuer),
    sequence(time(notBefore), time(notAfter)),
    nameOf(name),
    publicKey.export({ type: "spki", format: "der" }),
    explicit(3, sequence(own)),
  );
  const whole = sequence(content, SHA256_WITH_ECDSA, bits(sign("sha256", content, signer)));
  const lines = whole.toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

const newPair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });

/** An issuer of certificates that nobody knows until it is trusted. */
export function createAuthority(options: CertificateOptions): Authority {
  const own = newPair();
  const issuer = options.name;
  const by = { issuer, signer: own.privateKey };
  return {
    certificate: signed({ ...options, ...by, publicKey: own.publicKey, extension: forAuthority }),
    issue(wanted) {
      const { publicKey, privateKey } = newPair();
      return {
        certificate: signed({ ...wanted, ...by, publicKey, extension: forName(wanted.name) }),
        key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      };
    },
  };
}
