/** A small sample of `npm run stress -- attacks`, with seeds that found problems before: files, keys and projects. */
import { sampleAttacks } from "../stress/attacks/sample.ts";

sampleAttacks("files, keys and projects", {
  "a command looks for keys": 0,
  "notes and other files of the project": 15,
  "files outside of the workspace": 16,
  "Deputy's own files": 17,
  "rules for paths and files of secrets": 102,
  "keys in texts": 100,
  "an untrusted project": 101,
  "damage to files": 100,
});
