/** How often functions of `src/` are called while something runs, as V8 counts it. */
import { Session } from "node:inspector/promises";

/** @param names functions as `file.ts:name` @returns the calls of each, in the order of the names */
export async function countCalls(names: readonly string[], work: () => Promise<void>): Promise<number[]> {
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
    await work();
    const { result } = await session.post("Profiler.takePreciseCoverage");
    return names.map((name) => {
      const [file = "", functionName = ""] = name.split(":");
      const functions = result.filter(({ url }) => url.endsWith(`/src/${file}`)).flatMap((script) => script.functions);
      return functions.find((one) => one.functionName === functionName)?.ranges[0]?.count ?? 0;
    });
  } finally {
    session.disconnect();
  }
}
