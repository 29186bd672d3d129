/**
 * Loaded before every test file, so that property tests draw the same inputs each time. `npm run stress` draws others.
 */
import fc from "fast-check";
import { testSeed } from "./end-to-end-moments.ts";

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: testSeed() });
