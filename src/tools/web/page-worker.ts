/** The thread that converts one page. `page-converter.ts` starts it, and ends it when the page takes too long. */
import { parentPort, workerData } from "node:worker_threads";
import type { PageJob } from "./page-converter.ts";
import { readablePage } from "./readable-page.ts";

const { html, address }: PageJob = workerData;
parentPort?.postMessage(readablePage(html, address));
