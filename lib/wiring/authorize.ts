import type {
  APIGatewayAuthorizerResult,
  APIGatewayRequestAuthorizerEvent,
  APIGatewayRequestAuthorizerEventV2,
  APIGatewaySimpleAuthorizerWithContextResult,
} from "aws-lambda";
import { createDynamodbTokenStore } from "../adapters/dynamodb/tokens.ts";
import { type AuthorizerContext, contextOf, createIdentify, type Identify } from "../api/index.ts";
import { createCloud, type FunctionOptions } from "./aws.ts";
import { readConfig } from "./config.ts";
import { sourceAddressOf } from "./source-address.ts";

interface Surrounded {
  readonly requestContext?: unknown;
}
export type AuthorizerEvent =
  | (Pick<APIGatewayRequestAuthorizerEventV2, "version" | "headers"> & Surrounded)
  | (Pick<APIGatewayRequestAuthorizerEvent, "headers" | "methodArn"> & Surrounded);
export type AuthorizerAnswer =
  | APIGatewaySimpleAuthorizerWithContextResult<AuthorizerContext>
  | APIGatewayAuthorizerResult;

/**
 * The authorizer function, joined once per process at the first request. It lets everything through and says who asks, or why nobody does:
 * the API itself answers 401, 403 and 404, so that they look like all its errors.
 */
export function createAuthorize(
  env: Readonly<Record<string, string | undefined>> = process.env,
  options: FunctionOptions = {},
): (event: AuthorizerEvent) => Promise<AuthorizerAnswer> {
  let identify: Identify | undefined;
  return async (event) => {
    identify ??= joined(env, options);
    return answerOf(
      event,
      contextOf(await identify(authorizationOf(event.headers), sourceAddressOf(event.requestContext))),
    );
  };
}

function joined(env: Readonly<Record<string, string | undefined>>, options: FunctionOptions): Identify {
  const cloud = createCloud(readConfig(env), { env, ...options });
  return createIdentify(createDynamodbTokenStore(cloud.table), cloud.clock);
}

/** HTTP APIs write header names small, REST APIs and emulators as they came. */
const authorizationOf = (
  headers: Readonly<Record<string, string | undefined>> | null | undefined,
): string | undefined => Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === "authorization")?.[1];

/** An HTTP API (payload 2.0) takes the simple answer, a REST API a policy. */
function answerOf(event: AuthorizerEvent, context: AuthorizerContext): AuthorizerAnswer {
  if ("version" in event && event.version === "2.0") return { isAuthorized: true, context };
  const Resource = "methodArn" in event ? event.methodArn : "*";
  const Statement = [{ Action: "execute-api:Invoke", Effect: "Allow" as const, Resource }];
  return {
    principalId: "home_id" in context ? context.home_id : "nobody",
    policyDocument: { Version: "2012-10-17", Statement },
    context,
  };
}
