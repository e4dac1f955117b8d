import type { Property, PropertyType, SpecDatabase } from "@aws-cdk/service-spec-types";

export interface Template {
  readonly Resources: Readonly<
    Record<
      string,
      { readonly Type: string; readonly Properties?: Record<string, unknown>; readonly DependsOn?: string | string[] }
    >
  >;
}

const PSEUDO = new Set([
  "AWS::AccountId",
  "AWS::NoValue",
  "AWS::NotificationARNs",
  "AWS::Partition",
  "AWS::Region",
  "AWS::StackId",
  "AWS::StackName",
  "AWS::URLSuffix",
]);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isIntrinsic = (value: unknown): boolean =>
  isObject(value) && Object.keys(value).length === 1 && /^(Ref|Fn::\w+)$/.test(Object.keys(value)[0] ?? "");

/**
 * What is wrong with a template by CloudFormation's own specification: unknown resource types and properties, missing required ones, wrong types,
 * references that lead nowhere. Values of intrinsic functions are taken as fitting; their targets are checked.
 */
export function validateTemplate(template: Template, db: SpecDatabase): string[] {
  const problems: string[] = [];

  function checkProperties(
    path: string,
    given: Record<string, unknown>,
    wanted: Readonly<Record<string, Property>>,
  ): void {
    for (const [name, value] of Object.entries(given)) {
      const property = wanted[name];
      if (!property) problems.push(`${path}.${name}: no such property`);
      else checkAny(`${path}.${name}`, value, [property.type, ...(property.previousTypes ?? [])]);
    }
    for (const [name, property] of Object.entries(wanted)) {
      if (property.required && given[name] === undefined) problems.push(`${path}.${name}: required, but not set`);
    }
  }

  /** Right when it fits one of the types; otherwise the first type's complaints are kept. */
  function checkAny(path: string, value: unknown, types: readonly PropertyType[]): void {
    const before = problems.length;
    let first: string[] | undefined;
    // Many properties that are described part by part were plain JSON once: that would let anything pass.
    const all = types.flatMap((type) => (type.type === "union" ? type.types : [type]));
    const isDescribed = all.some(({ type }) => type === "array" || type === "map" || type === "ref");
    for (const type of isDescribed ? all.filter(({ type }) => type !== "json") : all) {
      check(path, value, type);
      const said = problems.splice(before);
      if (said.length === 0) return;
      first ??= said;
    }
    problems.push(...(first ?? []));
  }

  function check(path: string, value: unknown, type: PropertyType): void {
    if (isIntrinsic(value)) return;
    const wrong = (wanted: string) => problems.push(`${path}: ${JSON.stringify(value)} is no ${wanted}`);
    switch (type.type) {
      case "string":
        if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") wrong("string");
        return;
      case "number":
      case "integer":
        if (
          !Number.isFinite(Number(value)) ||
          typeof value === "boolean" ||
          (type.type === "integer" && !Number.isInteger(Number(value)))
        )
          wrong(type.type);
        return;
      case "boolean":
        if (typeof value !== "boolean" && value !== "true" && value !== "false") wrong("boolean");
        return;
      case "array":
        if (!Array.isArray(value)) wrong("list");
        else for (const [index, item] of value.entries()) check(`${path}[${index}]`, item, type.element);
        return;
      case "map":
        if (!isObject(value)) wrong("map");
        else for (const [key, item] of Object.entries(value)) check(`${path}.${key}`, item, type.element);
        return;
      case "ref":
        if (!isObject(value)) wrong("object");
        else checkProperties(path, value, db.get("typeDefinition", type.reference.$ref).properties);
        return;
      case "union":
        checkAny(path, value, type.types);
        return;
      default:
        return; // json, date-time, null, tag: any value
    }
  }

  function checkReferences(path: string, value: unknown): void {
    if (Array.isArray(value)) for (const [index, item] of value.entries()) checkReferences(`${path}[${index}]`, item);
    if (!isObject(value)) return;
    const known = (id: string) => id in template.Resources || PSEUDO.has(id);
    for (const [key, item] of Object.entries(value)) {
      if (key === "Ref" && typeof item === "string" && !known(item))
        problems.push(`${path}: Ref "${item}" leads nowhere`);
      else if (key === "Fn::GetAtt") {
        const [id, attribute] = Array.isArray(item) ? item : String(item).split(".");
        if (!known(String(id))) problems.push(`${path}: GetAtt "${id}.${attribute}" leads nowhere`);
      } else if (key === "Fn::Sub") {
        for (const [, id = ""] of String(Array.isArray(item) ? item[0] : item).matchAll(/\$\{([^!}.]+)/g))
          if (!known(id)) problems.push(`${path}: Sub "${id}" leads nowhere`);
      } else checkReferences(`${path}.${key}`, item);
    }
  }

  for (const [id, resource] of Object.entries(template.Resources)) {
    const [spec] = db.lookup("resource", "cloudFormationType", "equals", resource.Type);
    if (!spec) problems.push(`${id}: no such type "${resource.Type}"`);
    else checkProperties(id, resource.Properties ?? {}, spec.properties);
    checkReferences(id, resource.Properties);
    for (const other of [resource.DependsOn ?? []].flat())
      if (!(other in template.Resources)) problems.push(`${id}: depends on "${other}", which is not there`);
  }
  return problems;
}
