/** The version of Deputy. */
import { readFile } from "node:fs/promises";
import { fieldsOf } from "../values/record.ts";

export async function readVersion(): Promise<string> {
  const about: unknown = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
  return String(fieldsOf(about).version);
}
