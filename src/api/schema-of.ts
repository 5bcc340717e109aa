/**
 * How is a JSON Schema written of which the compiler knows that it says the same as a type? A field that the type has and
 * the schema has not, or the other way round, or of another kind, does not compile.
 */

export type JsonSchema = Readonly<Record<string, unknown>>;

declare const type: unique symbol;

/** Accepts the values of T. It is there for no other type, neither a narrower nor a wider one. */
export interface SchemaOf<T> {
  readonly json: JsonSchema;
  readonly [type]?: (value: T) => T;
}

export interface OptionalOf<T> {
  readonly optional: SchemaOf<T>;
}

/** One schema for each field of T. */
export type FieldsOf<T> = {
  readonly [Key in keyof T]-?: Record<never, never> extends Pick<T, Key>
    ? OptionalOf<Exclude<T[Key], undefined>>
    : SchemaOf<T[Key]>;
};

/** Text, also of types that are narrower for us than for anybody else, like the name of a service. */
export function text<T extends string = string>(description?: string): SchemaOf<T> {
  return { json: { type: 'string', ...described(description) } };
}

/** RFC 3339, 5.6. */
export function time(description?: string): SchemaOf<string> {
  return { json: { type: 'string', format: 'date-time', ...described(description) } };
}

export function whole(description?: string): SchemaOf<number> {
  return { json: { type: 'integer', ...described(description) } };
}

export function number(description?: string): SchemaOf<number> {
  return { json: { type: 'number', ...described(description) } };
}

export function flag(description?: string): SchemaOf<boolean> {
  return { json: { type: 'boolean', ...described(description) } };
}

/** These words and no others: each word of T must be given. */
export function words<T extends string | boolean>(all: Readonly<Record<`${T}`, true>>): SchemaOf<T> {
  return { json: { enum: Object.keys(all).map((word) => (word === 'true' ? true : word)) } };
}

export function nullable<T>({ json }: SchemaOf<T>): SchemaOf<T | null> {
  return { json: { anyOf: [json, { type: 'null' }] } };
}

export function list<T>({ json }: SchemaOf<T>): SchemaOf<readonly T[]> {
  return { json: { type: 'array', items: json } };
}

export function map<T>({ json }: SchemaOf<T>): SchemaOf<Readonly<Record<string, T>>> {
  return { json: { type: 'object', additionalProperties: json } };
}

export function either<A, B>(one: SchemaOf<A>, other: SchemaOf<B>): SchemaOf<A | B> {
  return { json: { anyOf: [one.json, other.json] } };
}

export function optional<T>(schema: SchemaOf<T>): OptionalOf<T> {
  return { optional: schema };
}

/** More fields may come with a later version: whoever reads it looks over those that he does not know. */
export function object<T>(fields: FieldsOf<T>): SchemaOf<T> {
  const all = Object.entries(fields) as [string, SchemaOf<unknown> | OptionalOf<unknown>][];
  const properties = all.map(([key, one]) => [key, 'optional' in one ? one.optional.json : one.json]);
  const required = all.flatMap(([key, one]) => ('optional' in one ? [] : [key]));
  return { json: { type: 'object', required, properties: Object.fromEntries(properties) } };
}

/** Stands in the document once, under a name. */
export interface Component<T> extends SchemaOf<T> {
  readonly name: string;
  readonly whole: JsonSchema;
}

export function component<T>(name: string, { json }: SchemaOf<T>): Component<T> {
  return { name, whole: json, json: { $ref: `#/components/schemas/${name}` } };
}

function described(description: string | undefined): { readonly description?: string } {
  return description === undefined ? {} : { description };
}
