import { HearthlineError, isHearthlineError, messageOf } from "../../base/errors.ts";

/** Reason codes of MQTT 5.0 (2.4) and, below 128, return codes of a CONNACK of MQTT 3.1.1 (3.2.2.3). */
const REASON = {
  oldProtocol: 1,
  oldUserOrPassword: 4,
  oldNotAuthorized: 5,
  unsupportedProtocol: 132,
  userOrPassword: 134,
  notAuthorized: 135,
  banned: 138,
  authenticationMethod: 140,
  topicName: 144,
  packetTooLarge: 149,
  payloadFormat: 153,
  retainNotSupported: 154,
  qosNotSupported: 155,
} as const;

const REFUSES_USER: ReadonlySet<number> = new Set([
  REASON.oldUserOrPassword,
  REASON.oldNotAuthorized,
  REASON.userOrPassword,
  REASON.notAuthorized,
  REASON.banned,
  REASON.authenticationMethod,
]);
/** The message is the reason: it will not be taken later either. */
const REFUSES_MESSAGE: ReadonlySet<number> = new Set([
  REASON.notAuthorized,
  REASON.topicName,
  REASON.packetTooLarge,
  REASON.payloadFormat,
  REASON.retainNotSupported,
  REASON.qosNotSupported,
]);

/** What Node calls the failures of TLS: of the certificate, of its chain, of the protocol. */
const TLS = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|EPROTO)/;

/** The reason code of what the client threw or the broker said. */
export const reasonOf = (thrown: unknown): number | undefined => {
  const code = (thrown as { code?: unknown } | undefined)?.code;
  return typeof code === "number" ? code : undefined;
};

/** True when an older protocol may do: the broker said so, or it closed at the first word, as very old ones do. */
export const wantsOlderProtocol = (thrown: unknown): boolean => {
  if (isHearthlineError(thrown)) return thrown.code === "mqtt_disconnected";
  const reason = reasonOf(thrown);
  return reason === REASON.oldProtocol || reason === REASON.unsupportedProtocol;
};

/** Why there is no session. `broker` names it without user and password. */
export function connectFailure(broker: string, thrown: unknown): HearthlineError {
  if (isHearthlineError(thrown)) return thrown;
  const options = { cause: thrown };
  const reason = reasonOf(thrown);
  if (reason !== undefined && REFUSES_USER.has(reason))
    return new HearthlineError(
      "mqtt_refused",
      `The broker "${broker}" refuses the user of HEARTHLINE_MQTT_URL (reason ${reason}, ${messageOf(thrown)}); wanted are a user and password that it knows.`,
      options,
    );
  if (reason !== undefined)
    return new HearthlineError(
      "mqtt_unreachable",
      `The broker "${broker}" takes no connection now (reason ${reason}, ${messageOf(thrown)}).`,
      options,
    );
  const code = String((thrown as { code?: unknown }).code ?? "");
  if (TLS.test(code))
    return new HearthlineError(
      "mqtt_tls_failed",
      `TLS with the broker "${broker}" failed (${code}). Its certificate must be known to this machine (NODE_EXTRA_CA_CERTS for one of your own) and name this host; of a broker without TLS the address begins with mqtt://.`,
      options,
    );
  return new HearthlineError(
    "mqtt_unreachable",
    `The broker "${broker}" cannot be reached (${code || messageOf(thrown)}).`,
    options,
  );
}

/** Why a message was not acknowledged. */
export function publishFailure(broker: string, topic: string, thrown: unknown): HearthlineError {
  const reason = reasonOf(thrown);
  const what = `The message to "${topic.slice(0, 80)}" at the broker "${broker}"`;
  if (reason !== undefined && REFUSES_MESSAGE.has(reason))
    return new HearthlineError(
      "mqtt_publish_refused",
      `${what} was refused (reason ${reason}, ${messageOf(thrown)}).`,
      {
        cause: thrown,
      },
    );
  if (isHearthlineError(thrown)) return thrown;
  // The broker gives its reasons as numbers; anything else is the connection's.
  const code = reason === undefined ? "mqtt_disconnected" : "mqtt_failed";
  return new HearthlineError(code, `${what} was not taken now (${messageOf(thrown)}).`, { cause: thrown });
}
