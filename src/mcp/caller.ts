/** A client as this server knows it: as long as its connection lasts or, where there is none, under its name. */
export type Caller = {
  /** As it names itself. */
  readonly name: string;
  /** Runs it asked for and has not been told the end of, by what it asked: who asks again is told of the same run. */
  readonly asked: Map<string, Promise<string>>;
  /** Questions of children that its person has been put, each settled or not. */
  readonly shown: Set<string>;
};

export function createCaller(name: string): Caller {
  return { name, asked: new Map(), shown: new Set() };
}
