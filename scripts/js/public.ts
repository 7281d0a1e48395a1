// Compares what the scripts define with what their .d.ts files declare, in both directions.
// "Type '"FCSClient.join"' does not satisfy the constraint 'never'" names the member that differs.
import client from "./build/fcs-client.js";
import elements from "./build/fcs-elements.js";

type Defined = NonNullable<ReturnType<typeof client>> & NonNullable<ReturnType<typeof elements>>;
type Declared = {
  [Name in keyof typeof globalThis as Name extends `FCS${string}` ? Name : never]:
    (typeof globalThis)[Name];
};

/** Names that the scripts define for tests, for browsers or for each other, not for pages. */
type Internal =
  | "FCSClient.adapters"
  | `${"FCSTickerElement" | "FCSTagElement" | "FCSPriceElement"}.${"View" | "announce" | "kit"}`
  | `${"FCSTickerElement" | "FCSTagElement" | "FCSPriceElement" | "FCSStatusElement"}.${
      | "observedAttributes"
      | "connectedCallback" | "disconnectedCallback" | "attributeChangedCallback"}`;
/** Inherited; the .d.ts adds overloads that know the types of the events. */
type Overloaded = `FCSClient.${"addEventListener" | "removeEventListener"}`;

type Class = abstract new (...values: never) => object;
type Sides<C> = C extends Class ? [Omit<C, "prototype">, InstanceType<C>] : [C, object];
type Both = keyof Defined & keyof Declared;

type Paths<Name extends string, T> = `${Name}.${keyof T & string}`;
type PathsOf<All> = {
  [Name in keyof All & string]: Paths<Name, Sides<All[Name]>[0]> | Paths<Name, Sides<All[Name]>[1]>;
}[keyof All & string];

/** Also tells optional from required, and read-only from writable. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
type Differences<Name extends string, A, B> = {
  [Key in keyof A & keyof B & string]:
    Same<Pick<A, Key>, Pick<B, Key>> extends true ? never : `${Name}.${Key}`;
}[keyof A & keyof B & string];
type Parameters<C> = C extends abstract new (...values: infer Values) => object ? Values : never;

type UnequalMembers = {
  [Name in Both]:
    | Differences<Name, Sides<Defined[Name]>[0], Sides<Declared[Name]>[0]>
    | Differences<Name, Sides<Defined[Name]>[1], Sides<Declared[Name]>[1]>;
}[Both];
type UnequalConstructors = {
  [Name in Both]:
    Same<Parameters<Defined[Name]>, Parameters<Declared[Name]>> extends true ? never : Name;
}[Both];

type Nothing<Found extends never> = Found;

export type Checks = [
  /* Global according to the .d.ts, but not set by a script: */
  Nothing<Exclude<keyof Declared, keyof Defined>>,
  /* Set by a script, but not in the .d.ts: */
  Nothing<Exclude<keyof Defined, keyof Declared>>,
  /* Members that the .d.ts promises, but the script does not have: */
  Nothing<Exclude<PathsOf<Declared>, PathsOf<Defined>>>,
  /* Public members of the script that the .d.ts does not name: */
  Nothing<Exclude<PathsOf<Defined>, PathsOf<Declared> | Internal>>,
  /* Internal members that are in the .d.ts, or that are gone: */
  Nothing<Exclude<Internal, Exclude<PathsOf<Defined>, PathsOf<Declared>>>>,
  /* Members and constructors with another type in the script than in the .d.ts: */
  Nothing<Exclude<UnequalMembers, Overloaded>>,
  Nothing<UnequalConstructors>,
];
